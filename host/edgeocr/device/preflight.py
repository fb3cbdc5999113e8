"""The state of a device before it is measured: what says whether a timing means something.

Everything is read by one shell call. A phone denies much of it to adb's shell; what cannot be read is None here and "unavailable" in
JSON, never 0. The emulated phone and this machine have no battery or temperature that says anything: they are not asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from edgeocr.device.device import Device, Kind
from edgeocr.errors import DeviceError

UNAVAILABLE = "unavailable"
MIN_BATTERY_PERCENT = 50
SHELL_TIMEOUT = 60.0
THERMAL_STATUS = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")  # Android's PowerManager.THERMAL_STATUS_*
PLUGGED = (("AC", "AC powered"), ("USB", "USB powered"), ("wireless", "Wireless powered"), ("dock", "Dock powered"))

# One section per command, each begun by a line "--name"; a command that is not there or is denied leaves its section empty.
SURVEY = """\
echo --battery; dumpsys battery 2>/dev/null
echo --thermal; dumpsys thermalservice 2>/dev/null
echo --power; dumpsys power 2>/dev/null | grep -E 'mWakefulness=|Display Power: state=' 2>/dev/null
echo --load; cat /proc/loadavg 2>/dev/null
echo --affinity; grep Cpus_allowed: /proc/self/status 2>/dev/null
echo --current
for f in /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq; do echo "$f $(cat "$f" 2>/dev/null)"; done
echo --maximum
for f in /sys/devices/system/cpu/cpu[0-9]*/cpufreq/cpuinfo_max_freq; do echo "$f $(cat "$f" 2>/dev/null)"; done
exit 0"""


@dataclass(frozen=True)
class Core:
    """One core; frequencies in kHz."""

    index: int
    current_khz: int | None
    maximum_khz: int | None


@dataclass(frozen=True)
class Preflight:
    """None: unavailable."""

    kind: Kind
    battery_percent: int | None = None
    plugged: str | None = None  # "AC", "USB", …, or "no"
    battery_celsius: float | None = None
    thermal_status: str | None = None  # a word of THERMAL_STATUS
    temperatures: dict[str, float] = field(default_factory=dict)  # °C by sensor
    screen: str | None = None  # "Awake", "Asleep", …
    load: float | None = None  # of the last minute
    affinity: int | None = None  # mask of the cores that a shell may use
    cores: tuple[Core, ...] = ()

    def as_json(self) -> dict[str, object]:
        plain = {
            "kind": self.kind,
            "battery_percent": self.battery_percent,
            "plugged": self.plugged,
            "battery_celsius": self.battery_celsius,
            "thermal_status": self.thermal_status,
            "temperatures": self.temperatures or None,
            "screen": self.screen,
            "load": self.load,
            "affinity": f"{self.affinity:x}" if self.affinity is not None else None,
            "cores": [
                {"index": core.index, "current_khz": _shown(core.current_khz), "maximum_khz": _shown(core.maximum_khz)}
                for core in self.cores
            ]
            or None,
        }
        return {name: _shown(value) for name, value in plain.items()}

    def warnings(self) -> list[str]:
        """What speaks against measuring now, a line each."""
        if self.kind == "emulated":
            return ["emulated: times say nothing about a phone's speed"]
        found = []
        if self.battery_percent is not None and self.battery_percent < MIN_BATTERY_PERCENT:
            found.append(f"battery is at {self.battery_percent} %, expected at least {MIN_BATTERY_PERCENT} %")
        if self.plugged not in (None, "no"):
            found.append(f"the phone charges ({self.plugged}), which warms it")
        if self.thermal_status not in (None, "none"):
            found.append(f"thermal status is {self.thermal_status}: clocks are held down")
        if self.load is not None and self.cores and self.load > len(self.cores) / 2:
            found.append(f"load is {self.load:g} on {len(self.cores)} cores: something else runs")
        return found


def read_preflight(device: Device) -> Preflight:
    """DeviceError where the device is lost; nothing else fails."""
    if device.kind == "emulated":
        return Preflight("emulated")
    if device.kind == "host":
        return parse_preflight("host", _host_survey())
    done = device.shell(["sh", "-c", SURVEY], timeout=SHELL_TIMEOUT)
    if done.returncode != 0:
        raise DeviceError(f"device {device.serial} did not tell its state: exit code {done.returncode}")
    return parse_preflight(device.kind, done.stdout.decode(errors="replace"))


def _host_survey() -> str:
    """This machine's part of SURVEY, without starting Android's programs."""
    sections = ["--load", _text(Path("/proc/loadavg")), "--affinity", _text(Path("/proc/self/status"))]
    cores = sorted(Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq"))
    for section, name in (("--current", "scaling_cur_freq"), ("--maximum", "cpuinfo_max_freq")):
        sections += [section, *(f"{core / name} {_text(core / name)}" for core in cores)]
    return "\n".join(sections)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def parse_preflight(kind: Kind, text: str) -> Preflight:
    """SURVEY's output."""
    sections = dict(re.findall(r"^--(\w+)\r?\n(.*?)(?=^--\w+\r?$|\Z)", text + "\n", re.MULTILINE | re.DOTALL))
    battery, thermal = sections.get("battery", ""), sections.get("thermal", "")
    tenths = _integer(r"^\s*temperature: (-?\d+)", battery)
    status = _integer(r"Thermal Status: (\d+)", thermal)
    screen = re.search(r"mWakefulness=(\w+)", sections.get("power", ""))
    load = re.match(r"\s*(\d+\.\d+) ", sections.get("load", ""))
    affinity = re.search(r"Cpus_allowed:\s*([0-9a-f,]+)", sections.get("affinity", ""))
    return Preflight(
        kind=kind,
        battery_percent=_integer(r"^\s*level: (\d+)", battery),
        plugged=_plugged(battery),
        battery_celsius=tenths / 10 if tenths is not None else None,
        thermal_status=THERMAL_STATUS[status] if status is not None and status < len(THERMAL_STATUS) else None,
        temperatures=_temperatures(thermal),
        screen=screen[1] if screen else None,
        load=float(load[1]) if load else None,
        affinity=int(affinity[1].replace(",", ""), 16) if affinity else None,
        cores=_cores(sections.get("current", ""), sections.get("maximum", "")),
    )


def _integer(pattern: str, text: str) -> int | None:
    match = re.search(pattern, text, re.MULTILINE)
    return int(match[1]) if match else None


def _plugged(battery: str) -> str | None:
    states = {name: re.search(rf"^\s*{label}: (true|false)", battery, re.MULTILINE) for name, label in PLUGGED}
    if not any(states.values()):
        return None
    return next((name for name, state in states.items() if state and state[1] == "true"), "no")


def _temperatures(thermal: str) -> dict[str, float]:
    """The sensors that the thermal HAL reads now; older Androids list none."""
    current = thermal.partition("Current temperatures from HAL:")[2].partition("Current cooling devices")[0]
    return {name: float(value) for value, name in re.findall(r"mValue=(-?\d+(?:\.\d+)?),.*?mName=([^,}\s]+)", current)}


def _cores(current: str, maximum: str) -> tuple[Core, ...]:
    now, most = _frequencies(current), _frequencies(maximum)
    return tuple(Core(index, now.get(index), most.get(index)) for index in sorted({*now, *most}))


def _frequencies(section: str) -> dict[int, int | None]:
    found = re.findall(r"/cpu(\d+)/cpufreq/\w+[ \t]*(\d*)", section)
    return {int(index): int(value) if value else None for index, value in found}


def _shown(value: object) -> object:
    return UNAVAILABLE if value is None else value
