"""Where the emulated phone keeps its things, and what it says of itself while it runs.

<state>/daemon.lock   locked by the daemon as long as it lives: this, not a process id, tells whether it runs
<state>/daemon.json   what it is (`EmulatorState`)
<state>/daemon.log
<state>/start.lock    held while starting or stopping
<state>/root/         the phone's file tree
<state>/tree/         mount point of the namespaced way; empty outside the namespace
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from edgeocr import paths

Mode = Literal["namespace", "prefix"]

PROBE_PAUSE = 0.01  # seconds between two tries for a lock that a probe may hold
PROBE_TRIES = 10


@dataclass(frozen=True)
class EmulatorState:
    """A running emulated phone."""

    pid: int
    port: int
    mode: Mode
    mode_reason: str  # why not the namespaced way; "" where it is, or where the user chose
    cpu: str  # qemu's model
    qemu: str
    storage_bytes: int | None  # the limit of --storage
    root: str
    on_demand: bool  # started for who uses it: the last one to leave stops it

    @property
    def serial(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True)
class StatePaths:
    """The files of one emulated phone."""

    folder: Path

    @property
    def daemon_lock(self) -> Path:
        return self.folder / "daemon.lock"

    @property
    def start_lock(self) -> Path:
        return self.folder / "start.lock"

    @property
    def users_lock(self) -> Path:
        return self.folder / "users.lock"

    @property
    def description(self) -> Path:
        return self.folder / "daemon.json"

    @property
    def log(self) -> Path:
        return self.folder / "daemon.log"

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def tree(self) -> Path:
        return self.folder / "tree"


def default_paths() -> StatePaths:
    """$XDG_STATE_HOME/edgeocr/emulator where that is set, else .emulator in the checkout."""
    home = os.environ.get("XDG_STATE_HOME")
    return StatePaths((Path(home) / "edgeocr" / "emulator" if home else paths.ROOT / ".emulator").resolve())


def write_state(where: StatePaths, state: EmulatorState) -> None:
    part = where.description.with_suffix(".json.part")
    part.write_text(json.dumps(asdict(state), indent=2) + "\n")
    os.replace(part, where.description)


def read_state(where: StatePaths) -> EmulatorState | None:
    """What the last daemon said of itself; None where it said nothing that this version understands. It may have ended since."""
    try:
        return EmulatorState(**json.loads(where.description.read_text()))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock; waits for it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def try_lock(path: Path) -> int | None:
    """An exclusive lock for as long as the descriptor given back is open; None where somebody else has it.

    `is_locked` has it too while it asks: only a refusal that lasts counts.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    for _ in range(PROBE_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PROBE_PAUSE)
        else:
            return descriptor
    os.close(descriptor)
    return None


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a shared lock; waits for it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock, and not merely shared: as who asks at the same time does."""
    return _is_refused(path, fcntl.LOCK_SH)


def is_shared(path: Path) -> bool:
    """Whether somebody holds the lock, shared or not. To others the asking is a lock: keep them out meanwhile."""
    return _is_refused(path, fcntl.LOCK_EX)


def _is_refused(path: Path, kind: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False
