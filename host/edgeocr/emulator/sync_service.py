"""adb's file service, `sync:`: stat, list, pull and push, in the first and the second version of each request.

    request:  id[4] | length u32 | path[length]         (SEND v1: path is "path,mode"; SND2, RCV2 are followed by mode and flags)
    data:     "DATA" | length u32 | bytes (at most 64 KiB), ended by "DONE" | mtime u32
    answer:   "OKAY" | 0, or "FAIL" | length u32 | message

Source: AOSP packages/modules/adb, file_sync_protocol.h and daemon/file_sync_service.cpp, whose messages are kept: adb shows them.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from edgeocr.emulator.connection import Stream
from edgeocr.emulator.rooted_tree import Place, RootedTree
from edgeocr.emulator.storage import Storage

MAX_PATH = 1024
MAX_DATA = 64 * 1024

_REQUEST = struct.Struct("<4sI")
_STAT_V1 = struct.Struct("<3I")  # mode, size, mtime
_STAT_V2 = struct.Struct("<I2Q4IQ3q")  # error, dev, ino, mode, nlink, uid, gid, size, atime, mtime, ctime
_SEND_V2 = struct.Struct("<4s2I")  # id, mode, flags
_RECV_V2 = struct.Struct("<4sI")  # id, flags
_U32 = 0xFFFFFFFF
_U64 = (1 << 64) - 1


class SyncFailure(Exception):
    """A request that cannot be met; the message goes to adb's user."""


