"""The emulated phone, once per module in each mode."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulated_phone import MODES, Phone, Phones, compile_aarch64
from phone_fixtures import adb, phones

__all__ = ["adb", "phones"]


@pytest.fixture(scope="session")
def aarch64_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `emulated_phone.compile_aarch64` makes."""
    return compile_aarch64(tmp_path_factory.mktemp("aarch64"))


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
