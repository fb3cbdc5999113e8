"""Crops equal cv2.getPerspectiveTransform and warpPerspective(INTER_CUBIC, BORDER_REPLICATE), to the bit."""

from __future__ import annotations

import cv2
import numpy as np
import paddle_ocr
import pytest
from numpy.typing import NDArray
from ocr_steps import StepError, Steps


def random_quad(rng: np.random.Generator, extent: int) -> NDArray[np.float32]:
    """A slanted, skewed box with whole corners, perhaps partly outside of the picture."""
    centre, sides = rng.uniform(0, extent, 2), (float(rng.uniform(4, 150)), float(rng.uniform(4, 40)))
    corners = cv2.boxPoints(((centre[0], centre[1]), sides, float(rng.uniform(0, 90)))) + rng.uniform(-2, 2, (4, 2))
    return np.asarray(paddle_ocr.order_points_clockwise(np.round(corners)), np.float32)


def test_crops_equal_opencv(steps: Steps, rng: np.random.Generator) -> None:
    for _ in range(1200):
        height, width = (int(side) for side in rng.integers(1, 200, 2))
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        quad = random_quad(rng, 150)
        ours, theirs = steps.crop(picture, quad), paddle_ocr.get_rotate_crop_image(picture, quad)
        assert np.array_equal(ours, theirs), (width, height, quad.tolist())


def test_transforms_equal_opencv(steps: Steps, rng: np.random.Generator) -> None:
    for _ in range(1000):
        source, target = rng.uniform(-50, 500, (2, 4, 2)).astype(np.float32)
        assert np.array_equal(steps.perspective(source, target), cv2.getPerspectiveTransform(source, target))


@pytest.mark.parametrize("quad", [
    [[0, 0], [5, 5], [10, 10], [15, 15]],  # on one line: no transform
    [[0, 0], [9, 9], [9, 0], [0, 9]],  # crosses itself
    [[-90, -90], [-60, -90], [-60, -80], [-90, -80]],  # outside
])  # fmt: skip
def test_odd_quads_crop_as_opencv_crops_them(steps: Steps, photo: NDArray[np.uint8], quad: list[list[float]]) -> None:
    corners = np.array(quad, np.float32)
    assert np.array_equal(steps.crop(photo, corners), paddle_ocr.get_rotate_crop_image(photo, corners))


def test_a_box_without_area_or_end_is_refused(steps: Steps, photo: NDArray[np.uint8]) -> None:
    with pytest.raises(StepError, match=r"text box is 0x0, expected sides of at least 1: corners \(3, 3\)"):
        steps.crop(photo, np.full((4, 2), 3, np.float32))
    for value in (np.nan, np.inf, 3e6):
        with pytest.raises(StepError, match="text box has a corner that is no number or farther out than"):
            steps.crop(photo, np.array([[0, 0], [9, 0], [9, value], [0, 9]], np.float32))


def test_a_picture_wider_than_opencv_takes(steps: Steps, rng: np.random.Generator) -> None:
    """OpenCV's remap ends at 32767; beyond it, crops are those of the same content further left."""
    near = rng.integers(0, 256, (20, 100, 3), dtype=np.uint8)
    far = np.zeros((20, 40_000, 3), np.uint8)
    far[:, 39_900:] = near
    quad = np.array([[20, 4], [70, 4], [70, 16], [20, 16]], np.float32)
    assert np.array_equal(steps.crop(far, quad + np.array([39_900, 0], np.float32)), steps.crop(near, quad))
