"""Fixtures of tests that speak to an emulated phone by an adb of their own. A conftest takes them by importing their names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from emulated_phone import Phones, private_adb

from edgeocr.device.adb import Adb


@pytest.fixture(scope="module")
def adb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adb]:
    with private_adb(tmp_path_factory.mktemp("home")) as private:
        yield private


@pytest.fixture(scope="module")
def phones(adb: Adb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phones]:
    """The phone in each mode, for the tests of a module."""
    with Phones(adb, tmp_path_factory.mktemp("phones")) as both:
        yield both
