"""Models, dictionaries and pictures that cannot be used: one clear line each, exit code 1."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from nb_writer import Op, Param, linear_net, write_nb
from runner_process import Runner, model_arguments


@pytest.fixture
def failure(native: Runner, own_set: Path, sign: Path) -> Callable[..., str]:
    """The line of stderr when our page is read with some of the files exchanged."""

    def failing(**exchanged: Path) -> str:
        files = {"detector": own_set / "det.nb", "recogniser": own_set / "rec.nb", "dictionary": own_set / "en_keys.txt", **exchanged}
        done = native.run("ocr", *model_arguments(**files), sign)
        assert done.code == 1
        assert [record["type"] for record in done.records] == ["hello"]
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
        return done.stderr.removeprefix("error: ").rstrip("\n")

    return failing


@pytest.mark.parametrize("role", ["detector", "recogniser", "dictionary", "classifier"])
def test_a_file_that_is_missing(failure: Callable[..., str], tmp_path: Path, role: str) -> None:
    assert failure(**{role: tmp_path / "none"}) == f"{tmp_path}/none: cannot open: No such file or directory"


@pytest.mark.parametrize("role", ["detector", "recogniser", "dictionary", "classifier"])
def test_a_folder_in_place_of_a_file(failure: Callable[..., str], tmp_path: Path, role: str) -> None:
    assert failure(**{role: tmp_path}) == f"{tmp_path}: is a directory, expected a file"


@pytest.mark.parametrize("role", ["detector", "recogniser", "classifier"])
@pytest.mark.parametrize("content", [b"", b"\x02\x00", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(1000), b"\xff" * 1000])
def test_a_file_that_is_no_model(failure: Callable[..., str], tmp_path: Path, role: str, content: bytes) -> None:
    (tmp_path / "net.nb").write_bytes(content)
    message = failure(**{role: tmp_path / "net.nb"})
    assert "net.nb: " in message and "expected" in message


@pytest.mark.parametrize("keep", [0.01, 0.3, 0.9, 0.9999])
def test_a_model_that_was_cut_off(failure: Callable[..., str], own_set: Path, tmp_path: Path, keep: float) -> None:
    whole = (own_set / "rec.nb").read_bytes()
    (tmp_path / "rec.nb").write_bytes(whole[: int(len(whole) * keep)])
    message = failure(recogniser=tmp_path / "rec.nb")
    assert "rec.nb: " in message and "expected" in message


def net_of(op: str, height: int = 32) -> bytes:
    """feed → one operator → fetch."""
    kernel = "__@kernel_type_attr@__"
    return write_nb(
        [
            Op("feed", {"X": ["feed"]}, {"Out": ["x"]}, {"col": 0, kernel: "feed/def/1/4/2"}),
            Op(op, {"X": ["x"]}, {"Out": ["y"]}, {"axis": -1, kernel: f"{op}/def/4/1/1"}),
            Op("fetch", {"X": ["y"]}, {"Out": ["fetch"]}, {"col": 0, kernel: "fetch/def/1/4/2"}),
        ],
        [Param("w", [1])],
        feed_dims=(-1, 3, height, 320),
    )


def test_an_operator_that_the_engine_lacks(failure: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "det.nb").write_bytes(net_of("deformable_conv"))
    assert "operator deformable_conv is not supported" in failure(detector=tmp_path / "det.nb")


def test_detector_and_recogniser_exchanged(failure: Callable[..., str], own_set: Path) -> None:
    message = failure(detector=own_set / "rec.nb", recogniser=own_set / "det.nb")
    assert "rec.nb" in message and message.endswith("this looks like a recogniser, not like a detector")


def test_a_detector_in_place_of_the_recogniser(failure: Callable[..., str], own_set: Path) -> None:
    message = failure(recogniser=own_set / "det.nb")
    assert "det.nb" in message and message.endswith("this looks like a detector, not like a recogniser")


@pytest.mark.parametrize(("name", "likeness"), [("det.nb", "a detector"), ("rec.nb", "a recogniser")])
def test_another_net_in_place_of_the_classifier(failure: Callable[..., str], own_set: Path, name: str, likeness: str) -> None:
    message = failure(classifier=own_set / name)
    assert name in message and message.endswith(f"this looks like {likeness}, not like a direction classifier")


@pytest.mark.parametrize("keys", [1, 93, 95, 6623])
def test_a_dictionary_of_another_size(failure: Callable[..., str], tmp_path: Path, keys: int) -> None:
    (tmp_path / "keys.txt").write_text("".join(f"{chr(0x4E00 + i)}\n" for i in range(keys)))
    message = failure(dictionary=tmp_path / "keys.txt")
    assert "keys.txt: " in message and str(keys + 2) in message and "96" in message


def test_a_dictionary_that_is_no_text(failure: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_bytes(b"a\n\xff\xfe\n")
    assert "keys.txt: " in failure(dictionary=tmp_path / "keys.txt")


def test_an_empty_dictionary(failure: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_bytes(b"")
    assert "keys.txt: " in failure(dictionary=tmp_path / "keys.txt")


@pytest.mark.parametrize("height", [24, 64, -1])
def test_a_recogniser_of_another_height(failure: Callable[..., str], tmp_path: Path, height: int) -> None:
    (tmp_path / "rec.nb").write_bytes(net_of("softmax", height))
    assert f"rec.nb: input height is {height}, expected 32 or 48" in failure(recogniser=tmp_path / "rec.nb")


def test_a_net_without_pictures_as_input(failure: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "rec.nb").write_bytes(linear_net(96))
    assert "rec.nb" in failure(recogniser=tmp_path / "rec.nb")


def png_header(width: int, height: int) -> bytes:
    """A PNG of that size whose picture data are missing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\0IDAT"


def jpeg_of(width: int, height: int) -> bytes:
    encoded: bytes = cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8))[1].tobytes()
    return encoded


PICTURES = {
    "empty": b"",
    "text": b"hello, this is no picture\n" * 10,
    "gif": b"GIF89a" + bytes(100),
    "png_header_only": b"\x89PNG\r\n\x1a\n",
    "png_without_data": png_header(100, 100),
    "png_of_a_gigapixel": png_header(40_000, 40_000),
    "png_of_2^31": png_header(2**31 - 1, 2**31 - 1),
    "png_of_nothing": png_header(0, 0),
    "jpeg_marker_only": b"\xff\xd8\xff",
    "jpeg_cut_in_its_header": jpeg_of(64, 64)[:100],
    "bmp_header_only": b"BM" + bytes(20),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_that_cannot_be_read(runner: Runner, own_set: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "picture.bin"
    path.write_bytes(PICTURES[name])
    done = runner.run("ocr", *model_arguments(own_set / "det.nb", own_set / "rec.nb", own_set / "en_keys.txt"), path)
    assert (done.code, done.stderr) == (1, "")
    _, error = done.records
    assert (error["type"], error["picture"]) == ("error", str(path))
    assert error["message"].startswith(f"{path}: ") and "\n" not in error["message"]


def test_a_folder_in_place_of_a_picture(native: Runner, own_set: Path, tmp_path: Path) -> None:
    done = native.run("ocr", *model_arguments(own_set / "det.nb", own_set / "rec.nb", own_set / "en_keys.txt"), tmp_path)
    assert done.code == 1
    assert done.records[1]["message"] == f"{tmp_path}: is a directory, expected a file"
