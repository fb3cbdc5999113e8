"""adb's texts, as adb prints them."""

from __future__ import annotations

import pytest

from edgeocr.device.adb_output import (
    AdbEntry,
    failure_remark,
    parse_connect,
    parse_devices,
    parse_features,
    parse_getprop,
    tells_dead_server,
    tells_full_device,
)

DAEMON_NOISE = "* daemon not running; starting now at tcp:5037\n* daemon started successfully\n"
LIST = "List of devices attached\n"


def test_devices_with_their_tags() -> None:
    text = LIST + "0123456789ABCDEF       device usb:1-4 product:raven model:Pixel_6_Pro device:raven transport_id:3\n\n"
    assert parse_devices(text) == [
        AdbEntry(
            "0123456789ABCDEF",
            "device",
            {"usb": "1-4", "product": "raven", "model": "Pixel_6_Pro", "device": "raven", "transport_id": "3"},
        )
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("noise", ["", DAEMON_NOISE, "adb server is out of date.  killing...\n* daemon started successfully\n"])
def test_line_ends_and_remarks_do_not_matter(end: str, noise: str) -> None:
    text = (noise + LIST + "127.0.0.1:40001\tdevice\nemulator-5554\toffline\n").replace("\n", end)
    assert [(entry.serial, entry.state, entry.ready) for entry in parse_devices(text)] == [
        ("127.0.0.1:40001", "device", True),
        ("emulator-5554", "offline", False),
    ]


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("R58M12ABCDE\tunauthorized", "unauthorized"),
        ("R58M12ABCDE            unauthorized usb:1-1 transport_id:7", "unauthorized"),
        ("R58M12ABCDE            authorizing usb:1-1 transport_id:7", "authorizing"),
        ("R58M12ABCDE            detached usb:1-1 transport_id:7", "detached"),
        ("R58M12ABCDE\trecovery", "recovery"),
        ("????????????\tno permissions", "no permissions"),
        (
            "R58M12ABCDE            no permissions (missing udev rules? user is in the plugdev group); see "
            "[http://developer.android.com/tools/device.html] usb:1-1 transport_id:1",
            "no permissions",
        ),
        ("adb-R58M12-xYz._adb-tls-connect._tcp  device product:x", "device"),
    ],
)
def test_states(line: str, state: str) -> None:
    (entry,) = parse_devices(LIST + line + "\n")
    assert (entry.serial, entry.state) == (line.split()[0], state)


@pytest.mark.parametrize("serial", ["adb-R5CR (2)._adb-tls-connect._tcp", "adb-R5CR20 (12)._adb-tls-connect._tcp", "my phone"])
@pytest.mark.parametrize("state", ["device", "offline", "no permissions"])
@pytest.mark.parametrize("gap", ["\t", " ", "        "])
def test_a_serial_may_have_blanks(serial: str, state: str, gap: str) -> None:
    text = f"{LIST}{serial}{gap}{state} product:raven model:Pixel_6 device:raven\nother\tdevice\n"
    first, _ = parse_devices(text)
    assert first == AdbEntry(serial, state, {"product": "raven", "model": "Pixel_6", "device": "raven"})


@pytest.mark.parametrize("text", ["", LIST, DAEMON_NOISE + LIST + "\n", "error: protocol fault\n", LIST + "garbage\n", "serial device\n"])
def test_no_device_is_made_up(text: str) -> None:
    assert parse_devices(text) == []


@pytest.mark.parametrize(
    ("text", "connected", "message"),
    [
        ("connected to 127.0.0.1:40001\n", True, "connected to 127.0.0.1:40001"),
        ("already connected to 127.0.0.1:40001\r\n", True, "already connected to 127.0.0.1:40001"),
        (DAEMON_NOISE + "connected to 127.0.0.1:40001\n", True, "connected to 127.0.0.1:40001"),
        ("failed to connect to '127.0.0.1:1': Connection refused\n", False, "failed to connect to '127.0.0.1:1': Connection refused"),
        ("cannot connect to 127.0.0.1:1: Connection refused (111)\n", False, "cannot connect to 127.0.0.1:1: Connection refused (111)"),
        ("failed to authenticate to 127.0.0.1:1\n", False, "failed to authenticate to 127.0.0.1:1"),
        ("", False, "adb connect said nothing"),
    ],
)
def test_connect_is_told_by_its_text(text: str, connected: bool, message: str) -> None:
    result = parse_connect(text)
    assert (result.connected, result.message) == (connected, message)


@pytest.mark.parametrize("text", ["shell_v2\ncmd\nstat_v2\n", "shell_v2\r\ncmd\r\nstat_v2\r\n", "shell_v2,cmd,stat_v2"])
def test_features(text: str) -> None:
    assert parse_features(text) == {"shell_v2", "cmd", "stat_v2"}


def test_properties() -> None:
    text = "[ro.product.model]: [Pixel 6]\r\n[ro.empty]: []\n[ro.brackets]: [a [b] c]\n[ro.lines]: [one\ntwo]\n[persist.x]: [1]\nnoise\n"
    assert parse_getprop(text) == {
        "ro.product.model": "Pixel 6",
        "ro.empty": "",
        "ro.brackets": "a [b] c",
        "ro.lines": "one\ntwo",
        "persist.x": "1",
    }


@pytest.mark.parametrize(
    ("text", "full", "dead"),
    [
        ("adb: error: failed to copy 'a' to '/data/a': remote write failed: No space left on device", True, False),
        ("error: cannot connect to daemon at tcp:5037: Connection refused", False, True),
        ("* failed to start daemon\n", False, True),
        ("error: protocol fault (couldn't read status): Connection reset by peer", False, True),
        ("adb: error: failed to copy 'a' to '/data/a': remote couldn't create file: Permission denied", False, False),
        ("failed to connect to '127.0.0.1:1': Connection refused", False, False),
        ("error: closed", False, False),
        ("", False, False),
    ],
)
def test_failures_with_a_remedy_of_their_own_are_known(text: str, full: bool, dead: bool) -> None:
    assert (tells_full_device(text), tells_dead_server(text)) == (full, dead)


def test_the_line_that_tells_the_failure() -> None:
    assert (
        failure_remark("* daemon started successfully\nadb: error: failed to stat x: No such file\r\n\n")
        == "failed to stat x: No such file"
    )
    assert failure_remark("adb: error: failed to copy 'a'\na: 0 files pushed, 0 skipped.\n") == "failed to copy 'a'"
    assert failure_remark("error: closed\n") == "closed"
    assert failure_remark("adb: device offline\n") == "device offline"
    assert failure_remark("") == ""
