"""A reading drawn over its picture: numbered boxes, and beside them a legend with the texts.

OpenCV's own fonts have ASCII only; a line with other letters keeps its number in the legend, and its text is in the command's output.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edgeocr.device.records import Line
from edgeocr.errors import EdgeocrError, UsageError
from edgeocr.files import write_atomically

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
COLOUR, WEAK = (40, 40, 220), (150, 150, 150)  # BGR: kept lines, the others
FONT = cv2.FONT_HERSHEY_SIMPLEX


def check_target(path: Path, picture: Path) -> None:
    """Raises `UsageError` where a drawing of ``picture`` cannot be written, before any work is done."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: the drawing's suffix is {path.suffix or 'missing'}, expected {', '.join(SUFFIXES)}")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: expected a file in a folder that exists")
    if os.path.exists(path) and os.path.exists(picture) and os.path.samefile(path, picture):
        raise UsageError(f"{path}: is the picture itself, which the drawing would replace", "name another file")


def draw(picture: Path, lines: Sequence[Line], target: Path) -> None:
    """Writes the drawing, whole or not at all."""
    image = cv2.imread(str(picture), cv2.IMREAD_COLOR)
    if image is None:
        raise EdgeocrError(f"{picture}: OpenCV cannot decode it: nothing was drawn")
    scale = max(0.4, min(image.shape[:2]) / 1000)
    thickness = max(1, round(scale * 1.5))
    legend = _legend(lines, scale, image.shape[0])
    for number, line in enumerate(lines, start=1):
        colour = COLOUR if line.kept else WEAK
        corners = np.asarray(line.box, dtype=np.int32)
        cv2.polylines(image, [corners], isClosed=True, color=colour, thickness=thickness, lineType=cv2.LINE_AA)
        x, y = corners[0]
        cv2.putText(image, str(number), (int(x), max(int(y) - 2, 10)), FONT, scale, colour, thickness, cv2.LINE_AA)
    height = max(image.shape[0], legend.shape[0])
    done, encoded = cv2.imencode(target.suffix.lower(), np.hstack([_padded(image, height), _padded(legend, height)]))
    if not done:
        raise EdgeocrError(f"{target}: OpenCV cannot encode the drawing")
    write_atomically(target, encoded.tobytes())


def _legend(lines: Sequence[Line], scale: float, height: int) -> np.ndarray:
    """A white panel with one row for each line."""
    texts = [f"{number}  {_drawable(line.text)}" for number, line in enumerate(lines, start=1)]
    step = max(14, round(36 * scale))
    width = max((cv2.getTextSize(text, FONT, scale, 1)[0][0] for text in texts), default=0) + step
    panel = np.full((max(height, step * (len(texts) + 1)), width, 3), 255, np.uint8)
    for row, (text, line) in enumerate(zip(texts, lines, strict=True), start=1):
        cv2.putText(panel, text, (step // 2, row * step), FONT, scale, (0, 0, 0) if line.kept else WEAK, 1, cv2.LINE_AA)
    return panel


def _drawable(text: str) -> str:
    return text if text.isascii() and text.isprintable() else ""


def _padded(image: np.ndarray, height: int) -> np.ndarray:
    return cv2.copyMakeBorder(image, 0, height - image.shape[0], 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
