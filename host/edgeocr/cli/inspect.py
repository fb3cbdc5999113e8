"""`edgeocr inspect`: what is in a `.nb` file, and what the engine makes of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeocr.cli import common

if TYPE_CHECKING:
    from edgeocr.device.records import NodeRecord
    from edgeocr.zoo.inspection import Inspection


def _parse_shape(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    parts = value.split(",")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 16384 for part in parts):
        raise click.BadParameter(f"{value!r} is not N,C,H,W, four integers from 1 to 16384")
    return tuple(int(part) for part in parts)


@click.command()
@click.argument("file", metavar="FILE.nb", type=click.Path(path_type=Path))
@common.json_option
@click.option("--plan", is_flag=True, help="Also show every operator of the engine's plan: kernel, output, MACs, bytes.")
@click.option("--input", "shape", metavar="N,C,H,W", callback=_parse_shape, help="Input shape of the plan; the file's own if not given.")
@common.device_option()
@common.precision_option
@common.int8_option
@common.dynamic_int8_option
def command(
    file: Path,
    as_json: bool,
    plan: bool,
    shape: tuple[int, ...] | None,
    device: str,
    precision: str | None,
    int8: str | None,
    dynamic_int8: bool,
) -> None:
    """Show what is in FILE.nb: container, operators by kernel and precision, parameters, hashes, warnings.

    The plan is that of this machine's processor, or of another --device's, which has kernels of its own.
    """
    from edgeocr.bench.mode import Mode
    from edgeocr.bench.plan import plan_of
    from edgeocr.device.selection import open_device
    from edgeocr.errors import UsageError
    from edgeocr.zoo.inspection import inspect_file

    mode = Mode(precision, int8, dynamic_int8)
    if not plan and (shape is not None or device != common.HOST or mode != Mode()):
        raise UsageError("--input, --device and what the net computes in are of the plan: give --plan too")
    inspection = inspect_file(file)
    nodes = None
    if plan:
        with open_device(device) as opened:
            nodes = plan_of(opened, file, shape, inspection.feed, mode)
    if as_json:
        common.emit_json(asdict(inspection) | ({} if nodes is None else {"plan": [asdict(node) for node in nodes]}))
        return
    _show(inspection)
    if nodes is not None:
        _show_plan(nodes)


def _show(inspection: Inspection) -> None:
    from rich.table import Table

    console = common.stdout_console()
    facts = Table(show_header=False, box=None)
    feed = ", ".join("x".join("?" if dim < 0 else str(dim) for dim in dims) for dims in inspection.feed)
    for name, value in (
        ("file", inspection.file),
        ("bytes", f"{inspection.bytes:,} (topology {inspection.topology_bytes:,})"),
        ("sha256", inspection.sha256),
        ("normalised sha256", inspection.normalised_sha256),
        ("written by", f"opt {_plain(inspection.opt_version) or 'of unknown version'}, meta_version {inspection.meta_version}"),
        ("input", feed or "none"),
    ):
        facts.add_row(name, value)
    console.print(facts)
    operators = Table("operator", "kernel", "target", "precision", title="Operators", title_justify="left")
    operators.add_column("count", justify="right")
    for operator in inspection.operators:
        kernel = (operator.type, operator.kernel, operator.target, operator.precision)
        operators.add_row(*(_plain(value) for value in kernel), str(operator.count))
    console.print(operators)
    parameters = Table("type", title="Parameters", title_justify="left")
    for name in ("count", "elements", "bytes"):
        parameters.add_column(name, justify="right")
    for group in inspection.parameters:
        parameters.add_row(group.data_type, str(group.count), f"{group.elements:,}", f"{group.bytes:,}")
    console.print(parameters)
    for warning in inspection.warnings:
        console.print(f"warning: {warning}", style="yellow")


def _plain(text: str) -> str:
    """A name out of a file may hold anything, control characters for the terminal too."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def _show_plan(nodes: list[NodeRecord]) -> None:
    from rich.table import Table

    table = Table(title="Plan", title_justify="left")
    for name in ("#", "operator", "kernel", "output", "rows at once", "MACs", "bytes"):
        table.add_column(name, justify="right" if name in ("#", "rows at once", "MACs", "bytes") else "left")
    for node in nodes:
        rows = str(node.band_rows or "all")
        table.add_row(str(node.index), node.op, node.kernel, node.output, rows, f"{node.macs:,}", f"{node.bytes:,}")
    table.add_section()
    table.add_row("", "all", "", "", "", f"{sum(node.macs for node in nodes):,}", f"{sum(node.bytes for node in nodes):,}")
    common.stdout_console().print(table)
