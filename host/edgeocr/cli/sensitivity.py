"""`edgeocr sensitivity`: how much accuracy the detector loses when filters of one layer are pruned, as a table and as curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeocr.cli import common
from edgeocr.errors import UsageError
from edgeocr.paths import BUILD, MODELS

if TYPE_CHECKING:
    from edgeocr.compress.sensitivity_table import Losses

PLOT_TIMEOUT_S = 120.0
RATIOS = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8"

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--config", metavar="FILE", type=_file, help="Net, weights and pictures; models/recipes/det.json if not given.")
@click.option("--pages", type=click.IntRange(min=1), default=24, show_default=True, help="How many pictures of the configuration's Eval.")
@click.option("--ratios", metavar="R,R,…", default=RATIOS, show_default=True, help="Shares of a layer's filters to prune.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=BUILD / "sensitivity.json",
    help="The table (JSON); build/sensitivity.json if not given. What is there already is not measured again.",
)
@click.option("--from", "table", metavar="FILE", type=_file, help="Measure nothing, show this table.")
@click.option("--plot", metavar="FILE.svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw the curves.")
@common.json_option
def command(config: Path | None, pages: int, ratios: str, out: Path, table: Path | None, plot: Path | None, as_json: bool) -> None:
    """Prune every group of the detector's filters alone, by several ratios, and measure what accuracy is lost.

    Groups are named by the weight of their first convolution; a loss is a share of the unpruned net's hmean. Ctrl-C keeps what is measured.
    """
    from edgeocr.compress.sensitivity_table import SensitivityTable
    from edgeocr.convert.paddle_env import paddle_python, run_module

    asked = _ratios(ratios)
    if plot is not None and plot.suffix != ".svg":
        raise UsageError(f"{plot}: the drawing's suffix is {plot.suffix or 'missing'}, expected .svg")
    if table is None or plot is not None:
        paddle_python()
    if table is None:
        _measure(config or MODELS / "recipes" / "det.json", out, pages, asked)
        table = out
    measured = SensitivityTable.read(table)
    if plot is not None:
        run_module("edgeocr.compress.sensitivity_plot", [table, plot], what="drawing of the sensitivity", timeout_s=PLOT_TIMEOUT_S)
    if as_json:
        common.emit_json(measured.document())
        return
    _show(measured.losses, plot)


def _ratios(text: str) -> list[float]:
    try:
        ratios = [float(part) for part in text.split(",")]
    except ValueError as e:
        raise UsageError(f"--ratios is {text!r}, expected numbers between commas") from e
    if not all(0 < ratio < 1 for ratio in ratios):
        raise UsageError(f"--ratios is {text!r}, expected numbers between 0 and 1")
    return ratios


def _measure(config: Path, out: Path, pages: int, ratios: list[float]) -> None:
    from edgeocr.convert.paddle_env import stream_module
    from edgeocr.files import check_writable

    check_writable(out.parent)
    options = ["--pages", str(pages), "--ratios", ",".join(map(str, ratios))]
    with common.progress("sensitivity") as bar:

        def show(line: str) -> None:
            try:
                record = json.loads(line)
            except ValueError:
                return  # a remark of a library
            bar.describe(
                f"sensitivity {record['done']}/{record['of']}  {record['weight']} without {record['ratio']:.0%}: {record['loss']:.1%}"
            )

        stream_module("edgeocr.compress.sensitivity", [config, out, *options], "sensitivity", show)


def _show(losses: Losses, plot: Path | None) -> None:
    from rich.table import Table

    ratios = sorted({ratio for curve in losses.values() for ratio in curve})
    table = Table(title="accuracy lost when a share of the filters is pruned", title_justify="left")
    table.add_column("weight")
    for ratio in ratios:
        table.add_column(f"{ratio:.0%}", justify="right")
    for weight, curve in losses.items():
        table.add_row(weight, *(f"{curve[ratio]:.1%}" if ratio in curve else "" for ratio in ratios))
    console = common.stdout_console()
    console.print(table)
    if plot is not None:
        console.print(f"curves → {plot}")
