"""Starting, finding and stopping the emulated phone's daemon. adb is not needed for it: `edgeocr.device.emulated` connects the two."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from edgeocr import paths
from edgeocr.emulator.leftovers import kill_processes_of
from edgeocr.emulator.state import (
    EmulatorState,
    Mode,
    StatePaths,
    default_paths,
    is_locked,
    is_shared,
    locked,
    read_state,
    shared,
    write_state,
)
from edgeocr.errors import SetupError, UsageError

MODE_VARIABLE = "EDGEOCR_EMULATOR_MODE"
MODES: tuple[Mode, ...] = ("namespace", "prefix")
STOP_TIMEOUT = 5.0  # seconds between the polite and the other signal


def status(where: StatePaths | None = None) -> EmulatorState | None:
    """The running phone, or None."""
    where = where or default_paths()
    return read_state(where) if is_locked(where.daemon_lock) else None


def last_state(where: StatePaths | None = None) -> EmulatorState | None:
    """What a phone that ended without `stop` has left behind, or None."""
    where = where or default_paths()
    return None if is_locked(where.daemon_lock) else read_state(where)


def start(mode: Mode | None = None, storage_bytes: int | None = None, where: StatePaths | None = None) -> tuple[EmulatorState, bool]:
    """Start it and wait until it listens; gives its state, and False if it ran already (then the arguments have no effect).

    It runs until `stop`, even where it was started on demand. ``mode``: None takes $EDGEOCR_EMULATOR_MODE, or else the namespaced way
    where the machine allows it.
    """
    where = _with_folder(where)
    with locked(where.start_lock):
        running = status(where)
        if running is None:
            return _spawn(where, mode, storage_bytes, on_demand=False), True
        if running.on_demand:
            running = replace(running, on_demand=False)
            write_state(where, running)
        return running, False


@contextmanager
def borrowed(where: StatePaths | None = None) -> Iterator[EmulatorState]:
    """The running phone, or one that is started now and stopped when the last of its borrowers has left."""
    where = _with_folder(where)
    with ExitStack() as use:
        with locked(where.start_lock):
            state = status(where) or _spawn(where, None, None, on_demand=True)
            use.enter_context(shared(where.users_lock))
        try:
            yield state
        finally:
            with locked(where.start_lock):
                use.close()
                running = status(where)
                if running is not None and running.on_demand and not is_shared(where.users_lock):
                    _stop_running(where, running)


def stop(where: StatePaths | None = None) -> EmulatorState | None:
    """Stop it and everything that runs on it; gives what it was, or None if none ran."""
    where = where or default_paths()
    if not where.folder.is_dir():
        return None
    with locked(where.start_lock):
        running = status(where)
        if running is not None:
            _stop_running(where, running)
        else:
            _clear_leftovers(where)
        return running


def _with_folder(where: StatePaths | None) -> StatePaths:
    where = where or default_paths()
    try:
        where.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"the emulated phone's folder {where.folder} cannot be made: {error.strerror}", "let XDG_STATE_HOME name another"
        ) from None
    return where


def _stop_running(where: StatePaths, running: EmulatorState) -> None:
    _terminate(where, running.pid)
    _clear_leftovers(where)


def _mode_from_environment() -> Mode | None:
    text = os.environ.get(MODE_VARIABLE, "auto")
    if text == "auto":
        return None
    for mode in MODES:
        if text == mode:
            return mode
    raise UsageError(f"${MODE_VARIABLE} is {text}, expected auto, namespace or prefix")


def _spawn(where: StatePaths, mode: Mode | None, storage_bytes: int | None, *, on_demand: bool) -> EmulatorState:
    mode = mode or _mode_from_environment()
    _clear_leftovers(where)
    command = [sys.executable, "-m", "edgeocr.emulator.daemon", "--state", str(where.folder)]
    if mode is not None:
        command += ["--mode", mode]
    if storage_bytes is not None:
        command += ["--storage", str(storage_bytes)]
    if on_demand:
        command.append("--on-demand")
    package = str(paths.ROOT / "host")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))}
    with where.log.open("wb") as log:
        daemon = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd="/", env=environment, start_new_session=True
        )
    assert daemon.stdout is not None
    try:
        with daemon.stdout:
            answer = _parse_answer(daemon.stdout.readline())
    except BaseException:  # interrupted: nobody would know of it
        daemon.kill()
        daemon.wait()
        raise
    if "pid" not in answer:
        daemon.kill()
        daemon.wait()
        message, hint = answer.get("error", "the emulated phone's daemon did not start"), answer.get("hint", f"its log is {where.log}")
        raise SetupError(message, hint)
    daemon.returncode = 0  # it outlives us: no warning that it was not waited for
    return EmulatorState(**answer)


def _parse_answer(line: bytes) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        answer = json.loads(line)
        if isinstance(answer, dict):
            return answer
    return {}


def _terminate(where: StatePaths, pid: int) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        deadline = time.monotonic() + STOP_TIMEOUT
        while time.monotonic() < deadline:
            if not is_locked(where.daemon_lock):
                with contextlib.suppress(ChildProcessError):  # only if it was this process that started it
                    os.waitpid(pid, 0)
                return
            time.sleep(0.02)


def _clear_leftovers(where: StatePaths) -> None:
    """What a daemon that was killed leaves behind."""
    kill_processes_of(where.folder)
    where.description.unlink(missing_ok=True)
