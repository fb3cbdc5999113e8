"""Figures that README.md gives of our nets are those of benchmarks/results."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from edgeocr.paths import RESULTS, ROOT

V20 = "ppocr_mobile_v2.0_slim"
# Rows of the table "What the engine costs": the beginning of their text, and the net.
NETS = {
    "detector fp32": ("det", "edgeocr_en", "fp32"),
    "detector int8": ("det", V20, "int8"),
    "our quantised detector": ("det", "edgeocr_en pact", "int8"),
    "our pruned and quantised detector": ("det", "edgeocr_en prune+pact", "int8"),
    "recogniser int8": ("rec", V20, "int8"),
    "recogniser fp32": ("rec", "edgeocr_en", "fp32"),
    "classifier int8": ("cls", V20, "int8"),
    "classifier fp32": ("cls", "edgeocr_en", "fp32"),
}
OPTIONS = {"--precision fp16": "fp16", "--int8 fast": "int8 fast", "--int8 composed": "int8 composed"}


def rows_of(file: str, value: str) -> dict[tuple[str, str, str], int]:
    return {(row["net"], row["model"], row["precision"]): row[value] for row in json.loads((RESULTS / file).read_text())}


def table_under(heading: str) -> list[list[str]]:
    section = (ROOT / "README.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_costs() -> None:
    cycles, traffic = rows_of("a76.json", "a76_cycles"), rows_of("traffic.json", "beyond_l3_bytes")
    net: tuple[str, str, str] | None = None
    seen = set()
    for name, ours, _, beyond_l3, _ in table_under("What the engine costs"):
        option = next((OPTIONS[option] for option in OPTIONS if option in name), None)
        if option is None:
            net = next(net for beginning, net in NETS.items() if name.startswith(beginning))
        assert net is not None
        key = (*net[:2], option or net[2])
        seen.add(key)
        assert ours == f"{cycles[key] / 1e6:.1f}", name
        if beyond_l3:
            megabytes = traffic[key] / 1e6
            assert beyond_l3 in (f"{megabytes:.0f} MB", f"{megabytes:.1f} MB"), name
    assert seen >= set(NETS.values()) and len(seen) == len(table_under("What the engine costs"))


@pytest.mark.parametrize("variant", ["none", "pact", "prune+pact", "prune"])
def test_accuracies(variant: str) -> None:
    records: list[dict[str, Any]] = json.loads((RESULTS / "accuracy.json").read_text())
    mine = [record for record in records if record["variant"] == variant and record["device"] == "host"]
    usual = {record["net"]: record["scores"] for record in mine if not (record["int8"] or record["precision"] or record["dynamic_int8"])}
    cells = next(row for row in table_under("Making models small") if row[0] == variant)
    assert cells[1:4] == [
        f"{usual['det']['hmean']:.2%}".replace("%", " %"),
        f"{usual['rec']['exact']:.1%}".replace("%", " %"),
        f"{usual['cls']['accuracy']:.1%}".replace("%", " %"),
    ]


def test_int8_that_is_not_exact() -> None:
    text = re.sub(r"\s+", " ", (ROOT / "README.md").read_text())
    found = {
        (record["variant"], record["net"], record["int8"]): record["scores"]
        for record in json.loads((RESULTS / "accuracy.json").read_text())
        if record["device"] == "emulated"
    }
    fast, composed = ([found[variant, "det", int8]["hmean"] for variant in ("pact", "prune+pact")] for int8 in ("fast", "composed"))
    assert f"`--int8 fast` gives {fast[0]:.2%}".replace("%", " %") in text
    assert f"prune+pact: {fast[1]:.2%}".replace("%", " %") in text
    assert f"`--int8 composed` {composed[0]:.2%} ({composed[1]:.2%})".replace("%", " %") in text
