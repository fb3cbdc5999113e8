"""Targets of DB, and the way back: a map that is predicted perfectly gives the boxes again."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeocr.data.db_targets import THRESH_MAX, THRESH_MIN, UNCLIP_RATIO, db_targets, exact_inset, offset_quad
from edgeocr.data.labels import TextBox
from edgeocr.data.metrics import iou
from edgeocr.train.db_postprocess import DbPostProcess

Quad = NDArray[np.float32]


def turned(cx: float, cy: float, width: float, height: float, degrees: float) -> Quad:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2]
    return np.asarray(corners @ turn.T + [cx, cy], np.float32)


def box(quad: Quad, text: str = "text") -> TextBox:
    return TextBox(quad, text)


PAGE = [
    turned(100, 40, 150, 24, 0),
    turned(100, 100, 150, 24, 7),
    turned(60, 160, 80, 60, -20),
    turned(220, 120, 20, 140, 3),
    turned(160, 215, 200, 14, -2),
]


def test_the_exact_inset_is_undone_by_unclipping() -> None:
    for width, height in ((100, 20), (30, 30), (200, 8)):
        d = exact_inset(width * height, 2 * (width + height))
        inner_area, inner_perimeter = (width - 2 * d) * (height - 2 * d), 2 * (width + height - 4 * d)
        assert 0 < d < height / 2
        assert inner_area * UNCLIP_RATIO / inner_perimeter == pytest.approx(d)


def test_a_perfect_map_gives_the_boxes_back() -> None:
    targets = db_targets([box(quad) for quad in PAGE], 256, 256)
    found = DbPostProcess().boxes(targets.shrink_map)
    assert len(found) == len(PAGE)
    overlaps = [max(iou(quad, other) for other in found) for quad in PAGE]
    assert min(overlaps) > 0.8
    assert np.mean(overlaps) > 0.88


def test_paddle_ocrs_ratio_gives_them_back_less_well() -> None:
    found = {ratio: DbPostProcess().boxes(db_targets([box(quad) for quad in PAGE], 256, 256, ratio).shrink_map) for ratio in (None, 0.4)}
    overlaps = {ratio: np.mean([max(iou(quad, other) for other in boxes) for quad in PAGE]) for ratio, boxes in found.items()}
    assert overlaps[None] > overlaps[0.4] + 0.05


def test_the_shrink_ratio_is_paddle_ocrs_rule() -> None:
    """area · (1 − r²) / perimeter: 100 x 20 at r = 0.4 is inset by 7."""
    shrink_map = db_targets([box(turned(100, 50, 100, 20, 0))], 100, 200, shrink_ratio=0.4).shrink_map
    rows, columns = np.nonzero(shrink_map)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (47, 53, 57, 143)


def test_ignored_and_tiny_text_is_masked() -> None:
    targets = db_targets([box(turned(50, 50, 40, 20, 0), text="###"), box(turned(150, 50, 40, 4, 0))], 100, 200)
    assert not targets.shrink_map.any()
    assert not targets.threshold_mask.any()
    assert targets.shrink_mask[50, 50] == 0
    assert targets.shrink_mask[50, 150] == 0
    assert targets.shrink_mask[90, 100] == 1


def test_the_threshold_map_is_highest_on_the_border() -> None:
    width, height = 100, 20
    targets = db_targets([box(turned(100, 50, width, height, 0))], 100, 200)
    d = exact_inset(width * height, 2 * (width + height))
    column = targets.threshold_map[:, 100]
    assert column[40] == pytest.approx(THRESH_MAX), "on the upper edge"
    for off in (-2, -1, 1, 2):
        assert column[40 + off] == pytest.approx(THRESH_MIN + (THRESH_MAX - THRESH_MIN) * (1 - abs(off) / d), abs=1e-5)
    assert column[5] == pytest.approx(THRESH_MIN)
    assert targets.threshold_mask[5, 100] == 0
    assert targets.threshold_mask[40, 100] == 1


def test_boxes_may_reach_beyond_the_picture() -> None:
    whole = db_targets([box(turned(100, 50, 120, 30, 5))], 100, 200)
    moved = db_targets([box(turned(100 - 60, 50 - 20, 120, 30, 5))], 80, 140)
    for map_of_whole, map_of_window in zip(whole, moved, strict=True):
        differs = np.abs(map_of_window - map_of_whole[20:, 60:]) > 1e-5
        assert differs.mean() < 0.01, "OpenCV cuts a sloping edge at the window to whole pixels"
    assert not db_targets([box(turned(500, 500, 50, 20, 0))], 64, 64).threshold_mask.any()


@pytest.mark.parametrize("distance", [3.0, -3.0])
def test_offset_moves_every_edge(distance: float) -> None:
    quad: NDArray[np.float64] = turned(0, 0, 60, 20, 0).astype(np.float64)
    np.testing.assert_allclose(offset_quad(quad, distance), turned(0, 0, 60 + 2 * distance, 20 + 2 * distance, 0), atol=1e-5)


def test_what_is_small_or_faint_is_no_box() -> None:
    probabilities = np.zeros((64, 64), np.float32)
    probabilities[10:20, 10:50] = 0.5
    assert DbPostProcess().boxes(probabilities) == [], "brighter than thresh, fainter than box_thresh"
    probabilities[10:20, 10:50] = 0.7
    probabilities[40:42, 10:12] = 1
    (box,) = DbPostProcess().boxes(probabilities)
    assert box.min() < 10
    assert DbPostProcess(thresh=0.8).boxes(probabilities) == []
