"""BDA, PP-OCR's base data augmentation: rotation, perspective, motion blur and Gaussian noise (PP-OCR, arXiv 2009.09941, 2.2)."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgeocr.data.augment.sample import Picture, Sample, Transform, affine_about_centre, rotation, warp


def bda(p: float = 0.4, degrees: float = 3.0, inset: float = 0.08, most_blur: int = 5, most_noise: float = 10.0) -> Transform:
    """Each of the four with probability ``p``.

    Turned by up to ``degrees`` either way; corners moved by up to ``inset`` of the height; blurred over 3 … ``most_blur`` pixels; noise
    with a standard deviation of up to ``most_noise`` levels.
    """

    def transform(rng: Generator, sample: Sample) -> Sample:
        if rng.random() < p:
            sample = warp(sample, affine_about_centre(sample, rotation(rng.uniform(-degrees, degrees))))
        if rng.random() < p:
            sample = warp(sample, random_perspective(rng, sample.picture, inset))
        if rng.random() < p:
            sample = replace(sample, picture=motion_blur(rng, sample.picture, most_blur))
        if rng.random() < p:
            sample = replace(sample, picture=gaussian_noise(rng, sample.picture, most_noise))
        return sample

    return transform


def random_perspective(rng: Generator, picture: Picture, inset: float) -> NDArray[np.float64]:
    """The matrix [3,3] that moves each corner by up to ``inset`` heights, in or out."""
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-inset, inset, (4, 2)).astype(np.float32) * height
    return np.asarray(cv2.getPerspectiveTransform(corners, moved), np.float64)


def motion_blur(rng: Generator, picture: Picture, most: int) -> Picture:
    """Along a line of 3 … ``most`` pixels in any direction."""
    length = int(rng.integers(3, most + 1))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), float(rng.uniform(0, 180)), 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)


def gaussian_noise(rng: Generator, picture: Picture, most: float) -> Picture:
    noise = rng.normal(0, rng.uniform(0, most), picture.shape)
    noisy: Picture = np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
    return noisy
