"""The emulated phone and the adb server, brought together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from edgeocr.device.adb import Adb
from edgeocr.device.adb_device import AdbDevice
from edgeocr.device.adb_output import READY
from edgeocr.emulator import lifecycle
from edgeocr.emulator.state import EmulatorState, Mode
from edgeocr.errors import DeviceError, EdgeocrError, SetupError

CONNECT_TIMEOUT = 5.0  # seconds, from when the adb server answers


def start_emulated(mode: Mode | None = None, storage_bytes: int | None = None) -> tuple[EmulatorState, bool]:
    """Start the phone if it does not run, and let the adb server list it; False: it ran already."""
    adb = Adb()
    _forget_crashed(adb)
    state, started = lifecycle.start(mode, storage_bytes)
    try:
        connect(adb, state)
    except EdgeocrError:
        if started:
            lifecycle.stop()
        raise
    return state, started


def stop_emulated() -> EmulatorState | None:
    """Stop the phone and make the adb server forget it; gives what it was, or None if none ran."""
    known = lifecycle.status() or lifecycle.last_state()
    stopped = lifecycle.stop()
    if known is not None:
        _disconnect_if_possible(known)
    return stopped


@contextmanager
def emulated_device(adb: Adb) -> Iterator[AdbDevice]:
    """The running phone, or one started for as long as the context lasts."""
    _forget_crashed(adb)
    with ExitStack() as last, lifecycle.borrowed() as state:
        last.callback(_disconnect_if_stopped, adb, state)
        connect(adb, state)
        device = AdbDevice(adb, state.serial)
        device.open()
        yield device


def connect(adb: Adb, state: EmulatorState) -> None:
    """Let the adb server list the phone; nothing if it does already. DeviceError if it will not."""
    found = adb.state(state.serial)  # starts the server if need be, which alone takes seconds
    deadline = time.monotonic() + CONNECT_TIMEOUT
    remark = ""
    while found != READY:
        if time.monotonic() > deadline:
            raise DeviceError(f"adb does not connect to the emulated phone: {remark}", "run `adb kill-server`, then try again")
        if found == "offline":  # an entry of an earlier phone on the same port
            adb.disconnect(state.serial)
        if found != "connecting":
            remark = adb.connect(state.serial).message
        time.sleep(0.02)
        found = adb.state(state.serial)


def _forget_crashed(adb: Adb) -> None:
    crashed = lifecycle.last_state()
    if crashed is not None:
        adb.disconnect(crashed.serial)


def _disconnect_if_stopped(adb: Adb, state: EmulatorState) -> None:
    if lifecycle.status() is None:
        adb.disconnect(state.serial)


def _disconnect_if_possible(state: EmulatorState) -> None:
    """Without adb there is nobody who knows the phone."""
    try:
        Adb().disconnect(state.serial)
    except (SetupError, DeviceError):
        return
