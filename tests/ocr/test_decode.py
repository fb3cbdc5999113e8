"""Decoding gives the bytes of cv2.imread, turned as it turns them; what is no whole picture is refused in one line."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from ocr_steps import StepError, Steps
from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ORIENTATION = 0x0112


def imread(data: bytes, folder: Path) -> NDArray[Any]:
    path = folder / "picture"
    path.write_bytes(data)
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x010F] = "a maker, so that the tag is not the first"
    tags[ORIENTATION] = orientation
    return tags


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(width: int, height: int, pixels: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def bmp_of_size(width: int, height: int, compression: int = 0) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


@pytest.mark.data
def test_photographs_decode_to_the_bytes_of_imread(steps: Steps, test_data: Path) -> None:
    pictures = sorted((test_data / "images").iterdir())
    assert pictures
    for path in pictures:
        assert np.array_equal(steps.decode_file(path), cv2.imread(str(path))), path.name


@pytest.mark.parametrize("options", [
    {"subsampling": 0}, {"subsampling": 1}, {"subsampling": 2}, {"progressive": True}, {"quality": 10}, {"quality": 100},
    {"restart_marker_blocks": 1},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg(steps: Steps, photo: NDArray[np.uint8], tmp_path: Path, mode: str, options: dict[str, Any]) -> None:
    data = encoded(Image.fromarray(photo).convert(mode), "JPEG", **options)
    assert np.array_equal(steps.decode(data), imread(data, tmp_path))


def test_jpeg_of_odd_sizes(steps: Steps, rng: np.random.Generator, tmp_path: Path) -> None:
    for _ in range(200):
        height, width = (int(side) for side in rng.integers(1, 40, 2))
        picture = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        data = encoded(
            picture, "JPEG", quality=int(rng.integers(5, 100)), subsampling=int(rng.integers(0, 3)), progressive=bool(rng.integers(0, 2))
        )
        assert np.array_equal(steps.decode(data), imread(data, tmp_path)), (width, height)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(10))
def test_picture_is_turned_by_its_exif_orientation(
    steps: Steps, photo: NDArray[np.uint8], tmp_path: Path, kind: str, orientation: int
) -> None:
    data = encoded(Image.fromarray(photo), kind, exif=exif(orientation))
    assert np.array_equal(steps.decode(data), imread(data, tmp_path))
    plain = imread(encoded(Image.fromarray(photo), kind), tmp_path)
    assert np.array_equal(steps.decode(data), plain) == (orientation not in range(2, 9))


def test_malformed_exif_turns_nothing(steps: Steps, photo: NDArray[np.uint8], rng: np.random.Generator) -> None:
    plain = steps.decode(encoded(Image.fromarray(photo), "JPEG"))
    tags = exif(6).tobytes()
    for length in range(6, len(tags) - 1, 7):
        cut = steps.decode(encoded(Image.fromarray(photo), "JPEG", exif=tags[:length]))
        assert cut.size == plain.size
    for _ in range(300):
        noise = b"Exif\0\0" + bytes(rng.choice([b"II*\0", b"MM\0*"])) + rng.bytes(int(rng.integers(0, 60)))
        assert steps.decode(encoded(Image.fromarray(photo), "JPEG", exif=noise)).size == plain.size


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "LA", "RGBA", "I;16"])
def test_png(steps: Steps, photo: NDArray[np.uint8], tmp_path: Path, mode: str) -> None:
    source = Image.fromarray(photo)
    picture = Image.fromarray(photo[..., 0].astype(np.uint16) * 259) if mode == "I;16" else source.convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.fromarray(photo[..., 1]))
    data = encoded(picture, "PNG")
    assert np.array_equal(steps.decode(data), imread(data, tmp_path))


def test_png_of_16_bits_and_with_a_transparent_colour(
    steps: Steps, photo: NDArray[np.uint8], rng: np.random.Generator, tmp_path: Path
) -> None:
    deep = cv2.imencode(".png", rng.integers(0, 65536, (20, 30, 3), dtype=np.uint16))[1].tobytes()
    assert np.array_equal(steps.decode(deep), imread(deep, tmp_path))
    keyed = encoded(Image.fromarray(photo), "PNG", transparency=(1, 2, 3))
    assert np.array_equal(steps.decode(keyed), imread(keyed, tmp_path))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA"])
def test_bmp(steps: Steps, photo: NDArray[np.uint8], tmp_path: Path, mode: str) -> None:
    data = encoded(Image.fromarray(photo).convert(mode), "BMP")
    assert np.array_equal(steps.decode(data), imread(data, tmp_path))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA"])
def test_bmp_whose_first_row_is_on_top(steps: Steps, photo: NDArray[np.uint8], tmp_path: Path, mode: str) -> None:
    data = bytearray(encoded(Image.fromarray(photo).convert(mode), "BMP"))
    data[22:26] = struct.pack("<i", -photo.shape[0])
    expected = imread(bytes(data), tmp_path)
    assert np.array_equal(steps.decode(bytes(data)), expected)
    assert np.array_equal(expected[::-1], steps.decode(encoded(Image.fromarray(photo).convert(mode), "BMP")))


@pytest.mark.parametrize(("data", "said"), [
    (b"", "file is empty"),
    (b"hello", "not a picture: starts with 68 65 6c 6c"),
    (b"GIF89a", "not a picture"),
    (b"\xff\xd8\xff", "broken JPEG"),
    (PNG_SIGNATURE, "broken PNG: no IHDR"),
    (b"BM", "broken BMP: 2 bytes"),
    (png_of_size(4_000_000, 3), "picture is 4000000x3, expected at most"),
    (png_of_size(20_000, 20_000), "picture is 20000x20000, expected at most 100000000 pixels"),
    (png_of_size(0, 5), "picture is 0x5, expected sides of at least 1"),
    (png_of_size(8, 8), "not enough pixels"),
    (png_of_size(10, 10, bytes(20_000_000)), "more data than its header announces"),
    (bmp_of_size(1 << 30, 1), "picture is 1073741824x1, expected at most"),
    (bmp_of_size(-5, 5), "picture is -5x5, expected sides of at least 1"),
    (bmp_of_size(5, 0), "picture is 5x0, expected sides of at least 1"),
    (bmp_of_size(5, 5, 1), "run-length BMP is not supported: save it as PNG"),
])  # fmt: skip
def test_what_is_no_picture_is_refused_by_name(steps: Steps, data: bytes, said: str) -> None:
    with pytest.raises(StepError) as failure:
        steps.decode(data, "page.jpg")
    assert str(failure.value).startswith("page.jpg: ")
    assert said in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=str)
def test_jpeg_cut_short_is_refused(steps: Steps, photo: NDArray[np.uint8], options: dict[str, Any]) -> None:
    data = encoded(Image.fromarray(photo), "JPEG", **options)
    for length in (20, len(data) // 2, len(data) - 2):
        with pytest.raises(StepError, match="broken JPEG: Premature end of JPEG file"):
            steps.decode(data[:length])


def test_jpeg_of_countless_scans_is_refused(steps: Steps, photo: NDArray[np.uint8]) -> None:
    data = encoded(Image.fromarray(photo).convert("L"), "JPEG", progressive=True)
    start = data.index(b"\xff\xda")
    first_scan = data[start : data.index(b"\xff\xc4", start)]
    with pytest.raises(StepError, match="more than 200 scans"):
        steps.decode(data[:start] + first_scan * 300 + data[start:])


def test_png_cut_short_or_damaged_is_refused(steps: Steps, photo: NDArray[np.uint8]) -> None:
    data = encoded(Image.fromarray(photo), "PNG")
    for length in (40, len(data) // 2, len(data) - 12):
        with pytest.raises(StepError, match=r"broken PNG: .*cut short"):
            steps.decode(data[:length])
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 1
    with pytest.raises(StepError, match="wrong CRC of chunk IDAT"):
        steps.decode(bytes(damaged))


@pytest.mark.parametrize("mode", ["RGB", "P", "1"])
def test_bmp_cut_short_is_refused(steps: Steps, photo: NDArray[np.uint8], mode: str) -> None:
    data = encoded(Image.fromarray(photo).convert(mode), "BMP")
    for length in (29, 100, len(data) - 4):
        with pytest.raises(StepError, match=r"broken BMP: .*cut short"):
            steps.decode(data[:length])


def test_damaged_files_never_do_worse_than_a_refusal(steps: Steps, photo: NDArray[np.uint8], rng: np.random.Generator) -> None:
    files = [encoded(Image.fromarray(photo), kind) for kind in ("JPEG", "PNG", "BMP")] + [
        encoded(Image.fromarray(photo), "JPEG", progressive=True)
    ]
    for i in range(1000):
        data = bytearray(files[i % len(files)])
        for position in rng.integers(0, min(len(data), 700 if i % 2 else len(data)), 4):
            data[position] = int(rng.integers(0, 256))
        try:
            assert steps.decode(bytes(data)).ndim == 3
        except StepError as refusal:
            assert str(refusal).startswith("picture: ")


def test_files_that_cannot_be_read_are_named(steps: Steps, tmp_path: Path) -> None:
    for path in (tmp_path / "absent.jpg", tmp_path):
        with pytest.raises(StepError) as failure:
            steps.decode_file(path)
        assert str(failure.value).startswith(f"{path}: ")
