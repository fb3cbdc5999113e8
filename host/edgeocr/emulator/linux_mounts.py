"""unshare(2) and mount(2), which Python lacks before 3.12, or altogether. Failures are OSError with the call in the message."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000

MS_RDONLY = 1 << 0
MS_NOSUID = 1 << 1
MS_NODEV = 1 << 2
MS_NOEXEC = 1 << 3
MS_REMOUNT = 1 << 5
MS_NOATIME = 1 << 10
MS_NODIRATIME = 1 << 11
MS_BIND = 1 << 12
MS_REC = 1 << 14
MS_PRIVATE = 1 << 18
MS_RELATIME = 1 << 21

# Flags that a remount must repeat: a user namespace may not take them away. (As statvfs shows them, as mount takes them.)
_KEPT_FLAGS = (
    (os.ST_NOSUID, MS_NOSUID),
    (os.ST_NODEV, MS_NODEV),
    (os.ST_NOEXEC, MS_NOEXEC),
    (os.ST_NOATIME, MS_NOATIME),
    (os.ST_NODIRATIME, MS_NODIRATIME),
    (os.ST_RELATIME, MS_RELATIME),
)

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    if _libc.unshare(ctypes.c_int(flags)) != 0:
        _fail("unshare")


def mount(source: str, target: Path, kind: str | None, flags: int = 0) -> None:
    """mount(2). ``kind`` is the file system's name; None with MS_BIND, MS_PRIVATE and MS_REMOUNT."""
    name = kind.encode() if kind is not None else None
    if _libc.mount(source.encode(), os.fsencode(target), name, ctypes.c_ulong(flags), None) != 0:
        _fail(f"mount {target}")


def bind(source: Path, target: Path) -> None:
    """Show ``source``, with everything mounted under it, at ``target``."""
    mount(str(source), target, None, MS_BIND | MS_REC)


def bind_read_only(source: Path, target: Path) -> None:
    """As `bind`, but what is shown cannot be changed through ``target``."""
    bind(source, target)
    set_flags = os.statvfs(target).f_flag
    kept = sum(flag for shown, flag in _KEPT_FLAGS if set_flags & shown)
    mount("none", target, None, MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def _fail(call: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"{call}: {os.strerror(number)}")
