"""Exact lines: overlap of boxes and equality of text."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_samples import line

from edgeocr.bench.accuracy import Accuracy, Label, exact_lines, load_labels, overlap
from edgeocr.errors import ModelError
from edgeocr.paths import MODELS


def quad(left: float, top: float, width: float, height: float) -> tuple[tuple[float, float], ...]:
    return ((left, top), (left + width, top), (left + width, top + height), (left, top + height))


@pytest.mark.parametrize(
    ("second", "expected"),
    [(quad(0, 0, 10, 10), 1.0), (quad(5, 0, 10, 10), 1 / 3), (quad(20, 0, 10, 10), 0.0), (quad(0, 0, 10, 5), 0.5), (quad(0, 0, 0, 0), 0.0)],
)
def test_overlap_is_intersection_over_union(second: tuple[tuple[float, float], ...], expected: float) -> None:
    assert overlap(quad(0, 0, 10, 10), second) == pytest.approx(expected, abs=1e-6)


def test_overlap_of_turned_boxes_is_of_their_areas_not_their_bounds() -> None:
    diamond = ((5.0, -2.0), (12.0, 5.0), (5.0, 12.0), (-2.0, 5.0))
    assert overlap(quad(0, 0, 10, 10), diamond) == pytest.approx(82 / (100 + 98 - 82), abs=1e-5)


def test_lines_count_where_box_and_text_agree() -> None:
    labels = [Label("TOTAL", quad(0, 0, 100, 20)), Label("9.95", quad(200, 0, 100, 20)), Label("Bye", quad(0, 50, 100, 20))]
    read = [line("TOTAL", 3, 1), line("9.96", 200, 0), line("Bye", 0, 90)]
    assert exact_lines(labels, read) == Accuracy(1, 3)


def test_best_overlapping_box_decides_even_if_another_has_the_text() -> None:
    labels = [Label("A", quad(0, 0, 100, 20))]
    assert exact_lines(labels, [line("A", 20, 0), line("B", 0, 0)]) == Accuracy(0, 1)
    assert exact_lines(labels, [line("A", 0, 0), line("B", 20, 0)]) == Accuracy(1, 1)


def test_lines_that_are_not_kept_do_not_count() -> None:
    assert exact_lines([Label("A", quad(0, 0, 100, 20))], [line("A", 0, 0, kept=False)]) == Accuracy(0, 1)
    assert exact_lines([Label("A", quad(0, 0, 100, 20))], []) == Accuracy(0, 1)


def test_committed_pages_are_labelled() -> None:
    counts = {path.name: len(load_labels(path) or []) for path in sorted((MODELS / "pictures").glob("*.png"))}
    assert counts == {"page_receipt.png": 26, "page_sign.png": 6}


@pytest.mark.parametrize("labels", ['[{"text": "A"}]', '[{"text": "A", "quad": []}]'])
def test_picture_without_labels_and_broken_labels(tmp_path: Path, labels: str) -> None:
    assert load_labels(tmp_path / "a.png") is None
    (tmp_path / "a.json").write_text(labels)
    with pytest.raises(ModelError, match=r"a.json: is no list of"):
        load_labels(tmp_path / "a.png")
