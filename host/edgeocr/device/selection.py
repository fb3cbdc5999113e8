"""Which device a command means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from edgeocr.device.adb import Adb
from edgeocr.device.adb_device import AdbDevice
from edgeocr.device.adb_output import AdbEntry
from edgeocr.device.device import Device, Kind
from edgeocr.device.emulated import emulated_device
from edgeocr.device.host_device import HostDevice
from edgeocr.errors import DeviceError

HOST = "host"
EMULATED = "emulated"


@dataclass(frozen=True)
class DeviceSummary:
    """One line of `edgeocr devices`. What a device that is not ready does not tell is ""."""

    serial: str
    kind: Kind | None  # None: not known before the device is ready
    state: str
    model: str = ""
    abi: str = ""
    android: str = ""


@contextmanager
def open_device(selector: str) -> Iterator[Device]:
    """The device that ``selector`` names: ``host``, ``emulated`` (started for the duration if it does not run), or a serial.

    DeviceError where it is not connected, not ready or cannot run the runner, SetupError without adb or qemu.
    """
    if selector == HOST:
        yield HostDevice()
        return
    adb = Adb()
    if selector == EMULATED:
        with emulated_device(adb) as emulated:
            yield emulated
        return
    device = AdbDevice(adb, selector)
    device.open()
    yield device


def list_devices() -> list[DeviceSummary]:
    """What adb lists now. SetupError without adb."""
    adb = Adb()
    return [_summary(adb, entry) for entry in adb.devices()]


def host_summary() -> DeviceSummary:
    return _ready_summary(HostDevice())


def _summary(adb: Adb, entry: AdbEntry) -> DeviceSummary:
    if entry.ready:
        try:
            return _ready_summary(AdbDevice(adb, entry.serial))
        except DeviceError:
            return DeviceSummary(entry.serial, None, adb.state(entry.serial))
    return DeviceSummary(entry.serial, None, entry.state, entry.tags.get("model", "").replace("_", " "))


def _ready_summary(device: Device) -> DeviceSummary:
    properties = device.properties()
    return DeviceSummary(
        serial=device.serial,
        kind=device.kind,
        state="ready",
        model=properties.get("ro.product.model", ""),
        abi=properties.get("ro.product.cpu.abi", ""),
        android=properties.get("ro.build.version.release", "") if device.kind != "host" else "",
    )
