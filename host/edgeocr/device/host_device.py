"""This machine as a device: the native runner, in place."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgeocr.device.device import Kind, ShellResult
from edgeocr.errors import DeviceError


class HostDevice:
    """`edgeocr.device.device.Device` without any transport; paths on the device are this machine's."""

    serial = "host"
    kind: Kind = "host"

    def shell(self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float | None = None) -> ShellResult:
        try:
            done = subprocess.run(list(argv), input=stdin, capture_output=True, timeout=timeout, check=False)
        except OSError as error:
            return ShellResult(*_not_started(argv[0], error))
        except subprocess.TimeoutExpired:
            raise DeviceError(f"{Path(argv[0]).name} did not end within {timeout:g} s on this machine") from None
        return ShellResult(done.returncode if done.returncode >= 0 else 128 - done.returncode, done.stdout, done.stderr)

    def popen(self, argv: Sequence[str], *, stdin: bool = False) -> subprocess.Popen[bytes]:
        source = subprocess.PIPE if stdin else subprocess.DEVNULL
        try:
            return subprocess.Popen(list(argv), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise DeviceError(f"{argv[0]} cannot be started on this machine: {error.strerror}") from None

    def check_reachable(self) -> None:
        """This machine cannot be lost."""

    def push(self, local: Path, remote: str) -> None:
        _copy(local, Path(remote))

    def pull(self, remote: str, local: Path) -> None:
        _copy(Path(remote), local)

    def properties(self) -> Mapping[str, str]:
        return {
            "ro.product.model": platform.node(),
            "ro.product.cpu.abi": platform.machine(),
            "ro.build.version.release": platform.release(),
        }


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise DeviceError(f"{source} cannot be copied to {target}: {error.strerror}") from None


def _not_started(program: str, error: OSError) -> tuple[int, bytes, bytes]:
    """What a shell answers: 127 for a program that is not there, 126 for one that may not run."""
    code = 127 if isinstance(error, FileNotFoundError) else 126
    return code, b"", f"{program}: {error.strerror}\n".encode()
