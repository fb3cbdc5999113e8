"""An adb of the tests' own, the emulated phone in both modes, and a runner that is a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulated_phone import MODES, Phone, Phones
from phone_fixtures import adb, phones

from edgeocr.device.adb_device import AdbDevice

__all__ = ["adb", "phones"]


@pytest.fixture(params=MODES)
def phone(request: pytest.FixtureRequest, phones: Phones) -> Phone:
    """A running phone without files, in each mode."""
    running = phones.get(request.param)
    assert running.shell("rm -rf /data/local/tmp/*")[0] == 0
    return running


@pytest.fixture
def device(phone: Phone) -> AdbDevice:
    return AdbDevice(phone.adb, phone.state.serial)


@pytest.fixture
def fake_adb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a script that is taken for adb; the test writes it."""
    script = tmp_path / "fake-adb"
    script.write_text("#!/bin/sh\nexit 99\n")
    script.chmod(0o755)
    monkeypatch.setenv("ADB", str(script))
    return script
