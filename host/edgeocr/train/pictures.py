"""Pictures as the nets take them, with PaddleOCR's normalisation. Pictures are uint8 [h,w,3], blue first; planes keep that order."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from edgeocr.data.augment.sample import Picture
from edgeocr.errors import DataError

Planes = NDArray[np.float32]

DET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DET_STD = np.array([0.229, 0.224, 0.225], np.float32)
WIDTH_STEP = 16  # lines of a batch are padded to a multiple of it
DET_STEP = 32  # the detector halves five times


def read_bytes(file: Path) -> bytes:
    """Raises DataError."""
    try:
        return file.read_bytes()
    except OSError as e:
        raise DataError(f"{file}: cannot be read: {e.strerror}") from e


def size_of(encoded: bytes, file: Path) -> tuple[int, int]:
    """Width and height by the header of a picture file. Raises DataError."""
    try:
        with Image.open(io.BytesIO(encoded)) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError) as e:
        raise DataError(f"{file}: is no picture that can be read") from e
    return int(width), int(height)


def decode(encoded: bytes, file: Path) -> Picture:
    """Raises DataError."""
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR) if encoded else None
    if picture is None:
        raise DataError(f"{file}: is no picture that can be read")
    return np.asarray(picture, np.uint8)


def det_planes(picture: Picture) -> Planes:
    """→ [3,h,w]."""
    normalised = (picture.astype(np.float32) / 255 - DET_MEAN) / DET_STD
    return np.ascontiguousarray(normalised.transpose(2, 0, 1))


def det_size(width: int, height: int, limit_side_len: int = 960) -> tuple[int, int]:
    """Width and height of the detector's input: the longer side at most ``limit_side_len``, both to the nearest multiple of 32."""
    ratio = min(1.0, limit_side_len / max(width, height))
    net_width, net_height = (max(round(int(side * ratio) / DET_STEP) * DET_STEP, DET_STEP) for side in (width, height))
    return net_width, net_height


def line_width(width: int, height: int, net_height: int, most: int | None = None) -> int:
    """Width of a line scaled to ``net_height``; longer lines are squeezed to ``most``."""
    scaled = max(math.ceil(width * net_height / height), 1)
    return scaled if most is None else min(scaled, most)


def padded_width(width: int) -> int:
    return -(-width // WIDTH_STEP) * WIDTH_STEP


def line_planes(lines: Sequence[Picture], height: int, width: int) -> Planes:
    """Lines of ``height``, ``width`` wide at most → [N,3,height,width], zero (mid grey) to the right of each."""
    batch = np.zeros((len(lines), 3, height, width), np.float32)
    for planes, line in zip(batch, lines, strict=True):
        planes[:, :, : line.shape[1]] = (line.transpose(2, 0, 1).astype(np.float32) / 255 - 0.5) / 0.5
    return batch
