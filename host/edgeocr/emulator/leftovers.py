"""Processes that the emulated phone started, found by the variable that all of them carry."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from edgeocr.emulator.launcher import MARKER


def processes_of(state: Path) -> list[int]:
    """Process ids of the phone whose state lies in ``state``. (A program that was started with an empty environment is not seen.)"""
    wanted = f"{MARKER}={state}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def kill_processes_of(state: Path) -> int:
    """Kill them all; gives how many there were. Repeated, since one may start another meanwhile."""
    killed = 0
    while pids := [pid for pid in processes_of(state) if pid != os.getpid() and not _is_zombie(pid)]:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    return killed


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
