"""The adb program: where it is, and running it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edgeocr.device.adb_output import AdbEntry, ConnectResult, failure_remark, parse_connect, parse_devices, tells_dead_server
from edgeocr.device.device import ShellResult
from edgeocr.errors import DeviceError, SetupError

ADB_VARIABLE = "ADB"
SHORT_TIMEOUT = 30.0  # seconds, for requests that the adb server itself answers


def find_adb() -> str:
    """Path of adb: $ADB, the PATH's, or the one that adbutils brings. SetupError where none is."""
    override = os.environ.get(ADB_VARIABLE)
    if override:
        path = shutil.which(override)
        if path is None:
            raise SetupError(f"${ADB_VARIABLE} is {override}, which is no program", "unset it, or let it name the adb binary")
        return path
    path = shutil.which("adb") or _bundled_adb()
    if path is None:
        raise SetupError("adb is missing", "`make setup` installs it; or let $ADB name the binary")
    return path


def _bundled_adb() -> str | None:
    """The binary in adbutils' wheel, found without importing the package."""
    spec = importlib.util.find_spec("adbutils")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "binaries" / "adb"
    return str(binary) if os.access(binary, os.X_OK) else None


class Adb:
    """The adb binary, and the server it talks to (ANDROID_ADB_SERVER_PORT is adb's own affair). Starting the server is too."""

    def __init__(self, binary: str | None = None) -> None:
        self.binary = binary or find_adb()

    def run(self, arguments: Sequence[str], *, stdin: bytes | None = None, timeout: float | None = SHORT_TIMEOUT) -> ShellResult:
        """Run adb to its end. DeviceError when it takes longer than ``timeout`` seconds, SetupError when it cannot be started."""
        source: dict[str, object] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        try:
            done = subprocess.run([self.binary, *arguments], capture_output=True, timeout=timeout, check=False, **source)  # type: ignore[call-overload]
        except OSError as error:
            raise SetupError(f"{self.binary} cannot be started: {error.strerror}", "let $ADB name a working adb binary") from None
        except subprocess.TimeoutExpired:
            raise DeviceError(f"adb did not answer within {timeout:g} s", "unplug and plug the phone, or run `adb kill-server`") from None
        return ShellResult(done.returncode, done.stdout, done.stderr)

    def popen(self, arguments: Sequence[str], *, stdin: bool = False) -> subprocess.Popen[bytes]:
        """Start adb with its streams on pipes."""
        source = subprocess.PIPE if stdin else subprocess.DEVNULL
        try:
            return subprocess.Popen([self.binary, *arguments], stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise SetupError(f"{self.binary} cannot be started: {error.strerror}", "let $ADB name a working adb binary") from None

    def devices(self) -> list[AdbEntry]:
        """What the server lists now."""
        done = self.run(["devices", "-l"])
        if done.returncode != 0:
            raise _server_error(done)
        return parse_devices(done.stdout.decode(errors="replace"))

    def state(self, serial: str) -> str:
        """adb's word for the state of ``serial``; "missing" where it is not listed."""
        return next((entry.state for entry in self.devices() if entry.serial == serial), "missing")

    def connect(self, address: str) -> ConnectResult:
        """Ask the server to connect to ``HOST:PORT``."""
        done = self.run(["connect", address])
        text = (done.stdout + b"\n" + done.stderr).decode(errors="replace")
        if tells_dead_server(text):
            raise _server_error(done)
        return parse_connect(text)

    def disconnect(self, address: str) -> None:
        """Make the server forget ``HOST:PORT``; nothing where it does not know it."""
        self.run(["disconnect", address])


def _server_error(done: ShellResult) -> SetupError:
    remark = failure_remark((done.stdout + b"\n" + done.stderr).decode(errors="replace"))
    return SetupError(f"the adb server does not answer: {remark or 'no reason given'}", "run `adb kill-server`, then try again")
