"""CopyPaste: text of one page put on free places of another (PP-OCRv2, arXiv 2109.03144, 2.1.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgeocr.data.augment.sample import Picture, Sample, Transform
from edgeocr.data.labels import TextBox

MARGIN = 3  # pixels that stay free between texts
TRIES = 10  # places for one text


def copy_paste(others: Callable[[Generator], Sample], p: float = 0.5, objects: int = 10) -> Transform:
    """With probability ``p`` up to ``objects`` texts of a sample of ``others`` are pasted, in their size and angle, where there is room."""

    def transform(rng: Generator, sample: Sample) -> Sample:
        if rng.random() >= p:
            return sample
        other = others(rng)
        texts = [box for box in other.boxes if not box.ignored]
        chosen = [texts[int(k)] for k in rng.permutation(len(texts))[:objects]]
        return paste(rng, sample, other.picture, chosen)

    return transform


def paste(rng: Generator, sample: Sample, source: Picture, texts: list[TextBox]) -> Sample:
    """The texts that find a free place within the picture, and their boxes behind those of the sample."""
    picture = sample.picture.copy()
    height, width = picture.shape[:2]
    taken = np.zeros((height, width), np.uint8)
    for box in sample.boxes:
        _mark(taken, box.points)
    boxes = list(sample.boxes)
    for text in texts:
        placed = _free_place(rng, taken, text)
        if placed is not None:
            _copy(source, text.points, picture, placed.points)
            _mark(taken, placed.points)
            boxes.append(placed)
    return Sample(picture, tuple(boxes))


def _mark(taken: NDArray[np.uint8], points: NDArray[np.float32]) -> None:
    outline = np.round(points).astype(np.int32)
    cv2.fillPoly(taken, [outline], [1])
    cv2.polylines(taken, [outline], True, [1], 2 * MARGIN)


def _free_place(rng: Generator, taken: NDArray[np.uint8], text: TextBox) -> TextBox | None:
    """The text moved by whole pixels to where nothing is marked."""
    height, width = taken.shape
    x0, y0 = np.floor(text.points.min(0)).astype(int)
    x1, y1 = np.ceil(text.points.max(0)).astype(int) + 1
    if x1 - x0 > width or y1 - y0 > height:
        return None
    for _ in range(TRIES):
        x, y = int(rng.integers(0, width - (x1 - x0) + 1)), int(rng.integers(0, height - (y1 - y0) + 1))
        if not taken[y : y + y1 - y0, x : x + x1 - x0].any():
            return replace(text, points=(text.points + np.array([x - x0, y - y0])).astype(np.float32))
    return None


def _copy(source: Picture, from_points: NDArray[np.float32], picture: Picture, to_points: NDArray[np.float32]) -> None:
    """Copies the pixels of a quadrangle; both lie a whole number of pixels apart. Pixels beyond the source's border are left out."""
    shift = np.round(to_points[0] - from_points[0]).astype(int)
    inside = np.zeros(source.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(from_points).astype(np.int32)], [1])
    y, x = np.nonzero(inside)
    to_y, to_x = y + shift[1], x + shift[0]
    fits = (to_y >= 0) & (to_x >= 0) & (to_y < picture.shape[0]) & (to_x < picture.shape[1])
    picture[to_y[fits], to_x[fits]] = source[y[fits], x[fits]]
