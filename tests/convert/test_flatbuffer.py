"""The FlatBuffer writer: what the reader finds again, where scalars lie, and that equal parts are stored once."""

from __future__ import annotations

import struct

import pytest

from edgeocr.convert.flatbuffer import Bytes, Fields, FlatBuffer, Numbers, Scalar, write


def test_everything_is_found_again() -> None:
    table = FlatBuffer(
        memoryview(
            write(
                {
                    0: "héllo",
                    1: Scalar("B", 7),
                    2: Scalar("q", -5),
                    4: Numbers("d", [0.5, -2.0]),
                    5: ["a", "", "a"],
                    6: {0: Scalar("i", 3)},
                    7: [{0: "x"}, {}],
                    8: Bytes(b"\0\1"),
                    9: Scalar("h", -2),
                }
            )
        ),
        "x",
    ).root()
    assert table.text(0) == "héllo"
    assert (table.scalar(1, "B"), table.scalar(2, "q"), table.scalar(9, "h")) == (7, -5, -2)
    assert not table.has(3) and table.scalar(3, "i", 9) == 9
    assert table.numbers(4, "d") == [0.5, -2.0]
    assert table.texts(5) == ["a", "", "a"]
    inner = table.table(6)
    assert inner is not None and inner.scalar(0, "i") == 3
    assert [item.text(0) for item in table.tables(7)] == ["x", ""]
    assert bytes(table.raw(8)) == b"\0\1"


@pytest.mark.parametrize("length", range(9))
def test_wide_scalars_and_elements_lie_at_multiples_of_eight(length: int) -> None:
    marks = (0x1122334455667788, 0x0102030405060708)
    root: Fields = {0: "x" * length, 1: Scalar("B", 1), 2: Scalar("q", marks[0]), 3: Numbers("q", [marks[1]]), 4: "y" * length * 2}
    content = write(root)
    for mark in marks:
        assert content.index(struct.pack("<q", mark)) % 8 == 0


def test_equal_parts_are_stored_once() -> None:
    item: Fields = {0: "a name that is long", 1: Numbers("f", [1.0] * 50)}
    assert len(write({0: [item] * 101})) - len(write({0: [item]})) == 100 * 4
    assert write({0: [item] * 2}).count(b"a name that is long") == 1


def test_vectors_of_different_numbers_stay_apart() -> None:
    table = FlatBuffer(memoryview(write({0: Numbers("i", [1, 0]), 1: Numbers("q", [1]), 2: Numbers("i", [2, 0])})), "x").root()
    assert (table.numbers(0, "i"), table.numbers(1, "q"), table.numbers(2, "i")) == ([1, 0], [1], [2, 0])
