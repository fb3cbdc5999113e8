"""The published tables are the printed ones, and a defect in a table is one line naming it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr.bench.published import FOLDER, other_figures, slimocr
from edgeocr.errors import ModelError
from edgeocr.zoo.registry import VARIANTS


def test_slimocr_table_is_the_printed_one() -> None:
    rows = slimocr().rows
    assert [row.number for row in rows] == [0, 1, 2, 3]
    assert {row.variant for row in rows} == set(VARIANTS)
    assert [(row.detector.ms, row.recogniser.ms_per_box, row.total_ms, row.size_mb) for row in rows] == [
        (224, 9.52, 375, 8.6), (195, 8.6, 348, 2.8), (142, 8.6, 288, 2.8), (138, 8.6, 295, 2.9),
    ]  # fmt: skip
    assert [row.detector.accuracy for row in rows] == [61.7, 62.1, 60.86, 61.57]
    assert [row.compression_percent for row in rows] == [None, 67.82, 67.82, 66.28]


def test_printed_speed_ups_follow_from_the_printed_totals() -> None:
    base, *others = slimocr().rows
    for row in others:
        assert row.speed_up_percent == pytest.approx(100 * (base.total_ms / row.total_ms - 1), abs=0.5)


def test_other_figures_have_a_source() -> None:
    figures = other_figures()
    assert len(figures) == 8 and all(figure.source and (figure.ms or figure.size_mb) for figure in figures)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema = 1", "schema = 9", "schema is missing or another, expected 1"),
        ("ms = 224", 'ms = "fast"', "row 0: detector: ms is 'fast', expected a number"),
        ("total_ms = 375", "", "row 0: missing 1 required positional argument: 'total_ms'"),
        ("total_ms = 375", "totel_ms = 375", "row 0: totel_ms is not a field"),
        ('strategy = "none"', "strategy = 3", "row 0: strategy is 3, expected text"),
    ],
)
def test_defects_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (FOLDER / "slimocr.toml").read_text()
    assert old in text
    path = tmp_path / "slimocr.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ModelError) as caught:
        slimocr(path)
    assert caught.value.message.startswith(str(path)) and message in caught.value.message
