"""Downloads: only https, only what is pinned, bounded, and nothing half-written; archives give their one wanted member and nothing else."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from email.message import Message
from pathlib import Path
from typing import IO

import pytest

from edgeocr.errors import ModelError
from edgeocr.zoo import download as module
from edgeocr.zoo.download import Opener, download, open_https
from edgeocr.zoo.registry import FileEntry

URL = "https://example.org/models/det.nb"
TAR = "https://example.org/models/all.tar.gz"
CONTENT = b"the pinned bytes" * 5000


def pinned(content: bytes = CONTENT, url: str = URL, member: str | None = None) -> FileEntry:
    return FileEntry(None, url, member, hashlib.sha256(content).hexdigest(), len(content))


def serving(content: bytes) -> Opener:
    def opener(url: str) -> AbstractContextManager[IO[bytes]]:
        return io.BytesIO(content)

    return opener


def archive(members: list[tuple[tarfile.TarInfo, bytes]], *, compress: bool = True) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue()) if compress else plain.getvalue()


def named(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_right_file_arrives_whole(tmp_path: Path) -> None:
    target = tmp_path / "sub" / "det.nb"
    download(URL, {target: pinned()}, serving(CONTENT))
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["det.nb"]


@pytest.mark.parametrize("served", [CONTENT[:-1], CONTENT + b"x", bytes(len(CONTENT)), b""])
def test_wrong_content_is_refused_and_nothing_stays(tmp_path: Path, served: bytes) -> None:
    with pytest.raises(ModelError, match=r"https://example.org/models/det.nb: .*expected"):
        download(URL, {tmp_path / "det.nb": pinned()}, serving(served))
    assert list(tmp_path.iterdir()) == []


def test_endless_answer_is_cut_off_at_the_pinned_size(tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            Endless.given += size
            return bytes(size)

    with pytest.raises(ModelError, match="has more than 80000 bytes"):
        download(URL, {tmp_path / "det.nb": pinned()}, lambda url: Endless())  # type: ignore[arg-type,return-value]
    assert Endless.given <= len(CONTENT) + 2 * module.BLOCK
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_clear_line(tmp_path: Path) -> None:
    def offline(url: str) -> AbstractContextManager[IO[bytes]]:
        raise urllib.error.URLError("Temporary failure in name resolution")

    with pytest.raises(ModelError, match=r"det.nb: cannot be downloaded: Temporary failure in name resolution"):
        download(URL, {tmp_path / "det.nb": pinned()}, offline)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the cache should be")
    with pytest.raises(ModelError, match=r"det.nb: cannot be downloaded: .*/cache/.*: Not a directory"):
        download(URL, {tmp_path / "cache" / "a" / "det.nb": pinned()}, serving(CONTENT))


def test_connection_lost_half_way_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise ConnectionResetError(104, "Connection reset by peer")
            return super().read(size)

    with pytest.raises(ModelError, match="cannot be downloaded: Connection reset by peer"):
        download(URL, {tmp_path / "det.nb": pinned()}, lambda url: Broken(CONTENT))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://example.org/det.nb", "file:///etc/passwd", "ftp://example.org/det.nb"])
def test_only_https_is_opened(url: str) -> None:
    with pytest.raises(urllib.error.URLError, match="expected https"):
        open_https(url)


def test_redirect_away_from_https_is_refused() -> None:
    request = urllib.request.Request(URL)
    with pytest.raises(urllib.error.URLError, match=r"redirected to http://example.org/det.nb, expected https"):
        module._HttpsOnly().redirect_request(request, None, 302, "Found", Message(), "http://example.org/det.nb")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("compress", [True, False])
def test_wanted_members_are_taken_from_an_archive_fetched_once(tmp_path: Path, compress: bool) -> None:
    calls = []
    url = TAR if compress else TAR.removesuffix(".gz")
    served = archive([(named("all/rec.nb"), b"rec"), (named("all/det.nb"), CONTENT), (named("../evil"), b"x")], compress=compress)

    def opener(address: str) -> AbstractContextManager[IO[bytes]]:
        calls.append(address)
        return io.BytesIO(served)

    wanted = {tmp_path / "a" / "det.nb": pinned(member="det.nb"), tmp_path / "b" / "rec.nb": pinned(b"rec", member="rec.nb")}
    download(url, wanted, opener)
    assert [path.read_bytes() for path in wanted] == [CONTENT, b"rec"]
    assert calls == [url]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["det.nb", "rec.nb"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([(named("all/rec.nb"), b"rec")], "the archive has 0 members named det.nb, expected 1"),
        ([(named("a/det.nb"), CONTENT), (named("b/det.nb"), CONTENT)], "the archive has 2 members named det.nb, expected 1"),
        ([(named("../det.nb"), CONTENT)], "member is ../det.nb, expected a relative path"),
        ([(named("/tmp/det.nb"), CONTENT)], "member is /tmp/det.nb, expected a relative path"),
        ([(named("det.nb", tarfile.SYMTYPE, "/etc/passwd"), b"")], "det.nb is a link or special file, expected a regular file"),
        ([(named("det.nb", tarfile.LNKTYPE, "other"), b"")], "det.nb is a link or special file"),
        ([(named("det.nb", tarfile.FIFOTYPE), b"")], "det.nb is a link or special file"),
        ([(named("det.nb"), CONTENT + b"x")], "det.nb has 80001 bytes, expected 80000"),
        ([(named("det.nb"), bytes(len(CONTENT)))], "sha256"),
        ([(named(f"m{i}"), b"") for i in range(1001)], "the archive has more than 1000 members"),
    ],
)
def test_unsafe_or_wrong_archives_are_refused(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        download(TAR, {tmp_path / "det.nb": pinned(member="det.nb")}, serving(archive(members)))
    assert message in caught.value.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda tar: b"not a tar", "is no sound tar archive"),
        (lambda tar: tar[: len(tar) // 2], "tar archive|expected 1|cannot be downloaded|sha256"),
        (lambda tar: b"\x1f\x8b" + bytes(100), "the archive is damaged"),
    ],
)
def test_damaged_archives_are_refused(tmp_path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        download(TAR, {tmp_path / "det.nb": pinned(member="det.nb")}, serving(damage(archive([(named("det.nb"), CONTENT)]))))
    assert list(tmp_path.iterdir()) == []


def test_compressed_bomb_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNPACKED_BYTES", 1 << 20)
    bomb = gzip.compress(bytes(8 << 20))
    with pytest.raises(ModelError, match="unpacks to more than 1048576 bytes"):
        download(TAR, {tmp_path / "det.nb": pinned(member="det.nb")}, serving(bomb))
    assert list(tmp_path.iterdir()) == []
