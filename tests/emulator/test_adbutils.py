"""adbutils on the emulated phone: both versions of its shell, and its file transfers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from emulated_phone import Phone

adbutils = pytest.importorskip("adbutils")

TMP = "/data/local/tmp"


@pytest.fixture
def device(phone: Phone) -> Any:
    client = adbutils.AdbClient(host="127.0.0.1", port=int(os.environ["ANDROID_ADB_SERVER_PORT"]))
    return client.device(serial=phone.state.serial)


def test_properties(device: Any) -> None:
    assert device.getprop("ro.product.model") == "edgeocr emulated Cortex-A76"
    assert device.get_state() == "device"


@pytest.mark.parametrize("v2", [False, True])
def test_shell_gives_exit_code_and_output(device: Any, program: str, v2: bool) -> None:
    done = device.shell2(f"{program} one; {program} exit 9", v2=v2)
    assert (done.returncode, done.output) == (9, "one\n")


def test_shell_v2_tells_the_streams_apart(device: Any, program: str) -> None:
    done = device.shell2([program, "streams"], v2=True)
    assert (done.stdout, done.stderr) == ("to stdout\n", "to stderr\n")


def test_shell_v1_mixes_them(device: Any, program: str) -> None:
    assert sorted(device.shell([program, "streams"]).splitlines()) == ["to stderr", "to stdout"]


def test_files(device: Any, tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    local = tmp_path / "文字.bin"
    local.write_bytes(data)
    assert device.sync.push(local, f"{TMP}/文字.bin", check=True) == len(data)
    assert device.sync.stat(f"{TMP}/文字.bin").size == len(data)
    assert device.sync.exists(f"{TMP}/文字.bin") and not device.sync.exists(f"{TMP}/nothing")
    assert "文字.bin" in [entry.path for entry in device.sync.list(TMP)]
    assert device.sync.read_bytes(f"{TMP}/文字.bin") == data
    assert device.sync.pull(f"{TMP}/文字.bin", tmp_path / "back") == len(data)
    with pytest.raises(adbutils.AdbError):
        device.sync.read_bytes(f"{TMP}/nothing")


def test_folders(device: Any, tmp_path: Path) -> None:
    device.sync.push(b"text", f"{TMP}/made/on/the/way/file")
    device.sync.pull_dir(f"{TMP}/made", tmp_path / "back")
    assert (tmp_path / "back/on/the/way/file").read_bytes() == b"text"
