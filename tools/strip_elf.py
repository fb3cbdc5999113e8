"""Strips a linked program: keeps what is loaded, drops symbols, debug information and the section table.

    strip_elf.py PROGRAM STRIPPED

zig has no objcopy for ELF, and a second link with `-s` gives other code (zig then links stripped builds of libc), to which the symbols
kept beside would not belong. Programs run and debuggers attach without a section table; both files carry the same build id.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
PT_LOAD = 1


def stripped(program: bytes) -> bytes:
    """The program's bytes up to the end of its last segment. Raises ValueError if it is not a linked 64-bit little-endian ELF file."""
    if len(program) < HEADER.size or program[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    fields = list(HEADER.unpack_from(program))
    segment_offset, segment_size, segment_count = fields[5], fields[9], fields[10]
    if segment_size != SEGMENT.size or segment_offset + segment_count * segment_size > len(program):
        raise ValueError("the segment table is outside the file")
    segments = [SEGMENT.unpack_from(program, segment_offset + i * segment_size) for i in range(segment_count)]
    if not any(segment[0] == PT_LOAD for segment in segments):
        raise ValueError("no segment is loaded: expected a linked program")
    end = max(segment[2] + segment[5] for segment in segments)
    if end > len(program):
        raise ValueError("a segment is outside the file")
    fields[6] = fields[12] = fields[13] = 0  # where the section table is, how many sections, which one names them
    return HEADER.pack(*fields) + program[HEADER.size : end]


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: strip_elf.py PROGRAM STRIPPED", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    part = target.with_name(target.name + ".part")
    try:
        part.write_bytes(stripped(source.read_bytes()))
        part.chmod(source.stat().st_mode)
        os.replace(part, target)
    except (OSError, ValueError) as error:
        part.unlink(missing_ok=True)
        print(f"error: strip_elf: {source}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
