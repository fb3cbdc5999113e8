"""`edgeocr emulator` and `edgeocr devices` from arguments to output and exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from emulated_phone import private_adb

from edgeocr.cli import run
from edgeocr.device.adb import Adb

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def adb(tmp_path: Path) -> Iterator[Adb]:
    with private_adb(tmp_path / "home") as private:
        yield private


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """Runs the command line; gives exit code, stdout and stderr."""

    def called(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return called


def test_start_status_and_stop_in_words(call: Call) -> None:
    assert call("emulator", "status") == (0, "the emulated phone does not run: `edgeocr emulator start`\n", "")
    code, out, _ = call("emulator", "start", "--mode", "prefix", "--storage", "1M")
    assert code == 0
    assert out.startswith("the emulated phone started: 127.0.0.1:")
    assert "emulated, qemu" in out and "by rewritten commands" in out and "/data holds 1,048,576 B" in out
    assert call("emulator", "status")[1] == out.replace("started", "runs")
    assert call("emulator", "start")[1] == out.replace("started", "runs already")
    assert call("emulator", "stop") == (0, "the emulated phone is stopped\n", "")
    assert call("emulator", "stop") == (0, "the emulated phone does not run\n", "")


def test_start_status_and_stop_in_json(call: Call, adb: Adb) -> None:
    assert json.loads(call("emulator", "status", "--json")[1]) == {"running": False}
    started = json.loads(call("emulator", "start", "--mode", "prefix", "--json")[1])
    assert (started["running"], started["kind"], started["mode"], started["storage_bytes"]) == (True, "emulated", "prefix", None)
    assert [entry.serial for entry in adb.devices()] == [started["serial"]]
    assert json.loads(call("emulator", "status", "--json")[1]) == started
    assert json.loads(call("emulator", "stop", "--json")[1]) == {"running": False, "stopped": True}


def test_options_that_come_too_late_are_noted(call: Call) -> None:
    call("emulator", "start", "--mode", "prefix")
    assert "have no effect" in call("emulator", "start", "--storage", "64M")[2]
    assert "have no effect" in call("emulator", "start", "--mode", "namespace")[2]
    assert call("emulator", "start", "--mode", "prefix")[2] == ""


@pytest.mark.parametrize("size", ["", "M", "-1", "1.5M", "12X", "many"])
def test_a_size_that_is_none_is_a_usage_error(call: Call, size: str) -> None:
    code, _, err = call("emulator", "start", "--storage", size)
    assert code == 2 and "expected a number of bytes, perhaps with K, M or G" in err


def test_devices_lists_the_emulated_phone_and_this_machine(call: Call) -> None:
    call("emulator", "start", "--mode", "prefix")
    code, out, _ = call("devices", "--json")
    assert code == 0
    assert [(entry["kind"], entry["state"]) for entry in json.loads(out)] == [("emulated", "ready"), ("host", "ready")]
    words = call("devices")[1]
    assert "edgeocr emulated Cortex-A76" in words and "host" in words


def test_devices_without_adb_lists_this_machine(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("ADB", "/nowhere/adb")
        code, out, err = call("devices", "--json")
    assert code == 0 and [entry["serial"] for entry in json.loads(out)] == ["host"]
    assert err.startswith("note: no phones: $ADB is /nowhere/adb, which is no program")


def test_without_qemu_it_is_one_clear_line(call: Call, adb: Adb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("ADB", adb.binary)
        patch.setenv("PATH", str(tmp_path))
        code, out, err = call("emulator", "start")
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == "error: qemu-aarch64 is missing: there is no emulated phone without it"
