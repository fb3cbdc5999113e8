"""The emulated phone, once per module and way to run its programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated_phone import MODES, Phone, compile_aarch64, private_adb, running_phone

from edgeocr.device.adb import Adb


@pytest.fixture(scope="session")
def aarch64_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `emulated_phone.compile_aarch64` makes."""
    return compile_aarch64(tmp_path_factory.mktemp("aarch64"))


@pytest.fixture(scope="module")
def adb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adb]:
    with private_adb(tmp_path_factory.mktemp("home")) as private:
        yield private


@pytest.fixture(scope="module", params=MODES)
def phone(request: pytest.FixtureRequest, adb: Adb) -> Iterator[Phone]:
    """A running phone without files, in each mode."""
    with running_phone(adb, request.param) as running:
        yield running


@pytest.fixture(scope="module")
def program(phone: Phone, aarch64_program: Path) -> str:
    """`aarch64_program` on the phone."""
    phone.put(aarch64_program, "/data/local/tmp/program")
    assert phone.shell("chmod 755 /data/local/tmp/program")[0] == 0
    return "/data/local/tmp/program"
