"""The emulated phone, once per module in each mode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated_phone import MODES, Phone, Phones, compile_aarch64, private_adb

from edgeocr.device.adb import Adb


@pytest.fixture(scope="session")
def aarch64_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `emulated_phone.compile_aarch64` makes."""
    return compile_aarch64(tmp_path_factory.mktemp("aarch64"))


@pytest.fixture(scope="module")
def adb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adb]:
    with private_adb(tmp_path_factory.mktemp("home")) as private:
        yield private


@pytest.fixture(scope="module")
def phones(adb: Adb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phones]:
    with Phones(adb, tmp_path_factory.mktemp("phones")) as both:
        yield both


@pytest.fixture(params=MODES)
def phone(request: pytest.FixtureRequest, phones: Phones) -> Phone:
    """A running phone, in each mode; a module's tests share its files."""
    return phones.get(request.param)


@pytest.fixture
def program(phone: Phone, aarch64_program: Path) -> str:
    """`aarch64_program` on the phone."""
    path = "/data/local/tmp/program"
    if not (phone.root / path.lstrip("/")).exists():
        phone.put(aarch64_program, path)
        assert phone.shell(f"chmod 755 {path}")[0] == 0
    return path
