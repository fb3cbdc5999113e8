"""TIA, text image augmentation: the line's borders are pulled at several points and the picture follows smoothly.

Distort, stretch and perspective of Luo et al., "Learn to Augment" (CVPR 2020), which PP-OCR's recognisers are trained with; the picture is
deformed by affine moving least squares (Schaefer et al., "Image Deformation Using Moving Least Squares", SIGGRAPH 2006).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgeocr.data.augment.sample import Picture, Sample, Transform

Points = NDArray[np.float64]  # [N, 2], x and y in pixels

GRID = 8  # pixels between the places where the deformation is computed; it is interpolated between them


def tia(p: float = 0.4, segments: int = 3, strength: float = 0.3) -> Transform:
    """With probability ``p`` one of the three, for lines.

    ``segments`` cuts the line along its length; points move by up to ``strength`` of a segment's length and of a third of the height.
    """

    def transform(rng: Generator, sample: Sample) -> Sample:
        height, width = sample.picture.shape[:2]
        if sample.boxes or width < 2 * segments or height < 4 or rng.random() >= p:
            return sample
        at = fiducials(height, width, segments)
        move = (distort, stretch, perspective)[int(rng.integers(3))]
        return replace(sample, picture=deform(sample.picture, at, move(rng, at, height, width / segments, strength)))

    return transform


def fiducials(height: int, width: int, segments: int) -> Points:
    """Points on the upper border from left to right, then on the lower one."""
    x = np.linspace(0, width - 1, segments + 1)
    return np.array([(column, row) for row in (0.0, height - 1.0) for column in x])


def distort(rng: Generator, at: Points, height: int, segment: float, strength: float) -> Points:
    """Every point on its own."""
    moved: Points = at + rng.uniform(-strength, strength, at.shape) * [segment / 2, height / 3]
    return moved


def stretch(rng: Generator, at: Points, height: int, segment: float, strength: float) -> Points:
    """Inner points to the left or right, upper and lower one alike."""
    half = len(at) // 2
    shift = np.zeros(half)
    shift[1:-1] = rng.uniform(-strength, strength, half - 2) * segment
    moved: Points = at.copy()
    moved[:, 0] += np.tile(shift, 2)
    return moved


def perspective(rng: Generator, at: Points, height: int, segment: float, strength: float) -> Points:
    """Both ends higher or lower, points between them in proportion."""
    half = len(at) // 2
    upper_left, upper_right, lower_left, lower_right = map(float, rng.uniform(0, strength, 4) * height / 2)
    moved: Points = at.copy()
    moved[:half, 1] += np.linspace(upper_left, upper_right, half)
    moved[half:, 1] -= np.linspace(lower_left, lower_right, half)
    return moved


def deform(picture: Picture, at: Points, to: Points) -> Picture:
    """What is at the points ``at`` comes to the points ``to``; the border is repeated."""
    height, width = picture.shape[:2]
    rows, columns = -(-height // GRID) + 1, -(-width // GRID) + 1
    y, x = np.mgrid[0:rows, 0:columns] * float(GRID)
    coarse = moving_least_squares(np.stack([x.ravel(), y.ravel()], 1), to, at).reshape(rows, columns, 2).astype(np.float32)
    # Between the places of the grid linearly; their pixels lie at multiples of GRID.
    full_y, full_x = np.mgrid[0:height, 0:width].astype(np.float32) / GRID
    source = cv2.remap(coarse, full_x, full_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    source_x, source_y = np.ascontiguousarray(source[..., 0]), np.ascontiguousarray(source[..., 1])
    return np.asarray(cv2.remap(picture, source_x, source_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def moving_least_squares(v: Points, p: Points, q: Points) -> Points:
    """Where a smooth deformation that takes ``p`` to ``q`` takes ``v``: at each v the affine map of least squares, weights 1/|p − v|²."""
    apart = ((v[:, None] - p[None]) ** 2).sum(-1)
    weights = 1 / np.maximum(apart, 1e-6)
    weights /= weights.sum(1, keepdims=True)
    p_mean, q_mean = weights @ p, weights @ q
    p_rel, q_rel = p[None] - p_mean[:, None], q[None] - q_mean[:, None]
    moments = np.einsum("vn,vni,vnj->vij", weights, p_rel, p_rel)
    mixed = np.einsum("vn,vni,vnj->vij", weights, p_rel, q_rel)
    linear = np.linalg.solve(moments + 1e-9 * np.eye(2), mixed)
    moved: Points = np.einsum("vi,vij->vj", v - p_mean, linear) + q_mean
    return moved
