"""Which adb is run, and what becomes of its failures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeocr.device import adb as adb_module
from edgeocr.device.adb import Adb, find_adb
from edgeocr.errors import DeviceError, SetupError


def write(script: Path, text: str) -> None:
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ADB", raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_the_variable_comes_first_then_the_path_then_adbutils(empty_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = find_adb()
    assert Path(bundled).parts[-3:] == ("adbutils", "binaries", "adb") and os.access(bundled, os.X_OK)
    write(empty_path / "adb", "")
    assert find_adb() == str(empty_path / "adb")
    write(tmp_path / "other", "")
    monkeypatch.setenv("ADB", str(tmp_path / "other"))
    assert find_adb() == str(tmp_path / "other")


def test_without_any_adb_the_hint_says_what_to_do(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_module, "_bundled_adb", lambda: None)
    with pytest.raises(SetupError, match="adb is missing") as caught:
        find_adb()
    assert "make setup" in (caught.value.hint or "")


def test_a_variable_that_names_no_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADB", "/nowhere/adb")
    with pytest.raises(SetupError, match="ADB is /nowhere/adb, which is no program"):
        find_adb()


def test_a_binary_that_cannot_be_started_is_named(fake_adb: Path) -> None:
    fake_adb.write_bytes(b"\x7fELF broken")
    with pytest.raises(SetupError, match="cannot be started"):
        Adb().devices()


def test_an_adb_that_hangs_is_given_up(fake_adb: Path) -> None:
    write(fake_adb, "exec sleep 60")
    with pytest.raises(DeviceError, match=r"did not answer within 0.1 s"):
        Adb().run(["devices"], timeout=0.1)


@pytest.mark.parametrize("command", ["devices", "connect"])
def test_a_server_that_does_not_start_is_told(fake_adb: Path, command: str) -> None:
    write(fake_adb, "echo 'error: cannot connect to daemon at tcp:5037: Connection refused' >&2; exit 1")
    with pytest.raises(SetupError, match="the adb server does not answer: cannot connect to daemon") as caught:
        if command == "devices":
            Adb().devices()
        else:
            Adb().connect("127.0.0.1:1")
    assert "kill-server" in (caught.value.hint or "")


def test_a_refused_connection_is_told_though_adb_exits_with_0(adb: Adb) -> None:
    assert not adb.connect("127.0.0.1:1").connected


def test_an_unlisted_device_is_missing(adb: Adb) -> None:
    assert adb.state("nothing") == "missing"
