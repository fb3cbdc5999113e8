"""The emulated phone and the adb server, where one of them fails the other."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from emulated_phone import private_adb

from edgeocr.device import emulated
from edgeocr.device.adb import Adb
from edgeocr.device.adb_output import ConnectResult
from edgeocr.device.emulated import connect, start_emulated, stop_emulated
from edgeocr.emulator import lifecycle
from edgeocr.emulator.state import EmulatorState
from edgeocr.errors import DeviceError, SetupError


@pytest.fixture
def own_adb(tmp_path: Path) -> Iterator[Adb]:
    with private_adb(tmp_path / "home") as adb:
        yield adb


def test_starting_lists_it_and_stopping_takes_it_from_the_list(own_adb: Adb) -> None:
    state, started = start_emulated("prefix")
    assert started
    assert [entry.serial for entry in own_adb.devices()] == [state.serial]
    assert stop_emulated() == state
    assert own_adb.devices() == []


def test_starting_twice_is_once(own_adb: Adb) -> None:
    state, _ = start_emulated("prefix")
    assert start_emulated("prefix") == (state, False)
    assert len(own_adb.devices()) == 1


def test_a_phone_that_was_killed_leaves_the_list_at_the_next_start(own_adb: Adb) -> None:
    first, _ = start_emulated("prefix")
    os.kill(first.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while lifecycle.status() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    second, started = start_emulated("prefix")
    assert started
    assert [entry.serial for entry in own_adb.devices()] == [second.serial]


def test_stopping_works_without_adb(own_adb: Adb, monkeypatch: pytest.MonkeyPatch) -> None:
    state, _ = start_emulated("prefix")
    with monkeypatch.context() as patch:
        patch.setenv("ADB", "/nowhere")
        assert stop_emulated() == state
        with pytest.raises(SetupError):
            start_emulated("prefix")
    assert lifecycle.status() is None


class StartingServer(Adb):
    """A server that takes a minute of ``clock`` to start, at the first question, and connects to everything."""

    def __init__(self, clock: list[float]) -> None:
        self._clock = clock
        self._listed = ""

    def state(self, serial: str) -> str:
        if not self._clock:
            self._clock.append(60.0)
        return "device" if self._listed == serial else "missing"

    def connect(self, address: str) -> ConnectResult:
        self._listed = address
        return ConnectResult(True, f"connected to {address}")


def test_a_server_may_take_its_time_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    clock: list[float] = []
    monkeypatch.setattr(emulated, "time", SimpleNamespace(monotonic=lambda: sum(clock), sleep=lambda seconds: None))
    server = StartingServer(clock)
    state = EmulatorState(1, 40000, "prefix", "", "cortex-a76", "qemu-aarch64", None, "/", on_demand=False)
    connect(server, state)
    assert server.state(state.serial) == "device"


def test_a_server_that_will_not_connect_is_told_and_the_phone_is_not_left_running(
    own_adb: Adb, fake_adb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_adb.write_text("#!/bin/sh\ncase $1 in devices) echo 'List of devices attached' ;; *) echo \"failed to connect to '$2'\" ;; esac\n")
    monkeypatch.setattr(emulated, "CONNECT_TIMEOUT", 0.1)
    with pytest.raises(DeviceError, match="adb does not connect to the emulated phone: failed to connect to '127"):
        start_emulated("prefix")
    assert lifecycle.status() is None
