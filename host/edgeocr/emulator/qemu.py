"""qemu-aarch64, the phone's processor: where it is, and which model of it we ask for."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import dataclass

from edgeocr.errors import SetupError

# The static one runs without the host's libraries, whatever the phone's tree shows of them.
NAMES = ("qemu-aarch64-static", "qemu-aarch64")
PREFERRED_CPU = "cortex-a76"
FALLBACK_CPU = "max"  # qemu before 7.2 knows no A76

# The 20 bytes by which the kernel knows an aarch64 program: ELF, 64 bit, little endian, version 1, any OS ABI, EXEC or DYN, EM_AARCH64.
ELF_MAGIC = bytes.fromhex("7f454c460201010000000000000000000200b700")
ELF_MASK = bytes.fromhex("ffffffffffffff00fffffffffffffffffeffffff")

PROBE_EXIT_CODE = 42


@dataclass(frozen=True)
class Qemu:
    """A qemu-aarch64 binary and the processor model that it is to be."""

    path: str
    cpu: str


def find_qemu() -> Qemu:
    """SetupError where no qemu-aarch64 is on the PATH or it cannot be run."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise SetupError(
            "qemu-aarch64 is missing: there is no emulated phone without it", "`make setup` installs it (Debian: qemu-user-static)"
        )
    try:
        models = subprocess.run([path, "-cpu", "help"], capture_output=True, text=True, timeout=10, check=False).stdout.split()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{path} cannot be run: {error}", "install Debian's qemu-user-static") from None
    return Qemu(path, PREFERRED_CPU if PREFERRED_CPU in models else FALLBACK_CPU)


def probe_program() -> bytes:
    """The smallest aarch64 Linux program, which exits with PROBE_EXIT_CODE: whether it runs tells whether any does."""
    base, header_size, segment_size = 0x400000, 64, 56
    code = struct.pack(
        "<3I",
        0xD2800000 | PROBE_EXIT_CODE << 5,  # mov x0, #PROBE_EXIT_CODE
        0xD2800000 | 93 << 5 | 8,  # mov x8, #93 (exit)
        0xD4000001,  # svc #0
    )
    entry = base + header_size + segment_size
    size = header_size + segment_size + len(code)
    header = ELF_MAGIC + struct.pack("<I3QI6H", 1, entry, header_size, 0, 0, header_size, segment_size, 1, 0, 0, 0)
    segment = struct.pack("<2I6Q", 1, 5, 0, base, base, size, size, 0x1000)  # PT_LOAD, read and execute
    return header + segment + code
