"""What text stands on, and what a camera does to it. Pictures are BGR, float32 [H, W, 3] in 0…255 until `degrade` gives uint8."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Canvas = NDArray[np.float32]
Colour = NDArray[np.float64]  # B, G, R
LUMINANCE = np.array([0.114, 0.587, 0.299])  # of B, G, R (BT.601)


def luminance(colour: Colour) -> float:
    return float(colour @ LUMINANCE)


def colour_against(rng: Generator, other: Colour, contrast: float) -> Colour:
    """A colour whose luminance differs from the other's by more than ``contrast`` (of 255, at most 125)."""
    while True:
        colour = rng.uniform(0, 255, 3)
        if abs(luminance(colour) - luminance(other)) > contrast:
            return colour


def paper_and_ink(rng: Generator, contrast: float) -> tuple[Colour, Colour]:
    """Dark on light in half of the cases, any two colours of some contrast in the others."""
    if rng.random() < 0.5:
        paper = np.full(3, rng.uniform(180, 255)) + rng.normal(0, 8, 3)
        ink = np.full(3, rng.uniform(0, 90)) + rng.normal(0, 12, 3)
        return np.clip(paper, 0, 255), np.clip(ink, 0, 255)
    paper = rng.uniform(0, 255, 3)
    return paper, colour_against(rng, paper, contrast)


def backdrop(rng: Generator, height: int, width: int, colour: Colour, roughness: float) -> Canvas:
    """A plain colour with, the rougher the likelier, a shade from one side to the other, blotches, grain or ruling."""
    canvas = np.empty((height, width, 3), np.float32)
    canvas[:] = colour
    if rng.random() < 0.45 * roughness + 0.1:
        down, across = rng.normal(0, 25 * roughness, 2)
        shade = np.linspace(-1, 1, height)[:, None] * down + np.linspace(-1, 1, width)[None] * across
        canvas += (shade[:, :, None] * rng.uniform(0.5, 1.2, 3)).astype(np.float32)
    if rng.random() < 0.5 * roughness:
        coarse = rng.normal(0, 14 * roughness, (height // 24 + 2, width // 24 + 2, 3)).astype(np.float32)
        canvas += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.15 * roughness:
        grain = rng.normal(0, 9 * roughness, (height // 2 + 1, width // 2 + 1, 1)).astype(np.float32)
        canvas += cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)[:, :, None]
    if rng.random() < 0.12 * roughness:
        period, step = int(rng.integers(6, 26)), np.float32(rng.normal(0, 18))
        if rng.random() < 0.6:
            canvas[::period] += step
        else:
            canvas[:, ::period] += step
    return canvas


def cast_shadow(rng: Generator, canvas: Canvas, strength: float) -> None:
    """Darkens, in place, what lies on one side of a soft straight edge."""
    height, width = canvas.shape[:2]
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, strength)
    softness = rng.uniform(0.03, 0.2) * max(height, width)
    y, x = np.ogrid[:height, :width]
    distance = (x - rng.uniform(0, width)) * np.cos(angle) + (y - rng.uniform(0, height)) * np.sin(angle)
    canvas *= (1 - depth / (1 + np.exp(-np.clip(distance / softness, -30, 30))))[:, :, None].astype(np.float32)


def lay_ink(canvas: Canvas, coverage: Canvas, ink: Colour) -> None:
    """Blends ``ink`` into the canvas in place; coverage [H, W, 1] in 0…1."""
    canvas *= 1 - coverage
    canvas += ink.astype(np.float32) * coverage


def degrade(rng: Generator, canvas: Canvas, roughness: float) -> NDArray[np.uint8]:
    """Loss of resolution, blur of the lens or of motion, the sensor's noise, JPEG."""
    height, width = canvas.shape[:2]
    if rng.random() < 0.25 * roughness:
        scale = rng.uniform(0.5, 0.85)
        small = cv2.resize(canvas, (max(4, int(width * scale)), max(4, int(height * scale))), interpolation=cv2.INTER_AREA)
        canvas = np.asarray(cv2.resize(small, (width, height)), np.float32)
    if rng.random() < 0.35 * roughness:
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.1)), np.float32)
    if rng.random() < 0.08 * roughness:
        canvas = _motion_blur(rng, canvas)
    if rng.random() < 0.6:
        canvas = canvas + rng.normal(0, rng.uniform(1, 9 * roughness + 1), canvas.shape).astype(np.float32)
    picture = np.clip(canvas, 0, 255).astype(np.uint8)
    if rng.random() < 0.25 * roughness:
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 90))])
        picture = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    return picture


def _motion_blur(rng: Generator, canvas: Canvas) -> Canvas:
    length = int(rng.integers(2, 5))
    kernel = np.zeros((length, length), np.float32)
    ends = [(0, 0, length - 1, length - 1), (0, length // 2, length - 1, length // 2), (length // 2, 0, length // 2, length - 1)]
    x0, y0, x1, y1 = ends[int(rng.integers(3))]
    cv2.line(kernel, (x0, y0), (x1, y1), [1.0])
    return np.asarray(cv2.filter2D(canvas, -1, kernel / kernel.sum()), np.float32)
