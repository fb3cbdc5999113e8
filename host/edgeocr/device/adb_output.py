"""What adb prints, read: pure functions over text, so that every odd output can be tested without a device.

adb mixes its own remarks ("* daemon started successfully") into results, ends lines with CRLF on some hosts, and tells failures in prose:
`adb connect` even exits with 0 when it was refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

READY = "device"
STATES = (
    "device",
    "offline",
    "detached",
    "unauthorized",
    "authorizing",
    "connecting",
    "no permissions",
    "bootloader",
    "recovery",
    "sideload",
    "host",
    "rescue",
)

_ANY_STATE = "|".join(sorted(STATES, key=len, reverse=True))


@dataclass(frozen=True)
class AdbEntry:
    """One line of `adb devices -l`."""

    serial: str
    state: str
    tags: dict[str, str] = field(default_factory=dict)  # product, model, device, transport_id …

    @property
    def ready(self) -> bool:
        return self.state == READY


@dataclass(frozen=True)
class ConnectResult:
    """Outcome of `adb connect HOST:PORT`; ``message`` is adb's own line."""

    connected: bool
    message: str


def _lines(text: str) -> list[str]:
    """Lines without line ends, blank ones, and what adb says of starting its server."""
    stripped = (line.rstrip("\r\n").rstrip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith(("* ", "adb server version", "adb server is out of date"))]


def parse_devices(text: str) -> list[AdbEntry]:
    """Entries of `adb devices` or `adb devices -l`, in adb's order. Lines of any other shape are adb's remarks and are skipped."""
    entries = []
    started = False
    for line in _lines(text):
        if line.startswith("List of devices attached"):
            started = True
        elif started:
            entry = _parse_entry(line)
            if entry is not None:
                entries.append(entry)
    return entries


def _parse_entry(line: str) -> AdbEntry | None:
    # A serial may have blanks: "adb-R5CR (2)._adb-tls-connect._tcp" is a phone whose name another one had taken on the network.
    # A state may be two words, or "no permissions (missing udev rules? …); see [url]".
    match = re.match(rf"(?P<serial>\S.*?)\s+(?P<state>{_ANY_STATE})\b(?P<rest>.*)", line)
    if match is None:
        return None
    tags = dict(re.findall(r"(?:^|\s)([a-z_]+):(\S+)", match["rest"]))
    return AdbEntry(match["serial"], match["state"], tags)


def parse_connect(text: str) -> ConnectResult:
    """`adb connect` tells its outcome in its text alone."""
    lines = _lines(text)
    for line in lines:
        if re.match(r"(already )?connected to ", line):
            return ConnectResult(True, line)
    return ConnectResult(False, lines[-1] if lines else "adb connect said nothing")


def parse_features(text: str) -> frozenset[str]:
    """Names of `adb features`: one a line, or comma separated in adb's raw answer."""
    return frozenset(name for line in _lines(text) for name in line.split(",") if re.fullmatch(r"[a-z0-9_]+", name))


def parse_getprop(text: str) -> dict[str, str]:
    """`[name]: [value]` lines of Android's getprop; a value may span lines."""
    return dict(re.findall(r"^\[([^\]\r\n]+)\]: \[(.*?)\]\r?$", text, flags=re.MULTILINE | re.DOTALL))


def tells_full_device(text: str) -> bool:
    """Whether a transfer failed for want of space."""
    return re.search(r"no space left on device", text, re.IGNORECASE) is not None


def tells_dead_server(text: str) -> bool:
    """Whether it is adb's own server that does not answer, whatever the device does."""
    pattern = r"cannot connect to daemon|failed to start daemon|could not (install|read ok)|protocol fault.*status"
    return re.search(pattern, text, re.IGNORECASE) is not None


def failure_remark(text: str) -> str:
    """The line that tells a failure, without adb's prefixes: its last "error", else its last line. Empty where there is none.

    `adb push` goes on to count what it did after the error that matters.
    """
    lines = _lines(text)
    errors = [line for line in lines if re.match(r"(adb: )?error: ", line)]
    return re.sub(r"^(?:adb: )?(?:error: )?", "", (errors or lines or [""])[-1])
