"""Boxes from a detector's map, as PaddleOCR's ``DBPostProcess`` finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Quad = NDArray[np.float32]


@dataclass(frozen=True)
class DbPostProcess:
    thresh: float = 0.3
    box_thresh: float = 0.6
    unclip_ratio: float = 1.5
    max_candidates: int = 1000
    min_size: float = 3.0  # pixels of the map, before unclipping; 2 more after it

    def boxes(self, probabilities: NDArray[np.float32]) -> list[Quad]:
        """The text boxes of a map [H,W] in 0…1: quads [4,2] in pixels of the map.

        The outline of a rectangle grown with round corners has that rectangle, longer by twice the distance on both sides, as its smallest
        rectangle; so nothing but the sides is computed here.
        """
        bitmap = (probabilities > self.thresh).astype(np.uint8)
        contours, _ = cv2.findContours(bitmap, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        found = []
        for contour in contours[: self.max_candidates]:
            centre, (a, b), angle = cv2.minAreaRect(contour)
            if min(a, b) < self.min_size or _mean_inside(probabilities, _corners(centre, a, b, angle)) < self.box_thresh:
                continue
            grow = 2 * a * b * self.unclip_ratio / (2 * (a + b))
            if min(a, b) + grow >= self.min_size + 2:
                found.append(_corners(centre, a + grow, b + grow, angle))
        return found


def _corners(centre: Sequence[float], width: float, height: float, angle: float) -> Quad:
    return np.asarray(cv2.boxPoints((centre, (width, height), angle)), np.float32)


def _mean_inside(probabilities: NDArray[np.float32], quad: Quad) -> float:
    height, width = probabilities.shape
    x0, y0 = np.clip(np.floor(quad.min(axis=0)).astype(int), 0, [width - 1, height - 1])
    x1, y1 = np.clip(np.ceil(quad.max(axis=0)).astype(int), 0, [width - 1, height - 1])
    mask = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
    cv2.fillPoly(mask, [(quad - np.array([x0, y0], np.float32)).astype(np.int32)], [1])
    return float(cv2.mean(probabilities[y0 : y1 + 1, x0 : x1 + 1], mask)[0])
