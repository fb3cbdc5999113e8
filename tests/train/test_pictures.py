from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr.errors import DataError
from edgeocr.train.pictures import decode, det_planes, det_size, line_planes, line_width, padded_width, read_bytes, size_of


@pytest.mark.parametrize(
    ("size", "expected"), [((640, 640), (640, 640)), ((1920, 1080), (960, 544)), ((100, 30), (96, 32)), ((10, 2000), (32, 960))]
)
def test_pages_are_scaled_as_paddle_ocr_scales_them(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert det_size(*size) == expected


def test_pages_are_normalised_plane_by_plane() -> None:
    planes = det_planes(np.full((2, 3, 3), 255, np.uint8))
    assert planes.shape == (3, 2, 3)
    np.testing.assert_allclose(planes[:, 0, 0], [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225], rtol=1e-6)


def test_lines_are_padded_with_zero_after_normalisation() -> None:
    batch = line_planes([np.full((32, 10, 3), 255, np.uint8), np.zeros((32, 16, 3), np.uint8)], 32, 16)
    assert batch.shape == (2, 3, 32, 16)
    assert (batch[0, :, :, :10] == 1).all()
    assert (batch[0, :, :, 10:] == 0).all()
    assert (batch[1] == -1).all()


def test_widths_of_lines() -> None:
    assert line_width(100, 50, 32) == 64
    assert line_width(101, 50, 32) == 65
    assert line_width(5000, 50, 32, most=320) == 320
    assert line_width(1, 500, 32) == 1
    assert [padded_width(w) for w in (1, 16, 17)] == [16, 16, 32]


def test_files_and_what_is_none(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    cv2.imwrite(str(file), np.zeros((4, 7, 3), np.uint8))
    assert size_of(read_bytes(file), file) == (7, 4)
    assert decode(read_bytes(file), file).shape == (4, 7, 3)
    for content in (b"", b"text", read_bytes(file)[:20]):
        with pytest.raises(DataError, match=r"a\.png: is no picture that can be read"):
            decode(content, file)
    for content in (b"", b"text"):
        with pytest.raises(DataError, match=r"a\.png: is no picture that can be read"):
            size_of(content, file)
    with pytest.raises(DataError, match=r"none\.png: cannot be read: No such file"):
        read_bytes(tmp_path / "none.png")
