"""Brings pinned files from one https address to this machine: bounded, checked against their sha256, in place only when they are right.

Archives are transport only: the wanted members are read out of them and written under our own names, so nothing in an archive chooses a
path.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from edgeocr.errors import ModelError
from edgeocr.zoo.registry import FileEntry, is_archive
from edgeocr.zoo.verify import sha256_of

TIMEOUT_S = 30.0
MAX_ARCHIVE_BYTES = 64 << 20
MAX_UNPACKED_BYTES = 256 << 20
MAX_MEMBERS = 1000
BLOCK = 1 << 16


class Advancing(Protocol):
    def advance(self, steps: float = 1) -> None: ...


Progress = Callable[[str, float | None], AbstractContextManager[Advancing]]  # description; bytes to come, if known
Opener = Callable[[str], AbstractContextManager[IO[bytes]]]  # https address → its content


class _NoProgress:
    def advance(self, steps: float = 1) -> None:
        pass


@contextmanager
def no_progress(description: str, total: float | None) -> Iterator[Advancing]:
    yield _NoProgress()


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if not newurl.startswith("https://"):
            raise urllib.error.URLError(f"redirected to {newurl}, expected https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_https(url: str) -> AbstractContextManager[IO[bytes]]:
    """Opens an https address; redirects to anything else are refused."""
    if not url.startswith("https://"):
        raise urllib.error.URLError(f"address is {url}, expected https")
    response: AbstractContextManager[IO[bytes]] = urllib.request.build_opener(_HttpsOnly).open(url, timeout=TIMEOUT_S)
    return response


def download(url: str, wanted: dict[Path, FileEntry], opener: Opener = open_https, progress: Progress = no_progress) -> None:
    """Writes the pinned files of one address, each to its destination: the file itself, or members of the archive there.

    Raises `ModelError` if one cannot be had or is not what was pinned; what is not right leaves nothing behind.
    """
    try:
        for destination in wanted:
            destination.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(next(iter(wanted))) as arrived:
            if is_archive(url):
                _fetch(url, arrived, MAX_ARCHIVE_BYTES, opener, progress, total=None)
                with _temporary(arrived) as plain:
                    _decompress(arrived, plain, url)
                    for destination, entry in wanted.items():
                        _take_member(plain, destination, entry, url)
            else:
                for destination, entry in wanted.items():
                    _fetch(url, arrived, entry.bytes or 0, opener, progress, total=entry.bytes)
                    _put(arrived, destination, entry, url)
    except urllib.error.URLError as error:
        raise ModelError(f"{url}: cannot be downloaded: {error.reason}") from error
    except HTTPException as error:
        raise ModelError(f"{url}: cannot be downloaded: {type(error).__name__} {error}") from error
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise ModelError(f"{url}: cannot be downloaded: {place}{error.strerror or error}") from error


@contextmanager
def _temporary(destination: Path) -> Iterator[Path]:
    """A name beside the destination, so that renaming is atomic; the file is gone afterwards unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{destination.name}.", suffix=".part", dir=destination.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _fetch(url: str, target: Path, most: int, opener: Opener, progress: Progress, total: int | None) -> None:
    name = PurePosixPath(url).name
    received = 0
    with opener(url) as source, target.open("wb") as file, progress(f"Downloading {name}", total) as bar:
        while block := source.read(BLOCK):
            received += len(block)
            if received > most:
                raise ModelError(f"{url}: has more than {most} bytes, expected at most that")
            file.write(block)
            bar.advance(len(block))


def _put(arrived: Path, destination: Path, entry: FileEntry, url: str) -> None:
    """Renames the file to its destination, if it is the pinned one."""
    digest, size = sha256_of(arrived), arrived.stat().st_size
    if digest != entry.sha256:
        raise ModelError(
            f"{url}: {entry.file_name} has {size} bytes and sha256 {digest}, expected {entry.bytes} and {entry.sha256}",
            "the file at that address is not the pinned one: it is not used",
        )
    os.replace(arrived, destination)


def _decompress(archive: Path, plain: Path, url: str) -> None:
    """A .tar as it is, a .tar.gz unpacked with a cap: tarfile would read headers of any size that a compressed stream claims."""
    with archive.open("rb") as source, plain.open("wb") as target:
        gzipped = source.read(2) == b"\x1f\x8b"
        source.seek(0)
        inflater = zlib.decompressobj(wbits=31) if gzipped else None
        written = 0
        while block := source.read(BLOCK):
            try:
                content = block if inflater is None else inflater.decompress(block, MAX_UNPACKED_BYTES + 1 - written)
            except zlib.error as error:
                raise ModelError(f"{url}: the archive is damaged: {error}") from None
            written += len(content)
            if written > MAX_UNPACKED_BYTES:
                raise ModelError(f"{url}: the archive unpacks to more than {MAX_UNPACKED_BYTES} bytes, expected at most that")
            target.write(content)


def _take_member(archive: Path, destination: Path, entry: FileEntry, url: str) -> None:
    try:
        with _temporary(destination) as part, tarfile.open(archive, "r:") as tar:
            member = _find_member(tar, entry, url)
            source = tar.extractfile(member)
            if source is None:
                raise ModelError(f"{url}: {member.name} is no regular file, expected one")
            part.write_bytes(source.read(member.size))
            _put(part, destination, entry, url)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ModelError(f"{url}: is no sound tar archive: {error}") from None


def _find_member(tar: tarfile.TarFile, entry: FileEntry, url: str) -> tarfile.TarInfo:
    """The one regular file whose last path parts are the wanted name; anything else of that name is refused."""
    wanted = PurePosixPath(entry.member or "").parts
    found: list[tarfile.TarInfo] = []
    for index, member in enumerate(tar):
        if index >= MAX_MEMBERS:
            raise ModelError(f"{url}: the archive has more than {MAX_MEMBERS} members, expected at most that")
        if PurePosixPath(member.name).parts[-len(wanted) :] == wanted:
            found.append(member)
    if len(found) != 1:
        raise ModelError(f"{url}: the archive has {len(found)} members named {entry.member}, expected 1")
    member = found[0]
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ModelError(f"{url}: the archive's member is {member.name}, expected a relative path without ..")
    if not member.isreg():
        raise ModelError(f"{url}: {member.name} is a link or special file, expected a regular file")
    if member.size != entry.bytes:
        raise ModelError(f"{url}: {member.name} has {member.size} bytes, expected {entry.bytes}")
    return member
