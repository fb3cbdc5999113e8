"""What a phone tells of its state, and what is made of it."""

from __future__ import annotations

import json

import pytest

from edgeocr.device.adb_device import AdbDevice
from edgeocr.device.host_device import HostDevice
from edgeocr.device.preflight import SURVEY, Core, Preflight, parse_preflight, read_preflight

FULL = """\
--battery
Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  Max charging current: 500000
  status: 2
  present: true
  level: 41
  scale: 100
  voltage: 4300
  temperature: 301
  technology: Li-ion
--thermal
IsStatusOverride: false
ThermalEventListeners:
\tcallbacks: 1
Thermal Status: 2
Cached temperatures:
\tTemperature{mValue=99.5, mType=3, mName=skin, mStatus=0}
HAL Ready: true
Current temperatures from HAL:
\tTemperature{mValue=38.2, mType=0, mName=CPU0, mStatus=0}
\tTemperature{mValue=-1.5, mType=3, mName=skin, mStatus=0}
Current cooling devices from HAL:
\tCoolingDevice{mValue=0, mType=2, mName=thermal-cpufreq-0}
--power
  mWakefulness=Asleep
Display Power: state=OFF
--load
5.51 2.02 1.98 2/3000 12345
--affinity
Cpus_allowed:\tff
--current
/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq 300000
/sys/devices/system/cpu/cpu7/cpufreq/scaling_cur_freq 
--maximum
/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq 1785600
/sys/devices/system/cpu/cpu7/cpufreq/cpuinfo_max_freq 2841600
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_everything_that_is_told_is_read(end: str) -> None:
    assert parse_preflight("phone", FULL.replace("\n", end)) == Preflight(
        kind="phone",
        battery_percent=41,
        plugged="USB",
        battery_celsius=30.1,
        thermal_status="moderate",
        temperatures={"CPU0": 38.2, "skin": -1.5},
        screen="Asleep",
        load=5.51,
        affinity=0xFF,
        cores=(Core(0, 300_000, 1_785_600), Core(7, None, 2_841_600)),
    )


def test_what_speaks_against_measuring() -> None:
    assert parse_preflight("phone", FULL).warnings() == [
        "battery is at 41 %, expected at least 50 %",
        "the phone charges (USB), which warms it",
        "thermal status is moderate: clocks are held down",
        "load is 5.51 on 2 cores: something else runs",
    ]
    assert (
        Preflight("phone", battery_percent=50, plugged="no", thermal_status="none", load=1.0, cores=(Core(0, 1, 1),) * 8).warnings() == []
    )


DENIED = """\
--battery
Permission Denial: can't dump BatteryService
--thermal
--power
--load
--affinity
--current
/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq 
--maximum
/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq 
"""


@pytest.mark.parametrize("text", [DENIED, "", "garbage\n"])
def test_what_is_denied_is_unavailable_never_zero(text: str) -> None:
    state = parse_preflight("phone", text)
    assert state.warnings() == []
    document = state.as_json()
    cores = document.pop("cores")
    assert cores in ("unavailable", [{"index": 0, "current_khz": "unavailable", "maximum_khz": "unavailable"}])
    assert set(document.values()) == {"phone", "unavailable"}


def test_an_unplugged_phone() -> None:
    assert parse_preflight("phone", FULL.replace("USB powered: true", "USB powered: false")).plugged == "no"


def test_a_thermal_status_of_the_future_is_unavailable() -> None:
    assert parse_preflight("phone", FULL.replace("Thermal Status: 2", "Thermal Status: 99")).thermal_status is None


def test_it_is_json() -> None:
    document = json.loads(json.dumps(parse_preflight("phone", FULL).as_json()))
    assert (document["affinity"], document["temperatures"]["CPU0"], document["cores"][1]["current_khz"]) == ("ff", 38.2, "unavailable")


def test_the_survey_runs_where_android_is_not(device: AdbDevice) -> None:
    done = device.shell(["sh", "-c", SURVEY])
    assert (done.returncode, done.stderr) == (0, b"")
    state = parse_preflight("phone", done.stdout.decode())
    assert (state.battery_percent, state.thermal_status, state.screen) == (None, None, None)
    assert state.load is not None and state.affinity


def test_the_emulated_phone_is_not_asked_and_says_what_it_is(device: AdbDevice) -> None:
    state = read_preflight(device)
    assert state == Preflight("emulated")
    assert state.warnings() == ["emulated: times say nothing about a phone's speed"]


def test_this_machine_tells_its_load_and_cores() -> None:
    state = read_preflight(HostDevice())
    assert state.kind == "host" and state.battery_percent is None
    assert state.load is not None and state.affinity
