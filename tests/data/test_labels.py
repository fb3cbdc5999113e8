"""PaddleOCR's label files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeocr.data.labels import DetSample, RecSample, TextBox, read_det_labels, read_rec_labels, write_det_labels, write_rec_labels
from edgeocr.errors import DataError


def test_boxes_come_back(tmp_path: Path) -> None:
    box = TextBox(np.array([[1, 2], [30.5, 2], [30, 12.25], [1, 12]], np.float32), 'Tab\t"quoted" ü')
    write_det_labels(tmp_path / "labels.txt", [DetSample(tmp_path / "images" / "a b.png", (box,)), DetSample(tmp_path / "empty.png", ())])
    first, second = read_det_labels(tmp_path / "labels.txt")
    assert first.image == tmp_path / "images" / "a b.png"
    assert first.boxes[0].transcription == box.transcription
    np.testing.assert_array_equal(first.boxes[0].points, box.points)
    assert second.boxes == ()


def test_lines_come_back(tmp_path: Path) -> None:
    samples = [RecSample(tmp_path / "x.png", " lead and\ttab "), RecSample(Path("/elsewhere/y.png"), "180")]
    write_rec_labels(tmp_path / "labels.txt", samples)
    assert read_rec_labels(tmp_path / "labels.txt") == samples


def test_pictures_may_lie_in_another_folder(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("train/word_1.png\tGenaxis Theatre\n")
    (sample,) = read_rec_labels(tmp_path / "labels.txt", Path("/data"))
    assert sample == RecSample(Path("/data/train/word_1.png"), "Genaxis Theatre")


@pytest.mark.parametrize("text", ["*", "###"])
def test_unreadable_text_is_ignored(text: str) -> None:
    assert TextBox(np.zeros((4, 2), np.float32), text).ignored
    assert not TextBox(np.zeros((4, 2), np.float32), text + "x").ignored


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no tab here", "line 2: expected a picture's path"),
        ("a.png\tno json", "line 2: expected a list"),
        ('a.png\t[{"points": [[0, 0], [1, 0], [1, 1], [0, 1]]}]', "line 2: expected a list"),
        ('a.png\t[{"transcription": "x", "points": [[0, 0], [1, 0], [1, 1]]}]', "shape"),
        ('a.png\t[{"transcription": 5, "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}]', "transcription is 5"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("good.png\t[]\n" + line + "\n")
    with pytest.raises(DataError, match=words) as error:
        read_det_labels(file)
    assert str(file) in error.value.message


def test_a_missing_and_an_empty_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such label file"):
        read_rec_labels(tmp_path / "none.txt")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(DataError, match="has no labels"):
        read_rec_labels(tmp_path / "empty.txt")


def test_a_label_of_two_lines_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line break"):
        write_rec_labels(tmp_path / "labels.txt", [RecSample(tmp_path / "a.png", "two\nlines")])
    assert list(tmp_path.iterdir()) == []


def test_a_missing_label_file_is_told_with_what_makes_one(tmp_path: Path) -> None:
    file = tmp_path / "train" / "labels.txt"
    for read in (read_det_labels, read_rec_labels):
        with pytest.raises(DataError, match=r"labels\.txt: no such label file") as error:
            read(file)
        assert str(error.value.hint).endswith("`edgeocr synth --help`")
