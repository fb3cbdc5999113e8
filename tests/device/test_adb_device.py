"""A device behind adb: what passes, and what each of its failures is called."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated_phone import Phone

from edgeocr.device.adb import Adb
from edgeocr.device.adb_device import AdbDevice
from edgeocr.emulator.protocol import AUTH, Packet, encode, read_packet
from edgeocr.errors import DeviceError

AUTH_TOKEN, AUTH_PUBLIC_KEY = 1, 3  # the challenge, and what a host sends when none of its signatures was taken

ODD_ARGUMENTS = ["plain", "two words", "", "'", '"', "$(id)", "`id`", "a;b", "*", "\\", "-n", "文字", "line\nbreak", "~", "#x", "a=b", "!"]


def test_arguments_pass_as_they_are(device: AdbDevice) -> None:
    done = device.shell(["printf", "<%s>", *ODD_ARGUMENTS])
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == "".join(f"<{argument}>" for argument in ODD_ARGUMENTS)


def test_streams_and_exit_code(device: AdbDevice) -> None:
    assert device.shell(["sh", "-c", "cat; echo error >&2; exit 200"], stdin=b"\0\r\n\xff") == (200, b"\0\r\n\xff", b"error\n")


def test_a_failing_program_is_no_error_of_the_device(device: AdbDevice) -> None:
    assert device.shell(["sh", "-c", "exit 1"]).returncode == 1
    assert device.shell(["/data/local/tmp/nothing"]).returncode == 127


def test_a_process_that_is_started_can_be_spoken_to(device: AdbDevice) -> None:
    with device.popen(["cat"], stdin=True) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"line\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"line\n"
        process.stdin.close()
        assert process.wait(10) == 0


def test_files_go_and_come_back(device: AdbDevice, tmp_path: Path) -> None:
    local = tmp_path / "文字 1"
    local.write_bytes(b"\0\1\2")
    device.push(local, "/data/local/tmp/文字 1")
    device.pull("/data/local/tmp/文字 1", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"\0\1\2"


def test_a_refused_transfer_gives_adbs_reason(device: AdbDevice, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.touch()
    with pytest.raises(DeviceError, match=r"failed while pushing local: .*Read-only file system"):
        device.push(local, "/system/local")
    with pytest.raises(DeviceError, match=r"failed while pulling /data/nothing: .*No such file"):
        device.pull("/data/nothing", tmp_path / "back")


def test_it_is_emulated_and_says_so(device: AdbDevice) -> None:
    assert device.kind == "emulated"
    assert device.properties()["ro.build.version.sdk"] == "29"


def test_a_command_that_takes_too_long_is_given_up(device: AdbDevice) -> None:
    with pytest.raises(DeviceError, match=r"did not answer within 0.2 s"):
        device.shell(["sleep", "60"], timeout=0.2)


def test_a_phone_that_left_is_lost(adb: Adb, phone: Phone) -> None:
    device = AdbDevice(adb, phone.state.serial)
    adb.disconnect(phone.state.serial)
    try:
        with pytest.raises(DeviceError, match=f"device {phone.state.serial} was lost") as caught:
            device.shell(["true"])
        assert "connect it again" in (caught.value.hint or "")
    finally:
        adb.connect(phone.state.serial)


@pytest.fixture
def wary_phone() -> Iterator[str]:
    """The address of a phone whose user has allowed nobody yet: it answers every key with another challenge."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=challenge_all, args=(listener,))
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def challenge_all(listener: socket.socket) -> None:
    with contextlib.ExitStack() as connections, contextlib.suppress(OSError, EOFError):
        while True:
            connection = connections.enter_context(listener.accept()[0])
            connection.settimeout(10)
            while read_packet(connection)[:2] != (AUTH, AUTH_PUBLIC_KEY):  # the key is for the user to look at
                connection.sendall(encode(Packet(AUTH, AUTH_TOKEN, 0, bytes(20)), checksum=True))


def test_a_phone_that_has_not_allowed_this_computer(adb: Adb, wary_phone: str) -> None:
    adb.connect(wary_phone)
    try:
        with pytest.raises(DeviceError, match=f"device {wary_phone} is (unauthorized|authorizing)") as caught:
            AdbDevice(adb, wary_phone).open()
        assert "allow USB debugging" in (caught.value.hint or "")
    finally:
        adb.disconnect(wary_phone)


# states and answers of other phones, by a script in adb's place

