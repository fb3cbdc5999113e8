"""Bounded reader of one FlatBuffer, and a writer that stores equal parts once.

Layout, all integers little-endian::

    buffer  u32 offset of the root table
    table   i32 distance back to its vtable, then the fields' bytes
    vtable  u16 bytes of the vtable, u16 bytes of the table, then per field u16 offset in the table, 0 = absent
    field   a scalar, or a u32 offset from here to a string, vector or table
    string  u32 length, the bytes, a NUL
    vector  u32 count, then scalars, or u32 offsets from where each lies to a string or table
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from edgeocr.errors import ModelError

BUDGET_FACTOR = 16


class FlatBuffer:
    """One FlatBuffer, with a budget: all that is read may not exceed `BUDGET_FACTOR` times its size, however often a table is referred to.

    Files of opt share vtables and take 2 times their size, those of `write` share all that is equal and take up to 5.
    """

    def __init__(self, data: memoryview, what: str) -> None:
        self.data = data
        self.what = what
        self._budget = BUDGET_FACTOR * len(data) + 1024

    def fail(self, message: str) -> ModelError:
        return ModelError(f"{self.what}: {message}")

    def take(self, position: int, count: int) -> memoryview:
        if position < 0 or count > len(self.data) - position:
            raise self.fail(f"a field of {count} bytes is at {position}, expected inside the buffer's {len(self.data)} bytes")
        self._budget -= count
        if self._budget < 0:
            raise self.fail(f"the tables refer to more than {BUDGET_FACTOR * len(self.data)} bytes, expected less")
        return self.data[position : position + count]

    def scalar(self, format_: str, position: int) -> Any:
        return struct.unpack("<" + format_, self.take(position, struct.calcsize("<" + format_)))[0]

    def root(self) -> Table:
        return Table(self, self.scalar("I", 0))


class Table:
    """A FlatBuffer table: fields by their number in the schema; absent fields give their default."""

    def __init__(self, buffer: FlatBuffer, position: int) -> None:
        self._buffer = buffer
        self._position = position
        vtable = position - buffer.scalar("i", position)
        size = buffer.scalar("H", vtable)
        if size < 4 or size % 2:
            raise buffer.fail(f"the vtable at {vtable} has {size} bytes, expected an even number of at least 4")
        self._slots = struct.unpack(f"<{size // 2}H", buffer.take(vtable, size))[2:]

    def _at(self, number: int) -> int | None:
        offset = self._slots[number] if number < len(self._slots) else 0
        return self._position + offset if offset else None

    def has(self, number: int) -> bool:
        return self._at(number) is not None

    def scalar(self, number: int, format_: str, default: Any = 0) -> Any:
        at = self._at(number)
        return default if at is None else self._buffer.scalar(format_, at)

    def _target(self, number: int) -> int | None:
        at = self._at(number)
        return None if at is None else at + int(self._buffer.scalar("I", at))

    def table(self, number: int) -> Table | None:
        target = self._target(number)
        return None if target is None else Table(self._buffer, target)

    def raw(self, number: int, element: int = 1) -> memoryview:
        """The bytes of a vector of `element`-byte elements; empty if absent."""
        target = self._target(number)
        if target is None:
            return self._buffer.data[:0]
        return self._buffer.take(target + 4, int(self._buffer.scalar("I", target)) * element)

    def text(self, number: int) -> str:
        target = self._target(number)
        return "" if target is None else self._text_at(target)

    def _text_at(self, target: int) -> str:
        raw = bytes(self._buffer.take(target + 4, self._buffer.scalar("I", target)))
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self._buffer.fail(f"the string at {target} is {raw[:32]!r}, expected UTF-8") from None

    def numbers(self, number: int, format_: str) -> list[Any]:
        size = struct.calcsize("<" + format_)
        raw = self.raw(number, size)
        return list(struct.unpack(f"<{len(raw) // size}{format_}", raw))

    def _targets(self, number: int) -> Iterator[int]:
        target = self._target(number)
        if target is None:
            return
        offsets = self.numbers(number, "I")
        for index, offset in enumerate(offsets):
            yield target + 4 + 4 * index + offset

    def tables(self, number: int) -> Iterator[Table]:
        for target in self._targets(number):
            yield Table(self._buffer, target)

    def texts(self, number: int) -> list[str]:
        return [self._text_at(target) for target in self._targets(number)]


@dataclass(frozen=True)
class Scalar:
    format: str  # of struct
    value: float | int | bool


@dataclass(frozen=True)
class Numbers:
    format: str  # of struct, of one element
    values: Sequence[float | int | bool]


@dataclass(frozen=True)
class Bytes:
    value: bytes | memoryview


# What a field holds; a table maps field numbers to values.
Value = Scalar | Numbers | Bytes | str | Mapping[int, "Value"] | Sequence["Value"]
Fields = dict[int, Value]


def write(root: Mapping[int, Value]) -> bytes:
    """The FlatBuffer of a table: scalars, and the elements of vectors, lie at multiples of their size, as verifiers expect."""
    return _Writer().finish(root)


class _Writer:
    """Fills a buffer from its end, since offsets point forwards: what is referred to is there before what refers to it.

    A place is the distance of a part's first byte from the buffer's end. Equal strings, vectors, tables and vtables have one place.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # the last one first
        self._size = 0  # a multiple of 4
        self._places: dict[object, int] = {}

    def finish(self, root: Mapping[int, Value]) -> bytes:
        table = self._table(root)
        place = -(-(self._size + 4) // 8) * 8
        self._put(struct.pack("<I", place - table), place)
        return b"".join(reversed(self._parts))

    def _put(self, part: bytes, place: int) -> None:
        self._parts.append(part + bytes(place - self._size - len(part)))
        self._size = place

    def _next_place(self, length: int, wide: bool) -> int:
        """Of a part of so many bytes; ``wide``: the fifth byte must lie at a multiple of 8, for elements or fields of that size."""
        place = -(-(self._size + length) // 4) * 4
        return place + 4 if wide and place % 8 == 0 else place

    def _shared(self, part: bytes, wide: bool = False) -> int:
        key = (part, wide)
        if key not in self._places:
            place = self._next_place(len(part), wide)
            self._put(part, place)
            self._places[key] = place
        return self._places[key]

    def _child(self, value: Value) -> int:
        match value:
            case str():
                raw = value.encode()
                return self._shared(struct.pack("<I", len(raw)) + raw + b"\0")
            case Mapping():
                return self._table(value)
            case Sequence():
                return self._offsets([self._child(item) for item in value])
            case Bytes(content):
                return self._shared(struct.pack("<I", len(content)) + content)
            case Numbers(format_, values):
                part = struct.pack("<I", len(values)) + struct.pack(f"<{len(values)}{format_}", *values)
                return self._shared(part, struct.calcsize("<" + format_) == 8)
            case _:
                raise TypeError(f"{value!r} is stored in its table")

    def _offsets(self, targets: list[int]) -> int:
        key = ("vector", *targets)
        if key not in self._places:
            place = self._next_place(4 + 4 * len(targets), wide=False)
            offsets = [place - 4 - 4 * index - target for index, target in enumerate(targets)]
            self._put(struct.pack(f"<{1 + len(targets)}I", len(targets), *offsets), place)
            self._places[key] = place
        return self._places[key]

    def _table(self, fields: Mapping[int, Value]) -> int:
        contents = {number: _scalar(value) if isinstance(value, Scalar) else self._child(value) for number, value in fields.items()}
        key = ("table", *sorted(contents.items(), key=lambda item: item[0]))
        if key not in self._places:
            self._places[key] = self._new_table(contents)
        return self._places[key]

    def _new_table(self, contents: dict[int, bytes | int]) -> int:
        """``contents``: the bytes of scalars, the places of what is referred to. Large fields first, which keeps all aligned."""
        sizes = {number: len(content) if isinstance(content, bytes) else 4 for number, content in contents.items()}
        order = sorted(contents, key=lambda number: (-sizes[number], number))
        length = 4 + sum(sizes.values())
        slots = [0] * (max(contents, default=-1) + 1)
        for number, end in zip(order, accumulate(sizes[number] for number in order), strict=True):
            slots[number] = 4 + end - sizes[number]
        vtable = self._shared(struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), length, *slots))
        place = self._next_place(length, wide=8 in sizes.values())
        part = struct.pack("<i", vtable - place)
        for number in order:
            content = contents[number]
            part += content if isinstance(content, bytes) else struct.pack("<I", place - slots[number] - content)
        self._put(part, place)
        return place


def _scalar(value: Scalar) -> bytes:
    return struct.pack("<" + value.format, value.value)
