"""Changes of colour that leave the text readable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from edgeocr.data.augment.sample import Sample, Transform


def colour_jitter(p_invert: float = 0.25, p_shuffle: float = 1.0, p_brightness: float = 0.5) -> Transform:
    """Inverts, swaps colour planes, changes contrast and brightness, each with its own probability."""

    def transform(rng: Generator, sample: Sample) -> Sample:
        picture = sample.picture
        if rng.random() < p_invert:
            picture = 255 - picture
        if rng.random() < p_shuffle:
            picture = picture[..., rng.permutation(3)]
        if rng.random() < p_brightness:
            levels = np.arange(256, dtype=np.float32) * rng.uniform(0.65, 1.2) + rng.uniform(-25, 25)
            picture = np.clip(levels, 0, 255).astype(np.uint8)[picture]
        return replace(sample, picture=picture)

    return transform
