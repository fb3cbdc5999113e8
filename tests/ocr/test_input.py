"""Network inputs: PaddleOCR's sizes, numpy's float32 bits, zero padding."""

from __future__ import annotations

import cv2
import numpy as np
import paddle_ocr
import pytest
from numpy.typing import NDArray
from ocr_steps import StepError, Steps


def test_sizes_equal_paddle_ocr(steps: Steps, rng: np.random.Generator) -> None:
    for _ in range(3000):
        width, height = (int(side) for side in np.exp(rng.uniform(0, np.log(20_000), 2)))
        limit = int(rng.choice([960, 736, 64]))
        assert steps.detector_size(width, height, limit) == paddle_ocr.detector_size(width, height, limit), (width, height, limit)
        assert steps.classifier_size(width, height) == paddle_ocr.line_size(width, height, 48, 192, grows=False), (width, height)
        for net_height in (32, 48):
            expected = paddle_ocr.line_size(width, height, net_height, 320, grows=True)
            assert steps.recogniser_size(width, height, net_height) == expected, (width, height, net_height)


def test_detector_input_has_numpys_bits(steps: Steps, rng: np.random.Generator) -> None:
    for _ in range(300):
        height, width = (int(side) for side in rng.integers(1, 90, 2))
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        filled = steps.fill_input(picture, 64, (1, 3, 32, 64), detector=True)[0]
        expected = paddle_ocr.normalise_detector_input(cv2.resize(picture, (64, 32)))
        assert np.array_equal(filled[..., :3].view(np.uint32), expected.view(np.uint32))
        assert not filled[..., 3].any()


def test_line_input_has_numpys_bits_and_is_padded_with_zeros(steps: Steps, rng: np.random.Generator) -> None:
    for _ in range(1000):
        height, width, content = (int(side) for side in rng.integers(1, 60, 3))
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        filled = steps.fill_input(picture, content, (1, 3, 32, 64), detector=False)[0]
        expected = paddle_ocr.normalise_line(cv2.resize(picture, (content, 32)))
        assert np.array_equal(filled[:, :content, :3].view(np.uint32), expected.view(np.uint32))
        assert not filled[:, content:].view(np.uint32).any()
        assert not filled[..., 3].any()


def test_one_item_of_a_batch_is_filled(steps: Steps, photo: NDArray[np.uint8]) -> None:
    filled = steps.fill_input(photo, 40, (3, 3, 32, 64), detector=False, item=1)
    assert np.isnan(filled[0]).all() and np.isnan(filled[2]).all()
    assert np.array_equal(filled[1], steps.fill_input(photo, 40, (1, 3, 32, 64), detector=False)[0])


def test_content_that_does_not_fit_is_refused(steps: Steps, photo: NDArray[np.uint8]) -> None:
    with pytest.raises(StepError, match="content 65 of batch item 0 does not fit the input 1x3x32x64"):
        steps.fill_input(photo, 65, (1, 3, 32, 64), detector=False)
    with pytest.raises(StepError, match="content 4 of batch item 1 does not fit"):
        steps.fill_input(photo, 4, (1, 3, 32, 64), detector=False, item=1)
