"""`edgeocr emulator`: the phone for those who have none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import click

from edgeocr.cli.common import emit_json, json_option, note

if TYPE_CHECKING:
    from edgeocr.emulator.state import EmulatorState, Mode

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def parse_size(ctx: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """A number of bytes, perhaps with K, M or G (1024, 1024², 1024³)."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)([KMG]?)B?", value.upper())
    if match is None:
        raise click.BadParameter(f"{value!r} is no size; expected a number of bytes, perhaps with K, M or G", ctx, parameter)
    return int(match[1]) * UNITS[match[2]]


@click.group()
def command() -> None:
    """Start and stop the emulated phone: an adb daemon on the loopback whose aarch64 programs run under qemu.

    The adb server lists it like a phone; the word `emulated` names it in this program's commands. It reads as a Cortex-A76 reads, and says
    nothing about a phone's speed.
    """


@command.command()
@click.option(
    "--mode", type=click.Choice(["auto", "namespace", "prefix"]), default="auto", show_default=True, help="How aarch64 programs reach qemu."
)
@click.option("--storage", callback=parse_size, metavar="SIZE", help="What /data may hold (64M), to try a full phone.")
@json_option
def start(mode: str, storage: int | None, as_json: bool) -> None:
    """Start it, or find it running."""
    from edgeocr.device.emulated import start_emulated

    chosen = None if mode == "auto" else cast("Mode", mode)
    state, started = start_emulated(chosen, storage)
    if not started and ((chosen and chosen != state.mode) or (storage is not None and storage != state.storage_bytes)):
        note("it ran already: --mode and --storage have no effect; `edgeocr emulator stop` first")
    _show(state, as_json, "started" if started else "runs already")


@command.command()
@json_option
def stop(as_json: bool) -> None:
    """Stop it, with everything that runs on it. Its files stay."""
    from edgeocr.device.emulated import stop_emulated

    stopped = stop_emulated()
    if as_json:
        emit_json({"running": False, "stopped": stopped is not None})
    else:
        click.echo("the emulated phone is stopped" if stopped else "the emulated phone does not run")


@command.command()
@json_option
def status(as_json: bool) -> None:
    """Say whether it runs, and how. (Exit code 0 either way.)"""
    from edgeocr.emulator import lifecycle

    state = lifecycle.status()
    if state is not None:
        _show(state, as_json, "runs")
    elif as_json:
        emit_json({"running": False})
    else:
        click.echo("the emulated phone does not run: `edgeocr emulator start`")


def _show(state: EmulatorState, as_json: bool, what: str) -> None:
    from dataclasses import asdict

    if as_json:
        emit_json({"running": True, "serial": state.serial, "kind": "emulated", **asdict(state)})
        return
    ways = {"namespace": "in a private namespace", "prefix": "by rewritten commands"}
    reason = f"; no namespace: {state.mode_reason}" if state.mode_reason else ""
    room = f", /data holds {state.storage_bytes:,} B" if state.storage_bytes is not None else ""
    click.echo(f"the emulated phone {what}: {state.serial} (emulated, qemu {state.cpu}, {ways[state.mode]}{reason}{room})")
