"""Batches: what is in them, and that they depend on seed and number alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeocr.data.augment.sample import Sample
from edgeocr.data.labels import TextBox
from edgeocr.errors import DataError, UsageError
from edgeocr.train.config import TrainDataConfig
from edgeocr.train.ctc_decode import CtcLabels
from edgeocr.train.data_feed import Batch, ClsFeed, DetFeed, Feed, RecFeed, crop_with_text, prepared
from edgeocr.train.transforms import build_transforms

LABELS = CtcLabels(list("abc"))
TEXTS = ["a", "ab", "abc", "bb", "c", "ca"]
WIDTHS = [20, 30, 44, 60, 72, 90]


@pytest.fixture
def lines(tmp_path: Path) -> Callable[[list[str]], Path]:
    """A label file of lines, 32 high, whose grey level is ten times their number."""

    def make(texts: list[str]) -> Path:
        for k, width in enumerate(WIDTHS):
            cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((32, width, 3), 10 * k, np.uint8))
        file = tmp_path / "labels.txt"
        file.write_text("".join(f"{k}.png\t{text}\n" for k, text in enumerate(texts)))
        return file

    return make


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for k in range(4):
        cv2.imwrite(str(tmp_path / f"{k}.png"), rng.integers(0, 256, (100, 120, 3), dtype=np.uint8))
        left = 20 * k
        rows.append(
            f"{k}.png\t" + json.dumps([{"transcription": "a", "points": [[left, 10], [left + 50, 10], [left + 50, 30], [left, 30]]}])
        )
    (tmp_path / "labels.txt").write_text("\n".join(rows) + "\n")
    return tmp_path / "labels.txt"


def config(file: Path, shape: tuple[int, int, int], batch: int = 3, *transforms: dict[str, Any]) -> TrainDataConfig:
    return TrainDataConfig((file,), shape, batch, transforms=transforms)


def equal(first: Batch, second: Batch) -> bool:
    return all(np.array_equal(a, b) for a, b in zip((first.images, *first.targets), (second.images, *second.targets), strict=True))


def test_lines_come_with_their_classes(lines: Callable[[list[str]], Path]) -> None:
    batch = RecFeed(config(lines(TEXTS), (3, 32, 320)), 1, LABELS).batch(0)
    labels, lengths = batch.targets
    for image, row, length in zip(batch.images, labels, lengths, strict=True):
        k = round(float((image[0, 0, 0] + 1) * 127.5) / 10)
        assert "".join(LABELS.characters[c] for c in row[:length]) == TEXTS[k]
        assert not row[length:].any()
        assert (image[:, :, : WIDTHS[k]] == image[0, 0, 0]).all()
        assert not image[:, :, WIDTHS[k] :].any()
    assert batch.images.shape[1:3] == (3, 32)
    assert batch.images.shape[3] % 16 == 0


def test_long_lines_are_squeezed(lines: Callable[[list[str]], Path]) -> None:
    feed = RecFeed(config(lines(TEXTS), (3, 32, 48), 6), 1, LABELS)
    assert feed.batch(0).images.shape == (6, 3, 32, 48)


def test_some_batches_are_padded_to_the_full_width(lines: Callable[[list[str]], Path]) -> None:
    feed = RecFeed(config(lines(TEXTS), (3, 32, 320)), 1, LABELS)
    padded = [feed.batch(number).images.shape[3] == 320 for number in range(100)]
    assert 10 <= sum(padded) <= 30


def test_lines_that_cannot_be_learnt_are_left_out(lines: Callable[[list[str]], Path]) -> None:
    feed = RecFeed(config(lines(["a", "x", "abcabcabcabca", "", "c", "ca"]), (3, 32, 320)), 1, LABELS)
    assert feed.left_out == 3, "x is not in the dictionary, 44 columns have no room for 13 characters, and one text is empty"
    assert feed.kept.tolist() == [0, 4, 5]


def test_a_set_without_usable_lines_is_refused(lines: Callable[[list[str]], Path]) -> None:
    with pytest.raises(DataError, match=r"labels\.txt: none of the 2 lines can be written with the dictionary"):
        RecFeed(config(lines(["x", "y"]), (3, 32, 320)), 1, LABELS)


def test_directions_follow_the_turning(lines: Callable[[list[str]], Path], tmp_path: Path) -> None:
    file = lines(["0", "180", "0", "180", "0", "180"])
    for k in range(6):
        picture = np.zeros((48, 192, 3), np.uint8)
        picture[:, :96] = 255
        cv2.imwrite(str(tmp_path / f"{k}.png"), picture if k % 2 == 0 else picture[:, ::-1])
    feed = ClsFeed(config(file, (3, 48, 192), 6), 1)
    directions = []
    for number in range(10):
        batch = feed.batch(number)
        bright_left = batch.images[:, 0, 0, 0] > 0
        assert bright_left.tolist() == (batch.targets[0] == 0).tolist()
        directions += batch.targets[0].tolist()
    assert 20 < sum(directions) < 40


def test_a_direction_is_0_or_180(lines: Callable[[list[str]], Path]) -> None:
    with pytest.raises(DataError, match=r"1\.png: is labelled '90', expected a direction, 0 or 180"):
        ClsFeed(config(lines(["0", "90"]), (3, 48, 192)), 1)


def test_pages_come_as_crops_with_their_targets(pages: Path) -> None:
    batch = DetFeed(config(pages, (3, 64, 96), 4), 1).batch(0)
    assert batch.images.shape == (4, 3, 64, 96)
    assert [target.shape for target in batch.targets] == [(4, 64, 96)] * 4
    assert all(target.dtype == np.float32 for target in batch.targets)
    assert (batch.targets[0].reshape(4, -1).max(axis=1) == 1).all(), "text in every crop"


def test_every_feed_repeats_itself(pages: Path) -> None:
    transforms = [{"Fliplr": None}, {"ColorJitter": None}]
    feeds = [DetFeed(config(pages, (3, 64, 96), 2, *transforms), seed) for seed in (1, 1, 2)]
    assert equal(feeds[0].batch(5), feeds[1].batch(5))
    assert not equal(feeds[0].batch(5), feeds[0].batch(6))
    assert not equal(feeds[0].batch(5), feeds[2].batch(5))


def box(left: float, top: float, width: float, height: float, text: str = "a") -> TextBox:
    corners = [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]
    return TextBox(np.array(corners, np.float32), text)


def test_a_crop_moves_boxes_and_drops_those_outside() -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[50:60, 100:140] = 255
    sample = Sample(picture, (box(100, 50, 40, 10), box(280, 180, 15, 10)))
    for seed in range(20):
        crop = crop_with_text(np.random.default_rng(seed), sample, 100, 150)
        assert crop.picture.shape == (100, 150, 3)
        for b in crop.boxes:
            if b.points.min() >= 0 and b.points[2, 0] < 150 and b.points[2, 1] < 100 and np.ptp(b.points[:, 0]) == 40:
                x, y = b.points[0].astype(int)
                assert crop.picture[y + 5, x + 5, 0] == 255


def test_small_pictures_are_filled_up() -> None:
    crop = crop_with_text(np.random.default_rng(0), Sample(np.full((20, 30, 3), 9, np.uint8), (box(2, 2, 20, 10),)), 64, 64)
    assert crop.picture.shape == (64, 64, 3)
    assert crop.picture[:20, :30].min() == 9
    assert crop.picture[20:].max() == 0
    assert len(crop.boxes) == 1


def test_mirroring_keeps_corners_in_order() -> None:
    (mirror,) = build_transforms([{"Fliplr": {"p": 1}}])
    picture = np.zeros((20, 50, 3), np.uint8)
    picture[5, 10] = 255
    mirrored = mirror(np.random.default_rng(0), Sample(picture, (box(10, 5, 20, 8),)))
    assert mirrored.picture[5, 39, 0] == 255
    np.testing.assert_array_equal(mirrored.boxes[0].points, box(19, 5, 20, 8).points)


def test_colours_change_within_their_range() -> None:
    (jitter,) = build_transforms([{"ColorJitter": {"p_brightness": 1}}])
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    changed = [jitter(np.random.default_rng(seed), Sample(picture)).picture for seed in range(8)]
    assert all(c.dtype == np.uint8 and c.shape == picture.shape for c in changed)
    assert len({c.tobytes() for c in changed}) == 8
    (nothing,) = build_transforms([{"ColorJitter": {"p_invert": 0, "p_shuffle": 0, "p_brightness": 0}}])
    assert np.array_equal(nothing(np.random.default_rng(0), Sample(picture)).picture, picture)


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ([{"Blur": None}], "Train.transforms names Blur, expected one of BDA, ColorJitter"),
        ([{"Fliplr": {"q": 1}}], "Train.transforms.Fliplr: .*'q'"),
        ([{"Fliplr": None, "ColorJitter": None}], "expected one name with its options or null"),
    ],
)
def test_transforms_that_there_are_not(described: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build_transforms(described)


class Counting:
    left_out = 0

    def batch(self, number: int) -> Batch:
        if number == 7:
            raise DataError("7.png: is no picture that can be read")
        return Batch(np.full((1, 3, 1, 1), number, np.float32), ())


def test_the_thread_keeps_the_order() -> None:
    feed: Feed = Counting()
    with prepared(feed, range(1, 7, 2)) as batches:
        assert [int(batch.images[0, 0, 0, 0]) for batch in batches] == [1, 3, 5]


def test_what_fails_in_the_thread_is_raised_in_its_place() -> None:
    with prepared(Counting(), range(6, 9)) as batches:
        assert next(batches).images[0, 0, 0, 0] == 6
        with pytest.raises(DataError, match=r"7\.png"):
            next(batches)


def test_leaving_early_ends_the_thread() -> None:
    with prepared(Counting(), range(8, 10**9)) as batches:
        next(batches)
