"""Pages and scenes with text in known boxes: what a detector finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgeocr.data.db_targets import offset_quad
from edgeocr.data.labels import TextBox
from edgeocr.data.synth import surface, text
from edgeocr.data.synth.fonts import font_files, load_font
from edgeocr.data.synth.ink import Mask, draw_ink

Quad = NDArray[np.float32]  # [4, 2], clockwise from the text's top left

PAGE_SHARE = 0.55  # the others are scenes with scattered signs
LEAST_CONTRAST = 60.0
ROUGHNESS = 1.3
DEGRADATION = 0.8


class Page(NamedTuple):
    picture: NDArray[np.uint8]  # BGR [H, W, 3]
    boxes: tuple[TextBox, ...]  # the ink's tight quadrangles


class _Proposal(NamedTuple):
    """A line that is drawn if it fits: inside of the picture, off the others."""

    text: str
    size: int  # of the font, pixels per em
    x: float
    y: float
    angle: float  # degrees
    font: Path


def make_page(rng: Generator, height: int, width: int, sizes: tuple[int, int]) -> Page:
    """``sizes``: least and greatest font size in pixels. There may be a page without text."""
    paper, ink = surface.paper_and_ink(rng, 70)
    canvas = surface.backdrop(rng, height, width, paper, ROUGHNESS)
    _clutter(rng, canvas, paper)
    is_page = rng.random() < PAGE_SHARE
    proposals = _rows(rng, height, width, sizes) if is_page else _signs(rng, height, width, sizes)
    taken = np.zeros((height, width), np.uint8)
    boxes = []
    for proposal in proposals:
        mask, content = _fitting_ink(rng, proposal, 0.97 * width)
        if mask is None:
            continue
        quad = _place(rng, proposal, mask, height, width, is_page)
        if _claim(taken, quad, mask.shape[0]):
            _write(rng, canvas, mask, quad, ink, is_page)
            boxes.append(TextBox(quad, content))
    if rng.random() < 0.15:
        surface.cast_shadow(rng, canvas, 0.45)
    canvas, boxes = _tilt_camera(rng, canvas, boxes)
    return Page(surface.degrade(rng, canvas, DEGRADATION), tuple(boxes))


def _clutter(rng: Generator, canvas: surface.Canvas, paper: surface.Colour) -> None:
    """Shapes that are no text."""
    height, width = canvas.shape[:2]
    for _ in range(int(rng.integers(0, 7))):
        colour = (rng.uniform(0, 255, 3) if rng.random() < 0.4 else paper + rng.normal(0, 22, 3)).tolist()
        points = rng.integers(0, [width, height], (int(rng.integers(3, 7)), 2)).astype(np.int32)
        first, second = ((int(x), int(y)) for x, y in points[:2])
        filled = rng.random() < 0.55
        stroke = -1 if filled else int(rng.integers(1, 5))
        shape = rng.random()
        if shape < 0.4:
            cv2.rectangle(canvas, first, second, colour, stroke)
        elif shape < 0.6:
            cv2.circle(canvas, first, int(rng.integers(4, max(6, height // 5))), colour, stroke, cv2.LINE_AA)
        elif shape < 0.85:
            cv2.line(canvas, first, second, colour, int(rng.integers(1, 6)), cv2.LINE_AA)
        else:
            cv2.fillPoly(canvas, [points], colour)


def _rows(rng: Generator, height: int, width: int, sizes: tuple[int, int]) -> Iterator[_Proposal]:
    """A paragraph, a list or a receipt: one angle, one font, rows of like size, at times a second column."""
    angle = _angle(rng)
    font = _font(rng)
    usual = int(rng.integers(sizes[0], max(sizes[0] + 1, int(sizes[1] * 0.62))))
    x, y = rng.uniform(2, width * 0.3), rng.uniform(0, height * 0.5)
    leading, column = rng.uniform(1.15, 2.2), rng.uniform(0.6, 0.9) * width
    two_columns = rng.random() < 0.35
    for _ in range(int(rng.integers(2, 16))):
        size = max(sizes[0], usual if rng.random() < 0.8 else int(usual * rng.uniform(0.8, 1.8)))
        indent = 0.0 if rng.random() < 0.8 else rng.uniform(0, width * 0.3)
        yield _Proposal(text.line(rng, 3, 24), size, x + indent, y, angle, font)
        if two_columns:
            yield _Proposal(text.line(rng, 2, 7), size, column, y, angle, font)
        y += size * leading
        if y > height:
            return


def _signs(rng: Generator, height: int, width: int, sizes: tuple[int, int]) -> Iterator[_Proposal]:
    base = _angle(rng)
    for _ in range(int(rng.integers(1, 11))):
        size = int(np.exp(rng.uniform(np.log(sizes[0]), np.log(sizes[1]))))
        angle = base if rng.random() < 0.5 else rng.uniform(-15, 15)
        content = text.line(rng, 1 if rng.random() < 0.15 else 3, 16)
        yield _Proposal(content, size, rng.uniform(0, width * 0.8), rng.uniform(0, height * 0.9), angle, _font(rng))


def _angle(rng: Generator) -> float:
    kind = rng.random()
    return 0.0 if kind < 0.3 else float(rng.normal(0, 5)) if kind < 0.75 else float(rng.uniform(-15, 15))


def _font(rng: Generator) -> Path:
    files = font_files()
    return files[int(rng.integers(len(files)))]


def _fitting_ink(rng: Generator, proposal: _Proposal, most_width: float) -> tuple[Mask | None, str]:
    """The ink and its text, words dropped from the end until it fits."""
    font = load_font(proposal.font, proposal.size)
    content = proposal.text
    spacing = int(rng.integers(1, 5)) if rng.random() < 0.08 else 0
    mask = draw_ink(content, font, spacing)
    while mask is not None and mask.shape[1] > most_width and " " in content:
        content = content.rsplit(" ", 1)[0]
        mask = draw_ink(content, font, spacing)
    return mask, content


def _place(rng: Generator, proposal: _Proposal, mask: Mask, height: int, width: int, is_page: bool) -> Quad:
    """Rows turn about the picture's centre, signs about themselves."""
    cosine, sine = np.cos(np.radians(proposal.angle)), np.sin(np.radians(proposal.angle))
    turn = np.array([[cosine, sine], [-sine, cosine]])
    quad = _corners(mask) @ turn
    if is_page:
        centre = np.array([width / 2, height / 2])
        quad += (np.array([proposal.x, proposal.y]) - centre) @ turn + centre
    else:
        quad += np.array([proposal.x, proposal.y]) - quad.min(0)
    if rng.random() < 0.2:
        quad += rng.uniform(-0.06, 0.06, (4, 2)) * mask.shape[0]
    placed: Quad = quad.astype(np.float32)
    return placed


