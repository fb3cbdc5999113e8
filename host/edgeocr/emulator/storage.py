"""How much the emulated phone can hold: a limit to try a full phone with."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from edgeocr.emulator.rooted_tree import RootedTree


class Storage:
    """Counts what lies under the tree's writable folder against ``limit`` bytes (None: no limit of ours).

    Only adb's pushes are refused; a program that the shell runs on the phone writes on.
    """

    def __init__(self, tree: RootedTree, limit: int | None) -> None:
        self._tree = tree
        self._limit = limit
        self._lock = threading.Lock()
        self._writers = 0
        self._used = 0  # valid while there are writers

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around writing one file. Usage is measured when the first of several concurrent writers comes, and counted from then on."""
        with self._lock:
            if self._limit is not None and self._writers == 0:
                self._used = self._tree.used_bytes(self._tree.writable)
            self._writers += 1
        try:
            yield
        finally:
            with self._lock:
                self._writers -= 1

    def take(self, count: int) -> None:
        """Claim ``count`` more bytes, or OSError ENOSPC."""
        with self._lock:
            if self._limit is not None and self._used + count > self._limit:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._used += count
