"""PaddleOCR's label files, as they are.

Detection: ``path<TAB>[{"transcription": "text", "points": [[x, y] x 4]}, …]``, points in pixels, clockwise from the text's top left.
Recognition: ``path<TAB>text``. Direction: the same with "0" or "180" for text. UTF-8, a line per picture, paths relative to a data folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeocr.errors import DataError

IGNORED = ("*", "###")  # transcriptions of text that is neither to be found nor counted as wrong (PaddleOCR's DetLabelEncode)
CORNERS = 4
DIRECTIONS = ("0", "180")  # what a direction classifier's classes 0 and 1 are labelled


@dataclass(frozen=True, eq=False)
class TextBox:
    points: NDArray[np.float32]  # [4, 2], x and y in pixels, clockwise from the text's top left
    transcription: str

    @property
    def ignored(self) -> bool:
        return self.transcription in IGNORED


@dataclass(frozen=True)
class DetSample:
    image: Path
    boxes: tuple[TextBox, ...]


@dataclass(frozen=True)
class RecSample:
    image: Path
    text: str


def direction_of(sample: RecSample) -> int:
    """1 for a line turned by 180°. Raises DataError for a label that is no direction."""
    if sample.text not in DIRECTIONS:
        raise DataError(f"{sample.image}: is labelled {sample.text!r}, expected a direction, {' or '.join(DIRECTIONS)}")
    return DIRECTIONS.index(sample.text)


def read_det_labels(label_file: Path, data_dir: Path | None = None) -> list[DetSample]:
    """``data_dir`` holds the pictures, the label file's own folder if None. Raises DataError naming the file and the line."""
    samples = []
    for number, image, content in _lines(label_file, data_dir):
        try:
            boxes = tuple(_box(entry) for entry in json.loads(content))
        except (ValueError, KeyError, TypeError) as e:
            expected = f'a list of {{"transcription": text, "points": [[x, y] x {CORNERS}]}}'
            raise DataError(f"{label_file}, line {number}: expected {expected} after the tab: {e}") from e
        samples.append(DetSample(image, boxes))
    return samples


def read_rec_labels(label_file: Path, data_dir: Path | None = None) -> list[RecSample]:
    """As `read_det_labels`."""
    return [RecSample(image, text) for _, image, text in _lines(label_file, data_dir)]


def write_det_labels(label_file: Path, samples: Iterable[DetSample]) -> None:
    """Replaces the file in one step; pictures inside its folder are named relative to it."""
    _write(label_file, ((sample.image, json.dumps([_entry(box) for box in sample.boxes], ensure_ascii=False)) for sample in samples))


def write_rec_labels(label_file: Path, samples: Iterable[RecSample]) -> None:
    """As `write_det_labels`. ValueError for a text that a line cannot hold."""
    _write(label_file, ((sample.image, sample.text) for sample in samples))


def _lines(label_file: Path, data_dir: Path | None) -> Iterator[tuple[int, Path, str]]:
    """Line number, picture, what follows the tab."""
    try:
        lines = label_file.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError as e:
        raise DataError(f"{label_file}: no such label file", "give another, or draw one: `edgeocr synth --help`") from e
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(f"{label_file}: cannot be read as a label file: {e}") from e
    folder = data_dir if data_dir is not None else label_file.parent
    found = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        image, tab, content = line.rstrip("\r").partition("\t")
        if not tab or not image:
            raise DataError(f"{label_file}, line {number}: expected a picture's path, a tab and its label")
        found = True
        yield number, folder / image, content
    if not found:
        raise DataError(f"{label_file}: has no labels")


def _box(entry: dict[str, Any]) -> TextBox:
    points = np.asarray(entry["points"], np.float32)
    if points.shape != (CORNERS, 2) or not np.isfinite(points).all():
        raise ValueError(f"points are of shape {list(points.shape)}, expected {CORNERS} finite x and y")
    if not isinstance(entry["transcription"], str):
        raise ValueError(f"transcription is {entry['transcription']!r}, expected a text")
    return TextBox(points, entry["transcription"])


def _entry(box: TextBox) -> dict[str, Any]:
    return {"transcription": box.transcription, "points": [[round(float(v), 2) for v in point] for point in box.points]}


def _write(label_file: Path, labels: Iterable[tuple[Path, str]]) -> None:
    lines = []
    for image, content in labels:
        if "\n" in content or "\r" in content:
            raise ValueError(f"{image}: the label {content!r} has a line break")
        name = image.relative_to(label_file.parent) if image.is_relative_to(label_file.parent) else image
        lines.append(f"{name.as_posix()}\t{content}\n")
    new = label_file.with_name(f".{label_file.name}.{os.getpid()}")
    try:
        new.write_text("".join(lines), encoding="utf-8")
        new.replace(label_file)
    except OSError as e:
        raise DataError(f"{label_file}: cannot be written: {e.strerror}") from e
    finally:
        new.unlink(missing_ok=True)
