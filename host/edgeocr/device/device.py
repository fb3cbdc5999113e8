"""What every device can do, be it a phone behind adb, the emulated one, or this machine.

Commands are argument vectors: nothing here, and nothing above, builds shell text from what a user typed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

Kind = Literal["phone", "emulated", "host"]


class ShellResult(NamedTuple):
    """What a program left behind: its exit code (128 + n where signal n ended it) and its two streams, as bytes."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Device(Protocol):
    """A place where the runner runs.

    Every method raises DeviceError where the device is lost, offline or refuses; a program that fails is no error of the device:
    its exit code is in the result.
    """

    @property
    def serial(self) -> str:
        """adb's serial; "host" for this machine."""

    @property
    def kind(self) -> Kind:
        """Whose speed a timing made here says something of."""

    def shell(self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float | None = None) -> ShellResult:
        """Run one program to its end. ``timeout`` in seconds: DeviceError beyond it."""

    def popen(self, argv: Sequence[str], *, stdin: bool = False) -> subprocess.Popen[bytes]:
        """Start one program with its stdout and stderr on pipes (stdin too, if asked for; else it reads nothing).

        Its end, with whatever exit code, may be the device's: `check_reachable` tells.
        """

    def check_reachable(self) -> None:
        """Raise DeviceError if the device is not there any more: tells a lost device from a program that ended."""

    def push(self, local: Path, remote: str) -> None:
        """Copy one file to the device, in place and unchecked: `edgeocr.device.push` builds the safe way on it."""

    def pull(self, remote: str, local: Path) -> None:
        """Copy one file from the device, over ``local``."""

    def properties(self) -> Mapping[str, str]:
        """Android's system properties (``ro.product.model`` …); for this machine, those of the same meaning."""
