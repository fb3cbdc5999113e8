"""The phone's program as a file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import pytest

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
SHT_SYMTAB = 2


@dataclass(frozen=True)
class Segment:
    type: int
    flags: int
    offset: int
    address: int
    file_bytes: int
    memory_bytes: int
    align: int


class Elf:
    """The 64-bit little-endian ELF header, program headers and section types."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        assert self.data[:6] == b"\x7fELF\x02\x01"
        self.machine = struct.unpack_from("<H", self.data, 18)[0]
        ph_offset, sh_offset = struct.unpack_from("<QQ", self.data, 32)
        ph_size, ph_count, sh_size, sh_count = struct.unpack_from("<HHHH", self.data, 54)
        self.segments = [self._segment(ph_offset + i * ph_size) for i in range(ph_count)]
        self.section_types = [struct.unpack_from("<I", self.data, sh_offset + i * sh_size + 4)[0] for i in range(sh_count)]

    def _segment(self, at: int) -> Segment:
        kind, flags, offset, address, _, file_bytes, memory_bytes, align = struct.unpack_from("<IIQQQQQQ", self.data, at)
        return Segment(kind, flags, offset, address, file_bytes, memory_bytes, align)

    def loads(self) -> list[Segment]:
        return [segment for segment in self.segments if segment.type == PT_LOAD]

    def contents(self, segment: Segment) -> bytes:
        return self.data[segment.offset : segment.offset + segment.file_bytes]


@pytest.fixture(scope="module")
def elf(phone_runner: Path) -> Elf:
    return Elf(phone_runner)


def test_is_aarch64_and_static(elf: Elf) -> None:
    assert elf.machine == 183
    assert not {PT_DYNAMIC, PT_INTERP} & {segment.type for segment in elf.segments}


def test_segments_fit_pages_of_16_kb_and_more(elf: Elf) -> None:
    assert elf.loads()
    for segment in elf.loads():
        assert segment.align >= 16384
        assert segment.address % segment.align == segment.offset % segment.align


def test_no_segment_is_writable_and_executable(elf: Elf) -> None:
    assert not [segment for segment in elf.loads() if segment.flags & 3 == 3]


def test_is_stripped_and_at_most_3_mb(elf: Elf) -> None:
    assert SHT_SYMTAB not in elf.section_types
    assert len(elf.data) <= 3 * 1024 * 1024


def test_symbols_beside_belong_to_the_same_program(elf: Elf, phone_runner: Path) -> None:
    debug = Elf(phone_runner.with_name("edgeocr_run.debug"))
    assert SHT_SYMTAB in debug.section_types
    assert debug.segments == elf.segments
    whole = [segment for segment in elf.loads() if segment.offset > 0]  # the first one has the ELF header in it
    assert [debug.contents(segment) for segment in whole] == [elf.contents(segment) for segment in whole]


def test_a_build_id_names_the_program(elf: Elf) -> None:
    """A GNU note of type 3 with the 20 bytes of a SHA-1: debuggers find the symbols by it."""
    notes = [elf.contents(segment) for segment in elf.segments if segment.type == PT_NOTE]
    assert [note[:16] for note in notes] == [struct.pack("<III4s", 4, 20, 3, b"GNU\0")]


def test_no_path_of_this_machine_is_inside(elf: Elf, phone_runner: Path) -> None:
    assert str(phone_runner.parents[2]).encode() not in elf.data
