"""Running an aarch64 program under QEMU's model of a Cortex-A76 with one of the counting plugins beside this file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent


class MissingToolError(Exception):
    """A program that the estimate needs is not installed; the message says which Debian package has it."""


def qemu() -> str:
    path = shutil.which("qemu-aarch64")
    if path is None:
        raise MissingToolError("qemu-aarch64 is missing (the static build takes no plugins): apt-get install qemu-user")
    return path


def build_plugin(name: str, folder: Path) -> Path:
    """Compiles ``name``.c into ``folder``."""
    plugin = folder / f"lib{name}.so"
    source = HERE / f"{name}.c"
    subprocess.run([sys.executable, "-m", "ziglang", "cc", "-O2", "-shared", "-fPIC", "-o", str(plugin), str(source)], check=True)
    return plugin


def run_counted(plugin: Path, command: Sequence[str], folder: Path) -> list[str]:
    """The lines that the plugin wrote about a run of ``command``."""
    out = folder / "counts.txt"
    out.unlink(missing_ok=True)
    argv = [qemu(), "-cpu", "cortex-a76", "-plugin", f"{plugin},out={out}", *command]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return out.read_text().splitlines()
