"""What a DB detector is to predict: the shrunk text areas and the threshold map around their borders.

PaddleOCR's ``MakeShrinkMap`` and ``MakeBorderMap``, with a choice of how far the areas are shrunk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr.data.labels import TextBox

Map = NDArray[np.float32]

UNCLIP_RATIO = 1.5
THRESH_MIN, THRESH_MAX = 0.3, 0.7
MIN_SIDE = 5.0  # pixels; smaller text is neither text nor background
MOST_OF_SIDE = 0.45  # of the shorter side that may be cut from each border, so that something is left


class DbTargets(NamedTuple):
    """Float32 [H,W] each (or stacked, [N,H,W]). The masks are 1 where the map beside them counts."""

    shrink_map: Map  # 0 or 1
    shrink_mask: Map
    threshold_map: Map  # THRESH_MIN … THRESH_MAX
    threshold_mask: Map


def db_targets(boxes: Sequence[TextBox], height: int, width: int, shrink_ratio: float | None = None) -> DbTargets:
    """The targets of a picture. Boxes may reach beyond it; their corners run clockwise as seen (x right, y down).

    ``shrink_ratio`` r insets by area·(1 − r²)/perimeter as PaddleOCR does (r = 0.4); None insets by `exact_inset`.
    """
    shrink_map, shrink_mask = np.zeros((height, width), np.float32), np.ones((height, width), np.float32)
    threshold_map, threshold_mask = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    for box in boxes:
        quad = np.asarray(box.points, np.float64)
        if box.ignored or _shorter_side(quad) < MIN_SIDE:
            _fill(shrink_mask, quad, 0.0)
            continue
        distance = min(_inset(quad, shrink_ratio), _shorter_side(quad) * MOST_OF_SIDE)
        _fill(shrink_map, offset_quad(quad, -distance), 1.0)
        _draw_border(threshold_map, threshold_mask, quad, distance)
    return DbTargets(shrink_map, shrink_mask, threshold_map * (THRESH_MAX - THRESH_MIN) + THRESH_MIN, threshold_mask)


def exact_inset(area: float, perimeter: float) -> float:
    """The inset d of a rectangle that unclipping by 1.5 undoes, in the rectangle's unit.

    Unclipping moves the borders of the inset rectangle out by 1.5·area'/perimeter', where area' = A − Ld + 4d² and perimeter' = L − 8d.
    Setting that equal to d gives 14d² − 2.5Ld + 1.5A = 0, of which the smaller root is meant.
    """
    a, b, c = 8 + 4 * UNCLIP_RATIO, -(1 + UNCLIP_RATIO) * perimeter, UNCLIP_RATIO * area
    return (-b - math.sqrt(max(b * b - 4 * a * c, 0.0))) / (2 * a)


def offset_quad(quad: NDArray[np.float64], distance: float) -> NDArray[np.float64]:
    """Each edge of a convex quad, clockwise as seen, moved outwards by ``distance`` pixels (inwards where negative)."""
    edges = np.roll(quad, -1, axis=0) - quad
    lengths = np.maximum(np.hypot(edges[:, 0], edges[:, 1]), 1e-6)
    normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1) / lengths[:, None]
    starts = quad + normals * distance
    return np.array([_meet(starts[i - 1], edges[i - 1], starts[i], edges[i]) for i in range(4)])


def _meet(
    p: NDArray[np.float64], along_p: NDArray[np.float64], q: NDArray[np.float64], along_q: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where two lines cross; parallel ones: the start of the second."""
    determinant = along_p[1] * along_q[0] - along_p[0] * along_q[1]
    if abs(determinant) < 1e-9:
        return q
    between = q - p
    t = (between[1] * along_q[0] - between[0] * along_q[1]) / determinant
    crossing: NDArray[np.float64] = p + along_p * t
    return crossing


def _inset(quad: NDArray[np.float64], shrink_ratio: float | None) -> float:
    x, y = quad.T
    area = abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
    perimeter = float(np.hypot(np.roll(x, -1) - x, np.roll(y, -1) - y).sum())
    if shrink_ratio is None:
        return exact_inset(area, perimeter)
    return area * (1 - shrink_ratio**2) / max(perimeter, 1e-6)


def _shorter_side(quad: NDArray[np.float64]) -> float:
    return float(min(np.hypot(*(quad[1] - quad[0])), np.hypot(*(quad[3] - quad[0]))))


def _fill(canvas: Map, quad: NDArray[np.float64], value: float) -> None:
    cv2.fillConvexPoly(canvas, np.round(quad).astype(np.int32), [value])


def _draw_border(threshold_map: Map, threshold_mask: Map, quad: NDArray[np.float64], distance: float) -> None:
    """1 on the border of ``quad``, falling to 0 at ``distance`` from it on both sides; the mask is the grown quad."""
    height, width = threshold_map.shape
    grown = offset_quad(quad, distance)
    x0, y0 = np.maximum(np.floor(grown.min(axis=0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(grown.max(axis=0)).astype(int) + 2, [width, height])
    if x1 <= x0 or y1 <= y0:
        return
    inside = np.zeros((y1 - y0, x1 - x0), np.float32)
    _fill(inside, grown - [x0, y0], 1.0)
    values = np.clip(1 - _distances(quad - [x0, y0], y1 - y0, x1 - x0) / distance, 0, 1) * inside
    window = np.s_[y0:y1, x0:x1]
    threshold_map[window] = np.maximum(threshold_map[window], values)
    threshold_mask[window] = np.maximum(threshold_mask[window], inside)


def _distances(quad: NDArray[np.float64], height: int, width: int) -> Map:
    """Of each pixel from the nearest edge of ``quad``, [height,width]."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    nearest = np.full((height, width), np.inf, np.float32)
    for (px, py), (qx, qy) in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        ex, ey = qx - px, qy - py
        along = np.clip(((x - px) * ex + (y - py) * ey) / max(ex * ex + ey * ey, 1e-6), 0, 1)
        np.minimum(nearest, np.hypot(x - px - along * ex, y - py - along * ey), out=nearest)
    return nearest
