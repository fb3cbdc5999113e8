"""Android's fixed performance mode (Android 11 and later): clocks that a phone can hold, for the time of a measurement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from edgeocr.device.device import Device
from edgeocr.errors import DeviceError

SET_MODE = ("cmd", "power", "set-fixed-performance-mode-enabled")
SHELL_TIMEOUT = 10.0


@contextmanager
def fixed_performance(device: Device) -> Iterator[bool]:
    """Switched on within the context, off on every way out of it; True where the phone has the mode. Other devices are left alone."""
    if device.kind != "phone":
        yield False
        return
    done = device.shell([*SET_MODE, "true"], timeout=SHELL_TIMEOUT)
    # Phones without the mode answer with an error, or with 0 and a remark.
    active = done.returncode == 0 and not done.stderr and b"nknown" not in done.stdout and b"rror" not in done.stdout
    try:
        yield active
    finally:
        if active:
            with suppress(DeviceError):  # a phone that is lost forgets the mode
                device.shell([*SET_MODE, "false"], timeout=SHELL_TIMEOUT)
