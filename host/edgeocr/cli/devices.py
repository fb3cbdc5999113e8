"""`edgeocr devices`: what a command's --device may name."""

from __future__ import annotations

import click

from edgeocr.cli.common import emit_json, json_option, note, stdout_console


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List phones, emulated ones and this machine.

    A phone shows up when it is plugged in with USB debugging on (or after `adb connect`), the emulated one after `edgeocr emulator start`.
    """
    from dataclasses import asdict

    from edgeocr.device.selection import host_summary, list_devices
    from edgeocr.errors import SetupError

    try:
        devices = list_devices()
    except SetupError as error:
        note(f"no phones: {error.message}" + (f" ({error.hint})" if error.hint else ""))
        devices = []
    devices.append(host_summary())
    if as_json:
        emit_json([asdict(device) for device in devices])
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("serial", "kind", "state", "model", "abi", "android"):
        table.add_column(heading)
    for device in devices:
        table.add_row(device.serial, device.kind or "", device.state, device.model, device.abi, device.android)
    stdout_console().print(table)