def _grown(quad: Quad, distance: float) -> NDArray[np.int32]:
    return np.round(offset_quad(quad.astype(np.float64), distance)).astype(np.int32)


def _corners(mask: Mask) -> NDArray[np.float64]:
    height, width = mask.shape
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)


def _claim(taken: NDArray[np.uint8], quad: Quad, text_height: int) -> bool:
    """Marks the line's place, with a margin, if it is inside of the picture and free."""
    height, width = taken.shape
    if (quad < 1).any() or (quad > np.array([width - 2, height - 2])).any():
        return False
    place = np.zeros_like(taken)
    cv2.fillConvexPoly(place, _grown(quad, 0.16 * text_height + 1.5), [1])
    if (place & taken).any():
        return False
    taken |= place
    return True


def _write(rng: Generator, canvas: surface.Canvas, mask: Mask, quad: Quad, ink: surface.Colour, is_page: bool) -> None:
    height, width = canvas.shape[:2]
    x0, y0 = np.maximum(np.floor(quad.min(0)).astype(int) - 2, 0)
    x1, y1 = np.minimum(np.ceil(quad.max(0)).astype(int) + 3, [width, height])
    matrix = cv2.getPerspectiveTransform(_corners(mask).astype(np.float32), quad - np.array([x0, y0], np.float32))
    warped = cv2.warpPerspective(mask, matrix, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
    if not is_page and rng.random() < 0.3:
        plate = _grown(quad, rng.uniform(0.05, 0.4) * mask.shape[0] + 2)
        cv2.fillConvexPoly(canvas, plate, rng.uniform(0, 255, 3).tolist(), cv2.LINE_AA)
    window = canvas[y0:y1, x0:x1]
    here = np.median(window.reshape(-1, 3)[::3], 0).astype(np.float64)
    if abs(surface.luminance(here) - surface.luminance(ink)) < LEAST_CONTRAST or (not is_page and rng.random() < 0.5):
        ink = surface.colour_against(rng, here, LEAST_CONTRAST)
    surface.lay_ink(window, np.asarray(warped, np.float32)[:, :, None] / np.float32(255), ink)


def _tilt_camera(rng: Generator, canvas: surface.Canvas, boxes: list[TextBox]) -> tuple[surface.Canvas, list[TextBox]]:
    """Now and then the whole picture is seen from aside: its corners move inwards by up to 6 % of the sides."""
    if rng.random() >= 0.2:
        return canvas, boxes
    height, width = canvas.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * rng.uniform(0, 0.06, (4, 2)) * [width, height]
    matrix = cv2.getPerspectiveTransform(corners, (corners + inwards).astype(np.float32))
    seen = cv2.warpPerspective(canvas, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = [TextBox(cv2.perspectiveTransform(box.points[None], matrix)[0].astype(np.float32), box.transcription) for box in boxes]
    return np.asarray(seen, np.float32), moved
