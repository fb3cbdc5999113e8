"""Which cores a measurement runs on: as many of a phone's fastest as there are threads, set by mask and read back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgeocr.device.device import Device
from edgeocr.device.preflight import Core

SHELL_TIMEOUT = 10.0
READ_BACK = "grep Cpus_allowed: /proc/self/status"


def fastest_cores(cores: Sequence[Core], threads: int) -> str | None:
    """The mask of the `threads` cores of the highest maximum frequency, the higher index first; None if frequencies are not told."""
    known = [(core.maximum_khz, core.index) for core in cores if core.maximum_khz is not None]
    if len(known) < threads:
        return None
    return f"{sum(1 << index for _, index in sorted(known, reverse=True)[:threads]):x}"


def confirmed_mask(device: Device, mask: str | None) -> str | None:
    """The mask, if a process started under it reads it back; None where the device does not grant it."""
    if mask is None:
        return None
    done = device.shell(["taskset", mask, "sh", "-c", READ_BACK], timeout=SHELL_TIMEOUT)
    found = re.search(rb"Cpus_allowed:\s*([0-9a-f,]+)", done.stdout)
    granted = done.returncode == 0 and found is not None and int(found[1].replace(b",", b""), 16) == int(mask, 16)
    return mask if granted else None
