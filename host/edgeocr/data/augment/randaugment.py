"""RandAugment (Cubuk et al., 2019): some operations of a list, all of one magnitude. Colours by Pillow, geometry with the boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageEnhance, ImageOps

from edgeocr.data.augment.sample import Sample, Transform, affine_about_centre, rotation, warp

GREATEST = 10.0  # of magnitudes
Operation = Callable[[Sample, float], Sample]  # strength -1 … 1; where it has no direction, its absolute value counts


def randaugment(n: int = 2, m: float = 5.0) -> Transform:
    """``n`` operations of magnitude ``m`` (0 … 10), each in a random direction."""
    if not 0 <= m <= GREATEST:
        raise TypeError(f"m is {m:g}, expected 0 … {GREATEST:g}")
    operations = list(OPERATIONS.values())

    def transform(rng: Generator, sample: Sample) -> Sample:
        for k in rng.integers(0, len(operations), n):
            direction = 1 if rng.random() < 0.5 else -1
            sample = operations[int(k)](sample, direction * m / GREATEST)
        return sample

    return transform


def _pillow(change: Callable[[Image.Image, float], Image.Image], sample: Sample, strength: float) -> Sample:
    # Pillow takes the planes for R, G, B; the operations treat them alike but for their weights in grey.
    picture = np.asarray(change(Image.fromarray(np.ascontiguousarray(sample.picture)), strength), np.uint8)
    return replace(sample, picture=picture)


def _enhanced(enhancer: Callable[[Image.Image], ImageEnhance._Enhance], picture: Image.Image, strength: float) -> Image.Image:
    return enhancer(picture).enhance(1 + 0.9 * strength)


def _rotate(sample: Sample, strength: float) -> Sample:
    return warp(sample, affine_about_centre(sample, rotation(30 * strength)))


def _shear(axis: int, sample: Sample, strength: float) -> Sample:
    linear = np.eye(2)
    linear[axis, 1 - axis] = 0.3 * strength
    return warp(sample, affine_about_centre(sample, linear))


def _translate(axis: int, sample: Sample, strength: float) -> Sample:
    shift = 0.1 * strength * sample.picture.shape[1 - axis]
    return warp(sample, affine_about_centre(sample, np.eye(2), (shift, 0.0) if axis == 0 else (0.0, shift)))


OPERATIONS: dict[str, Operation] = {
    "shearX": partial(_shear, 0),
    "shearY": partial(_shear, 1),
    "translateX": partial(_translate, 0),
    "translateY": partial(_translate, 1),
    "rotate": _rotate,
    "color": partial(_pillow, partial(_enhanced, ImageEnhance.Color)),
    "contrast": partial(_pillow, partial(_enhanced, ImageEnhance.Contrast)),
    "brightness": partial(_pillow, partial(_enhanced, ImageEnhance.Brightness)),
    "sharpness": partial(_pillow, partial(_enhanced, ImageEnhance.Sharpness)),
    "posterize": partial(_pillow, lambda picture, strength: ImageOps.posterize(picture, 8 - round(4 * abs(strength)))),
    "solarize": partial(_pillow, lambda picture, strength: ImageOps.solarize(picture, round(256 * (1 - abs(strength))))),
    "autocontrast": partial(_pillow, lambda picture, strength: ImageOps.autocontrast(picture)),
    "equalize": partial(_pillow, lambda picture, strength: ImageOps.equalize(picture)),
    "invert": partial(_pillow, lambda picture, strength: ImageOps.invert(picture)),
}
