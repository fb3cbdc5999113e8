"""Contours and hulls equal OpenCV's: same order, same points, same first point."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from ocr_steps import Points, Steps


def random_masks(rng: np.random.Generator, count: int) -> Iterator[NDArray[np.uint8]]:
    """Noise, blobs with holes, and polygons that touch the border."""
    for i in range(count):
        height, width = (int(side) for side in rng.integers(1, 60, 2))
        noise = rng.random((height, width))
        if i % 3 == 0:
            mask = (noise < rng.uniform(0.1, 0.9)).astype(np.uint8)
        elif i % 3 == 1:
            mask = (cv2.blur(noise, (5, 3)).reshape(height, width) < rng.uniform(0.4, 0.6)).astype(np.uint8)
        else:
            mask = np.zeros((height, width), np.uint8)
            for _ in range(int(rng.integers(1, 5))):
                corners = rng.integers(-5, 60, (int(rng.integers(3, 8)), 2)).astype(np.int32)
                cv2.fillPoly(mask, [corners], [int(rng.integers(0, 2))])
        yield mask


def opencv_contours(mask: NDArray[np.uint8]) -> list[Points]:
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    return [np.asarray(contour[:, 0], np.int32) for contour in contours]


def test_contours_equal_opencv(steps: Steps, rng: np.random.Generator) -> None:
    for mask in random_masks(rng, 1500):
        ours, theirs = steps.find_contours(mask), opencv_contours(mask)
        assert [c.tolist() for c in ours] == [c.tolist() for c in theirs], mask.tolist()


def test_limit_keeps_the_first_contours(steps: Steps, rng: np.random.Generator) -> None:
    for mask in random_masks(rng, 100):
        everything = steps.find_contours(mask)
        for limit in (0, 1, 2, 7, len(everything), len(everything) + 1):
            assert [c.tolist() for c in steps.find_contours(mask, limit)] == [c.tolist() for c in everything[:limit]]


def test_hulls_equal_opencv(steps: Steps, rng: np.random.Generator) -> None:
    for mask in random_masks(rng, 300):
        for contour in steps.find_contours(mask):
            assert steps.convex_hull(contour).tolist() == cv2.convexHull(contour)[:, 0].tolist(), contour.tolist()
    for _ in range(1000):
        points = rng.integers(0, int(rng.integers(1, 30)), (int(rng.integers(1, 40)), 2)).astype(np.int32)
        assert steps.convex_hull(points).tolist() == cv2.convexHull(points)[:, 0].tolist(), points.tolist()
