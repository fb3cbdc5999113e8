"""How a command of adb's shell becomes a process of the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# Every process of the emulated phone carries this variable, with the state folder as its value: `stop` finds them by it.
MARKER = "EDGEOCR_EMULATOR"


class OutputFilter(Protocol):
    """Rewrites what a process prints, piece by piece."""

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> bytes:
        """What was held back."""


@dataclass(frozen=True)
class Launch:
    """A process to start. Without a command the shell is interactive."""

    argv: list[str]
    environment: Mapping[str, str]
    folder: str


class Launcher(Protocol):
    """One of the two ways to run the phone's programs: `edgeocr.emulator.namespace` and `edgeocr.emulator.prefix`."""

    def launch(self, command: str) -> Launch:
        """The process that runs the shell text ``command``; an interactive shell where it is empty."""

    def output_filter(self) -> OutputFilter | None:
        """What its output must pass through; a new one for each stream of each process."""


def phone_environment(state: Path, cpu: str, prefix: str) -> dict[str, str]:
    """What adbd's shell has in its environment, and what qemu must be told.

    ``prefix`` goes before the phone's folders: "" where they are in their place.
    """
    return {
        "PATH": f"{prefix}/system/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": f"{prefix}/data/local/tmp",
        "TMPDIR": f"{prefix}/data/local/tmp",
        "ANDROID_ROOT": f"{prefix}/system",
        "ANDROID_DATA": f"{prefix}/data",
        "LANG": "C.UTF-8",
        "QEMU_CPU": cpu,
        MARKER: str(state),
    }
