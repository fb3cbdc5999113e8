"""The steps library and random cases for it."""

from __future__ import annotations

import os

import cv2
import numpy as np
import ocr_steps
import pytest
from numpy.typing import NDArray

# findContours, fillPoly, minAreaRect and warpPerspective of these agree to the bit; pyproject.toml holds the environment there.
TRUTH = ((4, 11), (4, 12))


@pytest.fixture(scope="session")
def steps() -> ocr_steps.Steps:
    reason = ocr_steps.missing()
    if reason and os.environ.get("EDGEOCR_REQUIRE_RUNNER") == "1":
        pytest.fail(f"runner is required here, but {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)
    version = tuple(int(part) for part in cv2.__version__.split(".")[:2])
    assert version in TRUTH, f"OpenCV is {cv2.__version__}, expected 4.11 or 4.12: `make setup` installs it"
    return ocr_steps.Steps()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240611)


@pytest.fixture
def photo() -> NDArray[np.uint8]:
    """63 x 85 pixels with edges, gradients and noise."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (85, 63), interpolation=cv2.INTER_CUBIC).astype(np.int32)
    return np.clip(smooth + rng.integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8)
