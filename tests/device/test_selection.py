"""Which device a word means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated_phone import private_adb, running_phone

from edgeocr.device.adb import Adb
from edgeocr.device.selection import host_summary, list_devices, open_device
from edgeocr.emulator import lifecycle
from edgeocr.errors import DeviceError, SetupError


@pytest.fixture
def own_adb(tmp_path: Path) -> Iterator[Adb]:
    with private_adb(tmp_path / "home") as adb:
        yield adb


def list_only(fake_adb: Path, *lines: str) -> None:
    text = "\\n".join(["List of devices attached", *lines])
    fake_adb.write_text(f"#!/bin/sh\nprintf '{text}\\n'\n")


def test_host_needs_no_adb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADB", "/nowhere")
    with open_device("host") as device:
        assert device.kind == "host"
    with pytest.raises(SetupError), open_device("serial"):
        pass


def test_emulated_is_started_for_the_duration(own_adb: Adb) -> None:
    assert lifecycle.status() is None
    with open_device("emulated") as device:
        assert device.kind == "emulated"
        assert device.shell(["echo", "here"]).stdout == b"here\n"
        assert lifecycle.status() is not None
    assert lifecycle.status() is None
    assert own_adb.devices() == []


def test_emulated_is_stopped_after_a_failure_too(own_adb: Adb) -> None:
    with pytest.raises(ZeroDivisionError), open_device("emulated"):
        raise ZeroDivisionError
    assert lifecycle.status() is None
    assert own_adb.devices() == []


def test_emulated_is_the_running_one_where_there_is_one(own_adb: Adb) -> None:
    with running_phone(own_adb, "prefix") as phone:
        with open_device("emulated") as device:
            assert device.serial == phone.state.serial
        assert lifecycle.status() == phone.state


def test_a_running_one_that_adb_has_forgotten_is_connected_again(own_adb: Adb) -> None:
    with running_phone(own_adb, "prefix") as phone:
        own_adb.disconnect(phone.state.serial)
        with open_device("emulated") as device:
            assert device.shell(["true"]).returncode == 0


def test_a_serial(own_adb: Adb) -> None:
    with running_phone(own_adb, "prefix") as phone, open_device(phone.state.serial) as device:
        assert device.kind == "emulated"
    with pytest.raises(DeviceError, match=r"device 127.0.0.1:1 is not connected"), open_device("127.0.0.1:1"):
        pass


def test_a_serial_with_a_blank(fake_adb: Path) -> None:
    serial = "adb-R5CR (2)._adb-tls-connect._tcp"
    fake_adb.write_text(
        f"""\
#!/bin/sh
if [ "$1 $2" = "devices -l" ]; then
  printf 'List of devices attached\\n{serial} device product:x\\n'
elif [ "$1 $2" = "-s {serial}" ]; then
  printf 'shell_v2\\n[ro.product.cpu.abi]: [arm64-v8a]\\n'
else
  exit 99
fi
"""
    )
    assert [(entry.serial, entry.state, entry.abi) for entry in list_devices()] == [(serial, "ready", "arm64-v8a")]
    with open_device(serial) as device:
        assert device.serial == serial


def test_summaries(own_adb: Adb) -> None:
    with running_phone(own_adb, "prefix") as phone:
        (summary,) = list_devices()
    assert (summary.serial, summary.kind, summary.state) == (phone.state.serial, "emulated", "ready")
    assert (summary.model, summary.abi, summary.android) == ("edgeocr emulated Cortex-A76", "arm64-v8a", "10")
    assert (host_summary().kind, host_summary().state) == ("host", "ready")


def test_a_summary_of_a_device_that_is_not_ready(fake_adb: Path) -> None:
    list_only(fake_adb, "AAA\\tunauthorized usb:1-1", "BBB  offline model:Pixel_6")
    assert [(entry.serial, entry.kind, entry.state, entry.model) for entry in list_devices()] == [
        ("AAA", None, "unauthorized", ""),
        ("BBB", None, "offline", "Pixel 6"),
    ]
