"""How recipes get on, for the commands that follow them."""

from __future__ import annotations

import json

from edgeocr.cli import common


class RecipeProgress:
    """The recipes' records on the progress line; evaluations as lines that stay."""

    def __init__(self, bar: common.Progress) -> None:
        self.bar = bar

    def line(self, line: str) -> None:
        try:
            record = json.loads(line)
        except ValueError:
            return  # a remark of a library
        recipe = record["recipe"]
        if "eval" in record:
            common.note(f"{recipe}, iteration {record['iteration']}: " + ", ".join(f"{k} {v:.4f}" for k, v in record["eval"].items()))
        elif record["stage"] == "prune":
            common.note(f"{recipe}: {record['macs']:.1%} of the multiplications and {record['parameters']:.1%} of the parameters are left")
        elif record["stage"] == "sensitivity":
            self.bar.describe(f"{recipe}: sensitivity {record['done']}/{record['of']}")
        elif "loss" in record:
            self.bar.describe(f"{recipe}: training {record['iteration']}/{record['iterations']}  loss {record['loss']:.4f}")
