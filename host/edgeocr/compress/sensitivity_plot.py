"""The picture of a sensitivity: a curve for every group of filters.

``python -m edgeocr.compress.sensitivity_plot SENSITIVITY.json OUT.svg``, in the Paddle environment. The same table gives the same bytes.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib  # type: ignore[import-not-found,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

from edgeocr.child import run_as_program
from edgeocr.compress.sensitivity_table import Losses, SensitivityTable
from edgeocr.errors import UsageError
from edgeocr.files import write_atomically

COLUMNS = 4
PANEL_INCHES = 2.4, 1.7
SUFFIX = ".weight"


def draw(losses: Losses) -> bytes:
    """An SVG document: panels in the net's order, the share of filters removed across, the share of accuracy lost up."""
    matplotlib.rcParams["svg.hashsalt"] = "edgeocr"  # numbers of elements, random otherwise
    rows = math.ceil(len(losses) / COLUMNS)
    size = PANEL_INCHES[0] * COLUMNS, PANEL_INCHES[1] * rows
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for panel in panels.flat[len(losses) :]:
        panel.set_axis_off()
    for panel, (weight, curve) in zip(panels.flat, losses.items(), strict=False):
        points = [(0.0, 0.0), *sorted(curve.items())]
        panel.plot([ratio for ratio, _ in points], [loss for _, loss in points], marker=".")
        panel.set_title(weight.removesuffix(SUFFIX), fontsize=6)
        panel.tick_params(labelsize=6)
        panel.set_ylim(-0.1, 1.05)
        panel.grid(visible=True, linewidth=0.3)
    figure.supxlabel("filters removed", fontsize=8)
    figure.supylabel("accuracy lost", fontsize=8)
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    return content.getvalue()


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 2:
        raise UsageError("expected two arguments: SENSITIVITY.json OUT.svg")
    table, out = map(Path, arguments)
    write_atomically(out, draw(SensitivityTable.read(table).losses))


if __name__ == "__main__":
    run_as_program(main, sys.argv[1:])
