"""The steps around the nets, as the runtime computes them: cpp_runtime/tests/steps, called by ctypes.

Pictures are numpy arrays height x width x 3 of B G R bytes, quads float32 4 x 2, points int32 n x 2. A step that fails raises StepError
with the runtime's message.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeocr import paths

LIBRARY = Path(os.environ.get("EDGEOCR_STEPS_LIB", paths.BUILD / "host" / "libedgeocr_steps.so"))

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Points = NDArray[np.int32]


class StepError(Exception):
    """The runtime refused; the message is its one line."""


def missing() -> str | None:
    """Why the steps cannot be called, if so."""
    return None if LIBRARY.is_file() else f"{LIBRARY} is not built: `make runner` builds it"


def _c(array: NDArray[Any]) -> ctypes.c_void_p:
    assert array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)


def _quad(quad: NDArray[Any]) -> Floats:
    return np.ascontiguousarray(quad, dtype=np.float32).reshape(4, 2)


class Steps:
    def __init__(self) -> None:
        self._library = ctypes.CDLL(str(LIBRARY))
        self._library.steps_error.restype = ctypes.c_char_p
        self._library.steps_free.argtypes = [ctypes.c_void_p]

    def _call(self, name: str, *arguments: Any) -> int:
        status = int(getattr(self._library, name)(*arguments))
        if status < 0:
            raise StepError(self._library.steps_error().decode())
        return status

    def _take(self, memory: ctypes.c_void_p, dtype: type[Any], count: int) -> NDArray[Any]:
        """Copy a result into an array and free it."""
        data = ctypes.string_at(memory, count * np.dtype(dtype).itemsize)
        self._library.steps_free(memory)
        return np.array(np.frombuffer(data, dtype=dtype))

    def _take_picture(self, size: Any, memory: ctypes.c_void_p) -> Bytes:
        width, height = size
        picture: Bytes = self._take(memory, np.uint8, width * height * 3).reshape(height, width, 3)
        return picture

    def decode(self, file: bytes, name: str = "picture") -> Bytes:
        size, out = (ctypes.c_int * 2)(), ctypes.c_void_p()
        self._call("steps_decode", file, ctypes.c_size_t(len(file)), name.encode(), size, ctypes.byref(out))
        return self._take_picture(size, out)

    def decode_file(self, path: Path) -> Bytes:
        size, out = (ctypes.c_int * 2)(), ctypes.c_void_p()
        self._call("steps_decode_file", str(path).encode(), size, ctypes.byref(out))
        return self._take_picture(size, out)

    def resize(self, picture: Bytes, width: int, height: int) -> Bytes:
        out = np.empty((max(height, 0), max(width, 0), 3), np.uint8)
        self._call("steps_resize", _c(picture), picture.shape[1], picture.shape[0], width, height, _c(out))
        return out

    def rotate_90_ccw(self, picture: Bytes) -> Bytes:
        height, width = picture.shape[:2]
        out = np.empty((width, height, 3), np.uint8)
        self._call("steps_rotate_90_ccw", _c(picture), width, height, _c(out))
        return out

    def rotate_180(self, picture: Bytes) -> Bytes:
        out: Bytes = picture.copy()
        self._call("steps_rotate_180", _c(out), picture.shape[1], picture.shape[0])
        return out

    def find_contours(self, mask: Bytes, limit: int = 2**63) -> list[Points]:
        counts, points = ctypes.c_void_p(), ctypes.c_void_p()
        height, width = mask.shape
        found = self._call(
            "steps_find_contours", _c(mask), width, height, ctypes.c_size_t(limit), ctypes.byref(counts), ctypes.byref(points)
        )
        lengths = self._take(counts, np.int32, found)
        flat = self._take(points, np.int32, 2 * int(lengths.sum())).reshape(-1, 2)
        return np.split(flat, np.cumsum(lengths)[:-1]) if found else []

    def convex_hull(self, points: Points) -> Points:
        out = np.empty((len(points) + 2, 2), np.int32)
        corners = self._call("steps_convex_hull", _c(points), len(points), _c(out))
        return out[:corners]

    def mini_box(self, points: Points) -> tuple[Floats, float]:
        quad, side = np.empty((4, 2), np.float32), ctypes.c_float()
        self._call("steps_mini_box", _c(points), len(points), _c(quad), ctypes.byref(side))
        return quad, side.value

    def unclip(self, quad: NDArray[Any], ratio: float) -> Points:
        out = ctypes.c_void_p()
        count = self._call("steps_unclip", _c(_quad(quad)), ctypes.c_float(ratio), ctypes.byref(out))
        return self._take(out, np.int32, 2 * count).reshape(-1, 2)

    def box_score(self, probabilities: Floats, quad: NDArray[Any]) -> float:
        height, width = probabilities.shape
        score = ctypes.c_float()
        self._call("steps_box_score", _c(probabilities), width, height, _c(_quad(quad)), ctypes.byref(score))
        return score.value

    def decode_db(self, probabilities: Floats, picture_width: int, picture_height: int) -> tuple[Floats, Floats]:
        """Boxes n x 4 x 2 and their scores."""
        height, width = probabilities.shape
        out = ctypes.c_void_p()
        count = self._call("steps_decode_db", _c(probabilities), width, height, picture_width, picture_height, ctypes.byref(out))
        boxes = self._take(out, np.float32, 9 * count).reshape(-1, 9)
        return boxes[:, :8].reshape(-1, 4, 2), boxes[:, 8]

    def order_corners(self, quad: NDArray[Any]) -> Floats:
        out = np.empty((4, 2), np.float32)
        self._call("steps_order_corners", _c(_quad(quad)), _c(out))
        return out

    def filter_and_sort(self, quads: NDArray[Any], picture_width: int, picture_height: int) -> Floats:
        boxes = np.zeros((len(quads), 9), np.float32)
        boxes[:, :8] = quads.reshape(-1, 8)
        left = self._call("steps_filter_and_sort", _c(boxes), len(quads), picture_width, picture_height)
        return boxes[:left, :8].reshape(-1, 4, 2)

    def perspective(self, quad: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
        matrix = np.empty((3, 3), np.float64)
        self._call("steps_perspective", _c(_quad(quad)), _c(_quad(target)), _c(matrix))
        return matrix

    def crop(self, picture: Bytes, quad: NDArray[Any]) -> Bytes:
        size, out = (ctypes.c_int * 2)(), ctypes.c_void_p()
        self._call("steps_crop", _c(picture), picture.shape[1], picture.shape[0], _c(_quad(quad)), size, ctypes.byref(out))
        return self._take_picture(size, out)

    def detector_size(self, width: int, height: int, limit_side_len: int = 960) -> tuple[int, int]:
        size = (ctypes.c_int * 2)()
        self._call("steps_detector_size", width, height, limit_side_len, size)
        return size[0], size[1]

    def recogniser_size(self, width: int, height: int, net_height: int) -> tuple[int, int]:
        """Net width, content width."""
        size = (ctypes.c_int * 2)()
        self._call("steps_line_size", width, height, net_height, size)
        return size[0], size[1]

    def classifier_size(self, width: int, height: int) -> tuple[int, int]:
        return self.recogniser_size(width, height, 0)

    def fill_input(self, picture: Bytes, content_width: int, shape: tuple[int, int, int, int], *, detector: bool, item: int = 0) -> Floats:
        """The whole input N x H x W x 4, channels innermost; items other than `item` stay NaN."""
        batch, _, net_height, net_width = shape
        out = np.full((batch, net_height, net_width, 4), np.nan, np.float32)
        height, width = picture.shape[:2]
        self._call(
            "steps_fill_input", _c(picture), width, height, content_width, int(detector), batch, item, net_height, net_width, _c(out)
        )  # fmt: skip
        return out

    def decode_ctc(self, dictionary: bytes, classes: Sequence[int], probabilities: Sequence[float]) -> tuple[str, float]:
        steps = len(classes)
        text, score = ctypes.c_void_p(), ctypes.c_float()
        length = self._call(
            "steps_decode_ctc",
            dictionary,
            ctypes.c_size_t(len(dictionary)),
            (ctypes.c_int * steps)(*classes),
            (ctypes.c_float * steps)(*probabilities),
            ctypes.c_size_t(steps),
            ctypes.byref(text),
            ctypes.byref(score),
        )
        return bytes(self._take(text, np.uint8, length)).decode(), score.value

    def load_dictionary(self, path: Path, model_classes: int = 0, model: str = "rec.nb") -> int:
        """The number of its classes."""
        return self._call("steps_load_dictionary", str(path).encode(), ctypes.c_size_t(model_classes), model.encode())
