"""This machine in a phone's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr.device.host_device import HostDevice
from edgeocr.errors import DeviceError


@pytest.fixture
def host() -> HostDevice:
    return HostDevice()


def test_streams_and_exit_codes(host: HostDevice) -> None:
    assert host.shell(["sh", "-c", "cat; echo error >&2; exit 200"], stdin=b"\0\xff") == (200, b"\0\xff", b"error\n")
    assert host.shell(["sh", "-c", "kill -SEGV $$"]).returncode == 128 + 11


def test_a_program_that_is_missing_or_not_executable_ends_as_in_a_shell(host: HostDevice, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("text")
    assert host.shell([str(tmp_path / "nothing")]).returncode == 127
    assert host.shell([str(tmp_path / "plain")]).returncode == 126
    with pytest.raises(DeviceError, match="cannot be started on this machine: No such file"):
        host.popen([str(tmp_path / "nothing")])


def test_a_command_that_takes_too_long_is_given_up(host: HostDevice) -> None:
    with pytest.raises(DeviceError, match=r"sleep did not end within 0.1 s"):
        host.shell(["sleep", "60"], timeout=0.1)


def test_files_are_copied(host: HostDevice, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    host.push(tmp_path / "a", str(tmp_path / "b"))
    host.pull(str(tmp_path / "b"), tmp_path / "c")
    assert (tmp_path / "c").read_text() == "text"
    with pytest.raises(DeviceError, match=r"nothing cannot be copied to .*: No such file"):
        host.pull(str(tmp_path / "nothing"), tmp_path / "d")


def test_what_it_is(host: HostDevice) -> None:
    assert (host.serial, host.kind) == ("host", "host")
    assert host.properties()["ro.product.cpu.abi"]
    host.check_reachable()
