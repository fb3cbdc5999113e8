"""Augmentations by the names in ``Train.transforms``. Each is a function of a random generator and a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgeocr.data.labels import TextBox
from edgeocr.errors import UsageError

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Sample:
    """A picture, uint8 [h,w,3], and the boxes of its text (none for a line)."""

    picture: Picture
    boxes: tuple[TextBox, ...] = ()


Transform = Callable[[Generator, Sample], Sample]


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


def fliplr(p: float = 0.5) -> Transform:
    """Mirrors picture and boxes; a box then still starts at its leftmost upper corner and runs clockwise."""

    def transform(rng: Generator, sample: Sample) -> Sample:
        if rng.random() >= p:
            return sample
        last = sample.picture.shape[1] - 1
        boxes = [replace(box, points=(box.points * [-1, 1] + [last, 0]).astype(np.float32)[[1, 0, 3, 2]]) for box in sample.boxes]
        return Sample(np.ascontiguousarray(sample.picture[:, ::-1]), tuple(boxes))

    return transform


TRANSFORMS: dict[str, Callable[..., Transform]] = {"ColorJitter": colour_jitter, "Fliplr": fliplr}


def build_transforms(described: Sequence[Mapping[str, Any]]) -> list[Transform]:
    """From ``[{"Fliplr": {"p": 0.5}}, {"ColorJitter": null}]``. Raises UsageError naming the entry."""
    return [_build(entry) for entry in described]


def _build(entry: Mapping[str, Any]) -> Transform:
    if len(entry) != 1:
        raise UsageError(f"Train.transforms has {dict(entry)!r}, expected one name with its options or null")
    ((name, options),) = entry.items()
    if name not in TRANSFORMS:
        raise UsageError(f"Train.transforms names {name}, expected one of {', '.join(TRANSFORMS)}")
    try:
        return TRANSFORMS[name](**(options or {}))
    except TypeError as e:
        raise UsageError(f"Train.transforms.{name}: {e}") from e
