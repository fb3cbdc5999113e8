"""An adb of the tests' own, the emulated phone in both modes, and a runner that is a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated_phone import MODES, Phone, private_adb, running_phone

from edgeocr.device.adb import Adb
from edgeocr.device.adb_device import AdbDevice


@pytest.fixture(scope="module")
def adb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adb]:
    with private_adb(tmp_path_factory.mktemp("home")) as private:
        yield private


@pytest.fixture(scope="module", params=MODES)
def running(request: pytest.FixtureRequest, adb: Adb) -> Iterator[Phone]:
    with running_phone(adb, request.param) as phone:
        yield phone


@pytest.fixture
def phone(running: Phone) -> Phone:
    """A running phone without files."""
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
