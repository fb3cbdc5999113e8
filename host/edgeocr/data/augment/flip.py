"""Mirroring, for detectors: mirrored text is still where text is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from edgeocr.data.augment.sample import Sample, Transform


def fliplr(p: float = 0.5) -> Transform:
    """Mirrors picture and boxes; a box then still starts at its leftmost upper corner and runs clockwise."""

    def transform(rng: Generator, sample: Sample) -> Sample:
        if rng.random() >= p:
            return sample
        last = sample.picture.shape[1] - 1
        boxes = [replace(box, points=(box.points * [-1, 1] + [last, 0]).astype(np.float32)[[1, 0, 3, 2]]) for box in sample.boxes]
        return Sample(np.ascontiguousarray(sample.picture[:, ::-1]), tuple(boxes))

    return transform
