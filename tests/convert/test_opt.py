"""The part of the conversion that needs no Paddle: making opt's file the same every time."""

from __future__ import annotations

import struct

import pytest

from edgeocr.convert.opt import normalise
from edgeocr.errors import ModelError


def nb(version_field: bytes, *, meta_version: int = 2, rest: bytes = b"topology") -> bytes:
    return struct.pack("<H16sQ", meta_version, version_field, len(rest)) + rest


def test_garbage_after_the_version_is_zeroed_and_nothing_else() -> None:
    content, version = normalise(nb(b"v2.13-rc\0\x7f\x12\xffabcd"), source="x.nb")
    assert version == "v2.13-rc"
    assert content == nb(b"v2.13-rc".ljust(16, b"\0"))


@pytest.mark.parametrize("version", [b"", b"d9e63bb", b"fifteen letters"])
def test_any_version_that_ends_is_kept(version: bytes) -> None:
    content = nb((version + b"\0").ljust(16, b"\xee"))
    assert normalise(content, source="x.nb") == (nb(version), version.decode())


def test_normalising_twice_changes_nothing() -> None:
    once, _ = normalise(nb(b"v2.10\0garbage...."[:16]), source="x.nb")
    assert normalise(once, source="x.nb")[0] == once


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.nb: the file has 0 bytes, expected a `.nb`"),
        (nb(b"v2.13-rc\0", rest=b""), "x.nb: the file has 26 bytes, expected a `.nb`"),
        (nb(b"v2.13-rc\0", meta_version=1), "x.nb: meta_version is 1, expected 2"),
        (nb(b"sixteen letters!"), "x.nb: the version field has no NUL in its 16 bytes"),
    ],
)
def test_what_is_no_nb_file_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ModelError) as error:
        normalise(content, source="x.nb")
    assert error.value.message == message
