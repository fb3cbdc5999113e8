"""Scores against cases whose answer is plain."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.data.labels import TextBox
from edgeocr.data.metrics import BoxMatches, DetScore, Quad, RecScore, cls_accuracy, edit_distance, iou, match_boxes


def label(x: float, y: float, width: float, height: float, text: str = "text") -> TextBox:
    return TextBox(box(x, y, width, height), text)


def box(x: float, y: float, width: float, height: float) -> Quad:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def test_iou_of_shifted_squares() -> None:
    assert iou(box(0, 0, 10, 10), box(0, 0, 10, 10)) == pytest.approx(1)
    assert iou(box(0, 0, 10, 10), box(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert iou(box(0, 0, 10, 10), box(10, 0, 10, 10)) == 0


def test_iou_knows_turned_boxes() -> None:
    diamond = np.array([[5, 0], [10, 5], [5, 10], [0, 5]], np.float32)
    assert iou(diamond, box(0, 0, 10, 10)) == pytest.approx(0.5)


def test_the_direction_of_the_corners_does_not_matter() -> None:
    assert iou(box(0, 0, 10, 4)[::-1], box(0, 0, 10, 4)) == pytest.approx(1)


def test_a_quad_without_area_meets_nothing() -> None:
    flat = np.zeros((4, 2), np.float32)
    assert iou(flat, box(-5, -5, 10, 10)) == 0
    assert match_boxes([flat], [label(-5, -5, 10, 10)]) == BoxMatches(0, 1, 1)


def test_each_label_takes_one_box() -> None:
    labels = [label(0, 0, 10, 10), label(20, 0, 10, 10)]
    twice = [box(0, 0, 10, 10), box(0, 0, 10, 9)]
    assert match_boxes(twice, labels) == BoxMatches(matched=1, predicted=2, labelled=2)


def test_half_an_overlap_is_not_enough() -> None:
    assert match_boxes([box(0, 0, 10, 5)], [label(0, 0, 10, 10)]).matched == 0
    assert match_boxes([box(0, 0, 10, 5.1)], [label(0, 0, 10, 10)]).matched == 1


def test_boxes_in_ignored_labels_count_neither_way() -> None:
    labels = [label(0, 0, 10, 10), label(20, 0, 10, 10, text="###")]
    assert match_boxes([box(0, 0, 10, 10), box(21, 0, 5, 10)], labels) == BoxMatches(1, 1, 1)
    assert match_boxes([box(0, 0, 10, 10), box(26, 0, 10, 10)], labels) == BoxMatches(1, 2, 1), "by less than half"


def test_the_score_of_a_set_is_that_of_the_sums() -> None:
    score = DetScore.of([BoxMatches(3, 4, 3), BoxMatches(0, 0, 3)])
    assert (score.precision, score.recall, score.hmean) == pytest.approx((0.75, 0.5, 0.6))


def test_nothing_found_scores_zero() -> None:
    assert DetScore.of([BoxMatches(0, 0, 3)]) == DetScore(0, 0, 0)
    assert DetScore.of([]) == DetScore(0, 0, 0)


@pytest.mark.parametrize(
    ("text", "label", "distance"),
    [("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2), ("flaw", "lawn", 2)],
)
def test_edit_distance(text: str, label: str, distance: int) -> None:
    assert edit_distance(text, label) == distance


def test_lines_and_characters() -> None:
    score = RecScore.of(["total", "1O.50"], ["total", "10.50"])
    assert (score.exact, score.characters) == pytest.approx((0.5, 0.9))
    assert RecScore.of(["much too long"], ["no"]).characters == 0, "never below nothing"
    assert RecScore.of([], []) == RecScore(0, 0)


def test_directions() -> None:
    assert cls_accuracy([0, 1, 1, 0], [0, 1, 0, 0]) == 0.75
