"""One line of text as a detector's crop shows it: what a recogniser or a direction classifier reads."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgeocr.data.synth import surface, text
from edgeocr.data.synth.fonts import font_files, load_font, plain_fonts
from edgeocr.data.synth.ink import Mask, draw_ink
from edgeocr.data.synth.lookalikes import is_unclear

FONT_SIZES = (26, 32, 38, 44)
SLACK = 1.25  # a line may be this much wider than allowed and is then squeezed, as the recogniser's resizing does


class Level(IntEnum):
    """How hard a line is to read."""

    CLEAN = 0
    USUAL = 1
    HARD = 2


class _Manner(NamedTuple):
    contrast: float
    roughness: float
    jitter: float  # of a corner, in heights of the line
    tilt: float  # standard deviation, degrees


MANNERS = {
    Level.CLEAN: _Manner(110, 0.15, 0.0, 0.0),
    Level.USUAL: _Manner(70, 0.7, 0.05, 1.5),
    Level.HARD: _Manner(50, 1.1, 0.09, 2.0),
}


class Line(NamedTuple):
    picture: NDArray[np.uint8]  # BGR [height, width, 3]
    text: str


def make_line(rng: Generator, level: Level, *, height: int, most_width: int, lengths: tuple[int, int], held_out: bool) -> Line:
    """A text of ``lengths`` characters, least and most; the picture is ``height`` high and at most ``most_width`` wide."""
    while True:
        content = text.line(rng, *lengths)
        if text.is_held_out(content) != held_out:
            continue
        line = _draw_line(rng, content, level, height, most_width)
        if line is not None:
            return Line(line, content)


def _draw_line(rng: Generator, content: str, level: Level, height: int, most_width: int) -> NDArray[np.uint8] | None:
    """None where the text has no ink, does not fit, or could be read in two ways."""
    manner = MANNERS[level]
    fonts = plain_fonts() if level == Level.CLEAN else font_files()
    file = fonts[int(rng.integers(len(fonts)))]
    if is_unclear(content, file):
        return None
    font = load_font(file, FONT_SIZES[int(rng.integers(len(FONT_SIZES)))])
    spacing = int(rng.integers(1, 6)) if level and rng.random() < 0.12 else 0
    mask = draw_ink(content, font, spacing)
    if mask is None:
        return None
    above, below, left, right = _margins(rng, content, font.size, font.getbbox(content)[1], font.getmetrics()[0], mask, level)
    full_height, full_width = mask.shape[0] + above + below, mask.shape[1] + left + right
    scale_y = height / full_height
    wanted = full_width * scale_y * (rng.uniform(0.85, 1.15) if level else 1.0)
    if not 8 <= wanted <= most_width * SLACK:
        return None
    width = int(min(most_width, round(wanted)))
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * mask.shape[::-1] + [left, above]
    corners = corners * [width / full_width, scale_y]
    if level:
        corners = _distort(rng, corners, manner, width, height)
    coverage = _warp(mask, corners, width, height)
    return _paint(rng, coverage, level, manner)


def _margins(
    rng: Generator, content: str, size: float, top: float, ascent: float, mask: Mask, level: Level
) -> tuple[float, float, float, float]:
    """Above, below, left, right, in pixels of the mask. Low glyphs keep their place in the line: a dash must not fill the height."""
    above = below = float(rng.uniform(0.02, 0.16) * size)
    least = 0.62 * size
    if mask.shape[0] < least:
        raised = max(0.0, top - 0.22 * ascent)
        above += raised
        below += max(0.0, least - mask.shape[0] - raised)
    if level and rng.random() < 0.5:
        above, below = above * rng.uniform(0.3, 1.9), below * rng.uniform(0.3, 1.9)
    left, right = rng.uniform(0.03, 0.35, 2) * size
    return above, below, float(left), float(right)


def _distort(rng: Generator, corners: NDArray[np.float64], manner: _Manner, width: int, height: int) -> NDArray[np.float64]:
    """A detector's box is never exact: moved corners, some tilt, now and then a slant."""
    corners = corners + rng.uniform(-manner.jitter * height, manner.jitter * height, (4, 2))
    most = 7.0 / max(width, 1)  # the ends of a long line stay inside of the crop
    tilt = float(np.clip(np.tan(np.radians(rng.normal(0, manner.tilt))), -most, most))
    corners[:, 1] += (corners[:, 0] - width / 2) * tilt
    if rng.random() < 0.15:
        corners[:, 0] += (height / 2 - corners[:, 1]) * rng.uniform(-0.25, 0.25)
    return corners


def _warp(mask: Mask, corners: NDArray[np.float64], width: int, height: int) -> surface.Canvas:
    """Coverage [height, width, 1] in 0…1."""
    source = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * np.array(mask.shape[::-1], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    warped = cv2.warpPerspective(mask, matrix, (width, height), flags=cv2.INTER_LINEAR)
    coverage: surface.Canvas = np.asarray(warped, np.float32)[:, :, None] / np.float32(255)
    return coverage


def _paint(rng: Generator, coverage: surface.Canvas, level: Level, manner: _Manner) -> NDArray[np.uint8]:
    height, width = coverage.shape[:2]
    paper, ink = surface.paper_and_ink(rng, manner.contrast)
    canvas = surface.backdrop(rng, height, width, paper, manner.roughness)
    if level and rng.random() < 0.06:
        surface.cast_shadow(rng, canvas, 0.4)
    if level and rng.random() < 0.12:
        offset = int(rng.integers(-1, 2)), int(rng.integers(-2, 3))
        surface.lay_ink(canvas, np.roll(coverage, offset, (0, 1)) * np.float32(0.5), rng.uniform(0, 255, 3))
    surface.lay_ink(canvas, coverage, ink)
    if level and rng.random() < 0.08:
        canvas[int(rng.choice([1, 2, height - 3, height - 2]))] = ink
    return surface.degrade(rng, canvas, manner.roughness)
