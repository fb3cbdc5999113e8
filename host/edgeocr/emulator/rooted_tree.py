"""A file tree whose paths cannot leave it, whatever links lie inside.

Paths are resolved component by component on directory descriptors, never by the kernel in one go: `..` stops at the root, an absolute link
starts again at the root, and no step follows a link that was put there after it was looked at (O_NOFOLLOW).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

MAX_LINKS = 40  # as the kernel's own limit


class Place(NamedTuple):
    """A resolved path: ``name`` in the open directory ``directory``; ``parts`` is the path from the root without links."""

    directory: int
    name: str
    parts: tuple[str, ...]


class RootedTree:
    """The tree under ``root``, of which only the folder ``writable`` may be changed. Methods raise OSError as the calls of `os` do."""

    def __init__(self, root: Path, writable: str) -> None:
        self.root = root
        self.writable = writable

    @contextmanager
    def place(self, path: str, *, follow: bool = True) -> Iterator[Place]:
        """Resolve ``path``. The last component need not exist; ``follow``: it is resolved too if it is a link."""
        walk = _Walk(self.root, None)
        try:
            yield walk.resolve(path, follow)
        finally:
            walk.close()

    @contextmanager
    def new_place(self, path: str, *, follow: bool) -> Iterator[Place]:
        """As `place`, for a file about to be made: missing folders are made, and a path outside ``writable`` is EROFS."""
        walk = _Walk(self.root, self.writable)
        try:
            place = walk.resolve(path, follow)
            if place.parts[:1] != (self.writable,):
                raise _os_error(errno.EROFS)
            yield place
        finally:
            walk.close()

    def open(self, path: str, flags: int) -> int:
        """A descriptor of something that exists."""
        with self.place(path) as place:
            return os.open(place.name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place.directory)

    def stat(self, path: str, *, follow: bool) -> os.stat_result:
        with self.place(path, follow=follow) as place:
            return os.stat(place.name, dir_fd=place.directory, follow_symlinks=False)

    def names(self, path: str) -> list[str]:
        """Sorted names in a directory, without . and .."""
        descriptor = self.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return sorted(os.listdir(descriptor))
        finally:
            os.close(descriptor)

    def used_bytes(self, path: str) -> int:
        """Bytes of all regular files under ``path``."""
        total = 0
        with contextlib.suppress(FileNotFoundError):
            descriptor = self.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                for _, _, files, directory in os.fwalk(".", dir_fd=descriptor):
                    for name in files:
                        with contextlib.suppress(FileNotFoundError):  # it may leave while we look
                            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
                            total += found.st_size if stat.S_ISREG(found.st_mode) else 0
            finally:
                os.close(descriptor)
        return total


class _Walk:
    """One resolution: a stack of open directories from the root down. Missing ones are made under ``make_under``, if that is given."""

    def __init__(self, root: Path, make_under: str | None) -> None:
        self._make_under = make_under
        self._stack: list[tuple[str, int]] = [("", os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))]
        self._links = 0

    def resolve(self, path: str, follow: bool) -> Place:
        if "\0" in path:
            raise _os_error(errno.EINVAL)
        todo = _components(path)
        while todo:
            name = todo.pop(0)
            if name == "..":
                self._up()
                continue
            target = self._link_target(name) if todo or follow else None
            if target is not None:
                todo = _components(target) + todo
                if target.startswith("/"):
                    self._to_root()
            elif todo:
                self._down(name)
            else:
                return Place(self._stack[-1][1], name, (*self._parts(), name))
        return Place(self._stack[-1][1], ".", self._parts())

    def close(self) -> None:
        for _, descriptor in self._stack:
            os.close(descriptor)
        self._stack = []

    def _parts(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._stack[1:])

    def _link_target(self, name: str) -> str | None:
        try:
            target = os.readlink(name, dir_fd=self._stack[-1][1])
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):  # no link, or nothing at all
                return None
            raise
        self._links += 1
        if self._links > MAX_LINKS:
            raise _os_error(errno.ELOOP)
        return target

    def _down(self, name: str) -> None:
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        parent = self._stack[-1][1]
        try:
            descriptor = os.open(name, flags, dir_fd=parent)
        except FileNotFoundError:
            if self._make_under is None:
                raise
            if self._parts()[:1] != (self._make_under,):
                raise _os_error(errno.EROFS) from None
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o775, dir_fd=parent)
            descriptor = os.open(name, flags, dir_fd=parent)
        self._stack.append((name, descriptor))

    def _up(self) -> None:
        if len(self._stack) > 1:
            os.close(self._stack.pop()[1])

    def _to_root(self) -> None:
        while len(self._stack) > 1:
            self._up()


def _components(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in ("", ".")]


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
