"""What augmentations take and give, and the one way in which they move pixels and boxes together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgeocr.data.labels import TextBox

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Sample:
    """A picture, uint8 [h,w,3], and the boxes of its text (none for a line)."""

    picture: Picture
    boxes: tuple[TextBox, ...] = ()


Transform = Callable[[Generator, Sample], Sample]


def augmented(transforms: Iterable[Transform], rng: Generator, sample: Sample) -> Sample:
    for transform in transforms:
        sample = transform(rng, sample)
    return sample


def warp(sample: Sample, matrix: NDArray[np.float64]) -> Sample:
    """Moves every point (x, y, 1) to ``matrix`` [3,3] times it, in pixels; the picture keeps its size, its border is repeated."""
    height, width = sample.picture.shape[:2]
    picture = cv2.warpPerspective(sample.picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    boxes = [replace(box, points=cv2.perspectiveTransform(box.points[None], matrix)[0].astype(np.float32)) for box in sample.boxes]
    return Sample(np.asarray(picture, np.uint8), tuple(boxes))


def affine_about_centre(sample: Sample, linear: NDArray[np.float64], shift: tuple[float, float] = (0.0, 0.0)) -> NDArray[np.float64]:
    """The matrix [3,3] that applies ``linear`` [2,2] about the picture's centre and then shifts by x and y pixels."""
    height, width = sample.picture.shape[:2]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre - linear @ centre + shift
    return matrix


def rotation(degrees: float) -> NDArray[np.float64]:
    """[2,2], clockwise as seen (x right, y down)."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, -sine], [sine, cosine]])
