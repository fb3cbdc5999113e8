"""Resizing equals cv2.resize(INTER_LINEAR), turning equals numpy, to the bit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from ocr_steps import StepError, Steps


def test_resize_equals_opencv(steps: Steps, rng: np.random.Generator) -> None:
    for i in range(2000):
        height, width, out_height, out_width = (int(side) for side in rng.integers(1, 160, 4))
        if i % 10 == 0:
            height = out_height
        elif i % 10 == 1:
            height, width = 2 * out_height, 2 * out_width  # OpenCV's own path
        elif i % 10 == 2:
            height = 2 * out_height
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        ours = steps.resize(picture, out_width, out_height)
        assert np.array_equal(ours, cv2.resize(picture, (out_width, out_height))), (width, height, out_width, out_height)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 20_000), (20_000, 1), (2, 2)])
@pytest.mark.parametrize(("out_width", "out_height"), [(1, 1), (32, 960), (960, 32), (3, 1)])
def test_resize_of_extreme_sizes(steps: Steps, rng: np.random.Generator, width: int, height: int, out_width: int, out_height: int) -> None:
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.array_equal(steps.resize(picture, out_width, out_height), cv2.resize(picture, (out_width, out_height)))


def test_resize_to_nothing_is_refused(steps: Steps) -> None:
    with pytest.raises(StepError, match="resize is 4x4 to 0x3, expected sides of at least 1"):
        steps.resize(np.zeros((4, 4, 3), np.uint8), 0, 3)


def test_turning(steps: Steps, rng: np.random.Generator) -> None:
    for _ in range(1000):
        height, width = (int(side) for side in rng.integers(1, 40, 2))
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        assert np.array_equal(steps.rotate_90_ccw(picture), np.rot90(picture))
        assert np.array_equal(steps.rotate_180(picture), np.rot90(picture, 2))