FAKE = """\
#!/bin/sh
case $* in
"devices -l") printf 'List of devices attached\\nSERIAL  {state} usb:1-1\\n' ;;
*features) {features} ;;
*getprop*) printf '[ro.kernel.qemu]: [{qemu}]\\n{abis}\\n' ;;
*) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


ABIS = "[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a,armeabi]"


def write(script: Path, state: str = "device", features: str = "echo shell_v2", qemu: str = "", abis: str = ABIS) -> AdbDevice:
    script.write_text(FAKE.format(state=state, features=features, qemu=qemu, abis=abis))
    return AdbDevice(Adb(), "SERIAL")


@pytest.mark.parametrize(
    ("state", "message", "hint"),
    [
        ("unauthorized", "device SERIAL is unauthorized", "allow USB debugging"),
        ("authorizing", "device SERIAL is authorizing", "allow USB debugging"),
        ("offline", "device SERIAL is offline", "adb reconnect"),
        ("detached", "device SERIAL is detached", "adb attach"),
        ("no permissions (missing udev rules?)", "device SERIAL may not be opened: no permissions", "udev"),
        ("recovery", "device SERIAL is recovery", "boot the phone"),
    ],
)
def test_a_device_that_is_not_ready_is_told_with_what_to_do(fake_adb: Path, state: str, message: str, hint: str) -> None:
    with pytest.raises(DeviceError) as caught:
        write(fake_adb, state).open()
    assert caught.value.message == message and hint in (caught.value.hint or "")


def test_an_unknown_serial_is_told_with_what_to_do(fake_adb: Path) -> None:
    write(fake_adb)
    with pytest.raises(DeviceError, match="device OTHER is not connected") as caught:
        AdbDevice(Adb(), "OTHER").open()
    assert "edgeocr devices" in (caught.value.hint or "")


def test_a_phone_before_android_7_is_too_old(fake_adb: Path) -> None:
    with pytest.raises(DeviceError, match="too old"):
        write(fake_adb, features="echo cmd").open()


@pytest.mark.parametrize(
    "abis",
    [
        ABIS,
        "[ro.product.cpu.abi]: [armeabi-v7a]\\n[ro.product.cpu.abilist]: [armeabi-v7a,arm64-v8a]",
        "[ro.product.cpu.abi]: [arm64-v8a]",
    ],
)
def test_a_phone_that_can_execute_the_runner(fake_adb: Path, abis: str) -> None:
    write(fake_adb, abis=abis).open()


@pytest.mark.parametrize(
    ("abis", "shown"),
    [
        ("[ro.product.cpu.abilist]: [armeabi-v7a,armeabi]", "armeabi-v7a, armeabi"),
        ("[ro.product.cpu.abi]: [x86_64]\\n[ro.product.cpu.abilist]: [x86_64,x86]", "x86_64, x86"),
        ("[ro.product.cpu.abi]: [armeabi-v7a]", "armeabi-v7a"),
        ("", "unknown"),
    ],
)
def test_a_device_that_cannot_execute_the_runner_is_refused(fake_adb: Path, abis: str, shown: str) -> None:
    with pytest.raises(DeviceError) as caught:
        write(fake_adb, abis=abis).open()
    assert caught.value.message == f"device SERIAL cannot run edgeocr_run, built for arm64-v8a: its ABIs are {shown}"
    assert "64-bit ARM phone" in (caught.value.hint or "")


def test_a_file_whose_name_looks_like_an_option(fake_adb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_adb.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >> "${0%/*}/asked"\n')
    monkeypatch.chdir(tmp_path)
    device = AdbDevice(Adb(), "SERIAL")
    device.push(Path("-a.png"), "/data/a")
    device.pull("/data/b", Path("-b"))
    assert (tmp_path / "asked").read_text().splitlines() == [
        *("-s", "SERIAL", "push", f"{tmp_path}/-a.png", "/data/a"),
        *("-s", "SERIAL", "pull", "/data/b", f"{tmp_path}/-b"),
    ]


def test_a_device_lost_while_it_is_opened(fake_adb: Path) -> None:
    with pytest.raises(DeviceError, match="failed while asking for its features: device 'SERIAL' not found"):
        write(fake_adb, features="echo \"error: device 'SERIAL' not found\" >&2; exit 1").open()


@pytest.mark.parametrize(("qemu", "kind"), [("1", "emulated"), ("0", "phone"), ("", "phone")])
def test_the_sdks_emulator_is_no_phone(fake_adb: Path, qemu: str, kind: str) -> None:
    device = write(fake_adb, qemu=qemu)
    device.open()
    assert device.kind == kind
