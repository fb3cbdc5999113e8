"""A phone, or the emulated one, behind adb."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from edgeocr.device.adb import SHORT_TIMEOUT, Adb
from edgeocr.device.adb_output import READY, failure_remark, parse_features, parse_getprop, tells_full_device
from edgeocr.device.device import Kind, ShellResult
from edgeocr.errors import DeviceError

HINTS = {
    "missing": "`edgeocr devices` lists what is connected; a phone on the network needs `adb connect HOST:PORT` first",
    "unauthorized": "unlock the phone and allow USB debugging for this computer",
    "authorizing": "unlock the phone and allow USB debugging for this computer",
    "no permissions": "give your user access to the phone's USB node (udev rules; group plugdev), then plug it in again",
    "offline": "unplug and plug the phone, or run `adb reconnect`",
    "connecting": "wait a moment, then try again",
    "detached": "run `adb attach`, then try again",
    "recovery": "boot the phone into Android",
    "sideload": "boot the phone into Android",
    "bootloader": "boot the phone into Android",
}
# Properties by which emulators tell themselves: ours, the SDK's (old and new name).
EMULATED_PROPERTIES = ("ro.edgeocr.emulated", "ro.boot.qemu", "ro.kernel.qemu")
RUNNER_ABI = "arm64-v8a"  # Android's name for what the phone's runner is built for


def state_error(serial: str, state: str) -> DeviceError:
    """The error of a device that adb does not call ready."""
    what = "is not connected" if state == "missing" else f"is {state}" if state != "no permissions" else "may not be opened: no permissions"
    return DeviceError(f"device {serial} {what}", HINTS.get(state, "`edgeocr devices` lists what is connected"))


class AdbDevice:
    """`edgeocr.device.device.Device` by the adb binary. Needs the shell protocol v2 (Android 7): older adbd hides exit codes."""

    def __init__(self, adb: Adb, serial: str) -> None:
        self.adb = adb
        self.serial = serial

    def open(self) -> None:
        """Raise DeviceError unless the device is ready, new enough and of a kind that can execute the runner."""
        state = self.adb.state(self.serial)
        if state != READY:
            raise state_error(self.serial, state)
        done = self.adb.run(["-s", self.serial, "features"])
        if done.returncode != 0:
            raise self._adb_error(done, "asking for its features")
        if "shell_v2" not in parse_features(done.stdout.decode(errors="replace")):
            raise DeviceError(f"device {self.serial} is too old: its adb hides exit codes", "use a phone with Android 7 or later")
        abis = self._abis()
        if RUNNER_ABI not in abis:
            raise DeviceError(
                f"device {self.serial} cannot run edgeocr_run, built for {RUNNER_ABI}: its ABIs are {', '.join(abis) or 'unknown'}",
                "use a 64-bit ARM phone, or --device emulated",
            )

    @cached_property
    def kind(self) -> Kind:
        properties = self.properties()
        return "emulated" if any(properties.get(name) == "1" for name in EMULATED_PROPERTIES) else "phone"

    def shell(self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float | None = None) -> ShellResult:
        done = self.adb.run(self._shell_arguments(argv, stdin=bool(stdin)), stdin=stdin or None, timeout=timeout)
        self.check_reachable()  # adb shell ends with 0, too, where the device goes away under it
        return done

    def popen(self, argv: Sequence[str], *, stdin: bool = False) -> subprocess.Popen[bytes]:
        return self.adb.popen(self._shell_arguments(argv, stdin=stdin), stdin=stdin)

    def _shell_arguments(self, argv: Sequence[str], *, stdin: bool) -> list[str]:
        # -T: no terminal, so that bytes pass unchanged; -n: do not read stdin.
        return ["-s", self.serial, "shell", "-T", *([] if stdin else ["-n"]), shlex.join(argv)]

    def check_reachable(self) -> None:
        state = self.adb.state(self.serial)
        if state == READY:
            return
        if state in ("missing", "offline", "connecting"):
            raise DeviceError(f"device {self.serial} was lost (it is {state} now)", "connect it again and repeat the command")
        raise state_error(self.serial, state)

    def push(self, local: Path, remote: str) -> None:
        # Absolute, here and in `pull`: adb takes a name that begins with "-" for an option.
        done = self.adb.run(["-s", self.serial, "push", str(local.absolute()), remote], timeout=None)
        if done.returncode != 0:
            raise self._transfer_error(done, f"pushing {local.name}")

    def pull(self, remote: str, local: Path) -> None:
        done = self.adb.run(["-s", self.serial, "pull", remote, str(local.absolute())], timeout=None)
        if done.returncode != 0:
            raise self._transfer_error(done, f"pulling {remote}")

    def _abis(self) -> list[str]:
        """What its programs may be built for; Android before 5 names one alone."""
        properties = self.properties()
        listed = properties.get("ro.product.cpu.abilist") or properties.get("ro.product.cpu.abi", "")
        return [abi for abi in listed.split(",") if abi]

    def properties(self) -> Mapping[str, str]:
        return self._properties

    @cached_property
    def _properties(self) -> Mapping[str, str]:
        done = self.shell(["getprop"], timeout=SHORT_TIMEOUT)
        if done.returncode != 0:
            raise self._adb_error(done, "reading its properties")
        return parse_getprop(done.stdout.decode(errors="replace"))

    def _transfer_error(self, done: ShellResult, doing: str) -> DeviceError:
        if tells_full_device(_text(done)):
            return DeviceError(f"no space left on device {self.serial} while {doing}", "free some space on its /data partition")
        state = self.adb.state(self.serial)
        if state in ("missing", "offline", "connecting"):
            return DeviceError(
                f"device {self.serial} was lost while {doing}", "connect it again and repeat the command: what was there is unchanged"
            )
        return self._adb_error(done, doing)

    def _adb_error(self, done: ShellResult, doing: str) -> DeviceError:
        remark = failure_remark(_text(done))
        return DeviceError(f"device {self.serial} failed while {doing}: {remark or f'adb exit code {done.returncode}'}")


def _text(done: ShellResult) -> str:
    return (done.stdout + b"\n" + done.stderr).decode(errors="replace")
