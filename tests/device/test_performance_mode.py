"""Fixed performance mode: on where it exists, and off again whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr.device.adb import Adb
from edgeocr.device.adb_device import AdbDevice
from edgeocr.device.host_device import HostDevice
from edgeocr.device.performance_mode import fixed_performance

FAKE = """\
#!/bin/sh
case $* in
"devices -l") printf 'List of devices attached\\nSERIAL device\\n' ;;
*getprop*) printf '[ro.product.model]: [phone]\\n' ;;
*set-fixed-performance-mode-enabled*) printf '%s\\n' "${{*##* }}" >> {log}; {answer} ;;
esac
"""


def phone(fake_adb: Path, log: Path, answer: str) -> AdbDevice:
    fake_adb.write_text(FAKE.format(log=log, answer=answer))
    return AdbDevice(Adb(), "SERIAL")


def test_it_is_switched_on_and_off(fake_adb: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with fixed_performance(phone(fake_adb, log, "true")) as active:
        assert active and log.read_text() == "true\n"
    assert log.read_text() == "true\nfalse\n"


def test_it_is_switched_off_after_a_failure(fake_adb: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(KeyboardInterrupt), fixed_performance(phone(fake_adb, log, "true")):
        raise KeyboardInterrupt
    assert log.read_text() == "true\nfalse\n"


@pytest.mark.parametrize("answer", ["echo 'Unknown command: set-fixed' >&2; exit 255", "echo 'Unknown command'", "echo 'Error: x'; exit 1"])
def test_a_phone_without_it_is_left_alone(fake_adb: Path, tmp_path: Path, answer: str) -> None:
    log = tmp_path / "log"
    with fixed_performance(phone(fake_adb, log, answer)) as active:
        assert not active
    assert log.read_text() == "true\n"


def test_this_machine_has_none() -> None:
    with fixed_performance(HostDevice()) as active:
        assert not active
