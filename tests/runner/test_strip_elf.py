"""tools/strip_elf.py: what is loaded stays, the rest goes, and nothing is written from a file that is no program."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from edgeocr import paths

SCRIPT = paths.ROOT / "tools" / "strip_elf.py"


def strip(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), str(source), str(target)], capture_output=True, text=True, check=False)


def test_a_stripped_program_still_runs(host_runner: Path, tmp_path: Path) -> None:
    done = strip(host_runner, tmp_path / "run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "run").stat().st_size < host_runner.stat().st_size / 2
    versions = [subprocess.run([str(p), "--version"], capture_output=True, check=True).stdout for p in (host_runner, tmp_path / "run")]
    assert versions[0] == versions[1]


def test_in_place(host_runner: Path, tmp_path: Path) -> None:
    shutil.copy(host_runner, tmp_path / "run")
    assert strip(tmp_path / "run", tmp_path / "run").returncode == 0
    assert os.access(tmp_path / "run", os.X_OK)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def elf(segment_type: int, file_bytes: int, *, length: int = 200) -> bytes:
    """A header, one segment of `file_bytes` from offset 0, zeros up to `length`."""
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 183, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    return (header + struct.pack("<IIQQQQQQ", segment_type, 5, 0, 0, 0, file_bytes, file_bytes, 65536)).ljust(length, b"\0")


def test_bytes_behind_the_last_segment_go(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(elf(1, 150))
    assert strip(tmp_path / "program", tmp_path / "out").returncode == 0
    assert len((tmp_path / "out").read_bytes()) == 150


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a 64-bit little-endian ELF file"),
        (b"#!/bin/sh\n" * 20, "not a 64-bit little-endian ELF file"),
        (elf(1, 150)[:100], "the segment table is outside the file"),
        (elf(2, 150), "no segment is loaded: expected a linked program"),
        (elf(1, 201), "a segment is outside the file"),
    ],
)
def test_no_program(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "program").write_bytes(content)
    done = strip(tmp_path / "program", tmp_path / "out")
    assert (done.returncode, done.stderr) == (1, f"error: strip_elf: {tmp_path}/program: {reason}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["program"]


def test_usage(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: strip_elf.py PROGRAM STRIPPED\n")
