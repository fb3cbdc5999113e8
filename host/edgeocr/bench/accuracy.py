"""Exact lines: how many labelled lines of a page were read letter by letter.

A labelled line takes the kept box that overlaps it best, and counts if they overlap by at least half (intersection over union) and the
text is equal. A label file is the picture's name with .json: a list of {"text": …, "quad": [[x, y] x 4]}.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeocr.data.metrics import iou
from edgeocr.device.records import Line, Point
from edgeocr.errors import ModelError

MIN_IOU = 0.5


@dataclass(frozen=True)
class Label:
    text: str
    quad: tuple[Point, ...]


@dataclass(frozen=True)
class Page:
    """A picture to read, and its labels if it has a label file."""

    picture: Path
    labels: list[Label] | None

    @classmethod
    def load(cls, picture: Path) -> Page:
        """Raises as `load_labels`."""
        return cls(picture, load_labels(picture))


@dataclass(frozen=True)
class Accuracy:
    """Labelled lines read exactly, and all of them."""

    exact: int
    lines: int


def load_labels(picture: Path) -> list[Label] | None:
    """The labels beside a picture, or None if it has no label file. Raises `ModelError` if the file is not as above."""
    path = picture.with_suffix(".json")
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return [Label(str(line["text"]), _quad(line["quad"])) for line in document]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f'{path}: is no list of {{"text": …, "quad": [[x, y] x 4]}}: {type(error).__name__} {error}') from error


def _quad(corners: list[list[float]]) -> tuple[Point, ...]:
    if len(corners) != 4:
        raise ValueError(f"a quad of {len(corners)} corners")
    return tuple((float(x), float(y)) for x, y in corners)


def overlap(first: Sequence[Point], second: Sequence[Point]) -> float:
    """Intersection over union of two convex quadrangles."""
    return iou(np.asarray(first, np.float32), np.asarray(second, np.float32))


def exact_lines(labels: Sequence[Label], lines: Sequence[Line]) -> Accuracy:
    return Accuracy(sum(_is_exact(label, lines) for label in labels), len(labels))


def _is_exact(label: Label, lines: Sequence[Line]) -> bool:
    overlaps = [(overlap(label.quad, line.box), line.text) for line in lines if line.kept]
    best, text = max(overlaps, default=(0.0, ""))
    return best >= MIN_IOU and text == label.text
