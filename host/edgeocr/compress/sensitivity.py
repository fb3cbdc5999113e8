"""How much accuracy a net loses when one group of its filters is pruned alone, for every group and several ratios.

``python -m edgeocr.compress.sensitivity CONFIG.json OUT.json [--pages N] [--ratios 0.1,…]``, in the Paddle environment: the net, its
weights and the pictures are those of a training configuration. Records go to stdout as JSON lines {"weight", "ratio", "loss", "done",
"of"}. OUT.json is the table (see sensitivity_table.py), written after every layer; the same command goes on with what is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeocr.child import run_as_program
from edgeocr.compress.fpgm import FilterGroups
from edgeocr.compress.sensitivity_table import Losses, SensitivityTable
from edgeocr.errors import UsageError
from edgeocr.train.config import TrainConfig, read_config
from edgeocr.train.described_net import described_net
from edgeocr.train.evaluate import INDICATOR, evaluate
from edgeocr.train.label_files import require_label_files

Record = dict[str, Any]

RATIOS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
PAGES = 24


def measure(
    config: TrainConfig, out: Path, pages: int, ratios: Sequence[float], on_record: Callable[[Record], None] = lambda record: None
) -> Losses:
    """The losses of all groups; ``out`` keeps them. Raises UsageError where ``out`` is of other weights or other pages, label files
    are missing, or the net reads nothing on these pages."""
    if config.Eval is None or config.Global.pretrained_model is None:
        raise UsageError("a sensitivity needs weights (Global.pretrained_model) and pictures (Eval)")
    require_label_files(config, ["Eval"])
    weights = hashlib.sha256(config.Global.pretrained_model.read_bytes()).hexdigest()
    config = replace(config, Eval=replace(config.Eval, limit=pages))
    net = described_net(config)
    groups = FilterGroups(net)
    indicator = INDICATOR[config.model_type]
    score = evaluate(net, config)[indicator]
    if score <= 0:
        raise UsageError(f"{config.Global.pretrained_model}: scores {score} before pruning: there is nothing to lose")
    baseline = {"weights": weights, "pages": pages, indicator: round(score, 6)}
    losses = _continued(out, baseline)
    of, done = len(groups.filters) * len(ratios), 0
    for weight in groups.filters:
        curve = losses.setdefault(weight, {})
        for ratio in ratios:
            done += 1
            if ratio in curve:
                continue
            with groups.pruned({weight: ratio}):
                curve[ratio] = round((score - evaluate(net, config)[indicator]) / score, 6)
            on_record({"weight": weight, "ratio": ratio, "loss": curve[ratio], "done": done, "of": of})
        SensitivityTable(baseline, losses).write(out)
    return losses


def _continued(out: Path, baseline: dict[str, Any]) -> Losses:
    if not out.is_file():
        return {}
    before = SensitivityTable.read(out)
    if before.baseline != baseline:
        raise UsageError(f"{out}: holds the sensitivity of other weights or on other pictures", "give another file, or remove this one")
    return before.losses


def _ratios(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="edgeocr.compress.sensitivity")
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--ratios", type=_ratios, default=list(RATIOS))
    options = parser.parse_args(arguments)
    measure(read_config(options.config), options.out, options.pages, options.ratios, lambda record: print(json.dumps(record), flush=True))


if __name__ == "__main__":
    run_as_program(main, sys.argv[1:])