class SyncService:
    """Serves one stream. ``storage`` says what still fits."""

    def __init__(self, stream: Stream, tree: RootedTree, storage: Storage) -> None:
        self._stream = stream
        self._tree = tree
        self._storage = storage

    def run(self) -> None:
        """Until QUIT, an unknown request or the peer's end (EOFError)."""
        while True:
            request, length = _REQUEST.unpack(self._stream.read(_REQUEST.size))
            if request == b"QUIT":
                return
            if length > MAX_PATH:
                self._fail("path too long")
                return
            path = os.fsdecode(self._stream.read(length))
            try:
                if not self._answer(request, path):
                    self._fail(f"unknown command {request!r}")
                    return
            except SyncFailure as failure:
                self._fail(str(failure))

    def _answer(self, request: bytes, path: str) -> bool:
        if request == b"STAT":
            self._stream.write(b"STAT" + self._stat_v1(path))
        elif request in (b"STA2", b"LST2"):
            self._stream.write(request + self._stat_v2(path, follow=request == b"STA2"))
        elif request in (b"LIST", b"LIS2"):
            self._list(path, second_version=request == b"LIS2")
        elif request == b"RECV":
            self._receive(path)
        elif request == b"RCV2":
            _, flags = _RECV_V2.unpack(self._stream.read(_RECV_V2.size))
            self._refuse_flags(flags)
            self._receive(path)
        elif request == b"SEND":
            path, _, mode = path.rpartition(",")
            self._send(path, int(mode) if mode.isdigit() else 0o644, flags=0)
        elif request == b"SND2":
            _, mode_v2, flags = _SEND_V2.unpack(self._stream.read(_SEND_V2.size))
            self._send(path, mode_v2, flags)
        else:
            return False
        return True

    def _fail(self, message: str) -> None:
        data = message.encode(errors="surrogateescape")
        self._stream.write(_REQUEST.pack(b"FAIL", len(data)) + data)

    @staticmethod
    def _refuse_flags(flags: int) -> None:
        if flags:
            raise SyncFailure(f"unknown flags {flags:#x}: compression was not offered")

    # stat, list

    def _stat_v1(self, path: str) -> bytes:
        try:
            found = self._tree.stat(path, follow=False)
        except OSError:
            return bytes(_STAT_V1.size)
        return _STAT_V1.pack(found.st_mode, found.st_size & _U32, int(found.st_mtime) & _U32)

    def _stat_v2(self, path: str, *, follow: bool) -> bytes:
        try:
            found = self._tree.stat(path, follow=follow)
        except OSError as error:
            return _STAT_V2.pack(error.errno or errno.EIO, *[0] * 10)
        owner = (found.st_mode, found.st_nlink, found.st_uid & _U32, found.st_gid & _U32, found.st_size)
        times = (int(found.st_atime), int(found.st_mtime), int(found.st_ctime))
        return _STAT_V2.pack(0, found.st_dev & _U64, found.st_ino & _U64, *owner, *times)

    def _list(self, path: str, *, second_version: bool) -> None:
        try:
            names = [".", "..", *self._tree.names(path)]
        except OSError:
            names = []  # adbd says no more than this of a folder that it cannot read
        for name in names:
            entry = f"{path}/{name}"
            head = b"DNT2" + self._stat_v2(entry, follow=False) if second_version else b"DENT" + self._stat_v1(entry)
            data = os.fsencode(name)
            self._stream.write(head + struct.pack("<I", len(data)) + data)
        self._stream.write(b"DONE" + bytes((_STAT_V2.size if second_version else _STAT_V1.size) + 4))

    # pull

    def _receive(self, path: str) -> None:
        with failing("open failed"):
            source = os.fdopen(self._tree.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)
        with source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise SyncFailure("read failed: not a regular file")
            while True:
                with failing("read failed"):
                    data = source.read(MAX_DATA)
                if not data:
                    break
                self._stream.write(_REQUEST.pack(b"DATA", len(data)) + data)
        self._stream.write(_REQUEST.pack(b"DONE", 0))

    # push

    def _send(self, path: str, mode: int, flags: int) -> None:
        upload = _Upload(self._stream)
        try:
            self._refuse_flags(flags)
            if stat.S_ISLNK(mode):
                self._make_link(path, upload)
            else:
                self._make_file(path, mode, upload)
        except SyncFailure:
            upload.drain()  # adb reads our answer only after it has sent everything
            raise
        self._stream.write(_REQUEST.pack(b"OKAY", 0))

    def _make_file(self, path: str, mode: int, upload: _Upload) -> None:
        with failing("couldn't create file"), self._tree.new_place(path, follow=False) as place:
            _remove_old(place)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            target = os.open(place.name, flags, 0o600, dir_fd=place.directory)
            complete = False
            try:
                self._fill(target, upload)
                # The owner's bits count for everybody, as adbd has it: who owns a file on the host says nothing on the phone.
                owner = mode & 0o700
                os.fchmod(target, owner | owner >> 3 | owner >> 6)
                os.utime(target, (upload.modified, upload.modified))
                complete = True
            finally:
                os.close(target)
                if not complete:
                    os.unlink(place.name, dir_fd=place.directory)

    def _fill(self, target: int, upload: _Upload) -> None:
        with self._storage.writing():
            while data := upload.next():
                with failing("write failed"):
                    self._storage.take(len(data))
                    view = memoryview(data)
                    while view:
                        view = view[os.write(target, view) :]

    def _make_link(self, path: str, upload: _Upload) -> None:
        target = b""
        while data := upload.next():
            target += data
            if len(target) > MAX_PATH:
                raise SyncFailure("couldn't create symlink: path too long")
        with failing("couldn't create symlink"), self._tree.new_place(path, follow=False) as place:
            _remove_old(place)
            os.symlink(target.rstrip(b"\0"), place.name, dir_fd=place.directory)


class _Upload:
    """The pieces of one file on their way to us."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._ended = False
        self.modified = 0  # known at the end

    def next(self) -> bytes:
        """The next piece; b"" at the end."""
        while not self._ended:
            tag, number = _REQUEST.unpack(self._stream.read(_REQUEST.size))
            if tag == b"DONE":
                self._ended, self.modified = True, number
            elif tag != b"DATA" or number > MAX_DATA:
                raise EOFError  # out of step: there is no way to find the next request
            elif number:
                return self._stream.read(number)
        return b""

    def drain(self) -> None:
        while self.next():
            pass


def _remove_old(place: Place) -> None:
    """Make way for a new file, as adbd does: it never writes into the old one."""
    try:
        mode = os.stat(place.name, dir_fd=place.directory, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    os.unlink(place.name, dir_fd=place.directory)


@contextmanager
def failing(what: str) -> Iterator[None]:
    """Turn an OSError into the message that adbd would send."""
    try:
        yield
    except OSError as error:
        raise SyncFailure(f"{what}: {error.strerror}") from None
