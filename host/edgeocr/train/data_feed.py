"""Batches from label files, each a function of the seed and its number. One thread prepares them while the net computes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgeocr.data.augment.sample import Sample, augmented
from edgeocr.data.db_targets import DbTargets, db_targets
from edgeocr.data.labels import DetSample, RecSample, TextBox, direction_of, read_det_labels, read_rec_labels
from edgeocr.errors import DataError
from edgeocr.train.config import TrainConfig, TrainDataConfig
from edgeocr.train.ctc_decode import CtcLabels, steps_needed
from edgeocr.train.pictures import decode, det_planes, line_planes, line_width, padded_width, read_bytes, size_of
from edgeocr.train.sampling import Sampler
from edgeocr.train.transforms import build_transforms

CROP_TRIES = 6  # for a crop of a page with text in it
COLUMNS_PER_STEP = 4  # of a recogniser's input
PADDED_SHARE = 0.2  # of a recogniser's batches that are padded to the full width, as short lines are when they are read
PREPARED = 4  # batches that wait for the net


class Batch(NamedTuple):
    """``images`` float32 [N,3,H,W] and what the loss wants to know (see losses.py)."""

    images: NDArray[np.float32]
    targets: tuple[NDArray[Any], ...]


class Feed(Protocol):
    left_out: int  # samples of the label files that cannot be trained on

    def batch(self, number: int) -> Batch: ...


def build_feed(config: TrainConfig) -> Feed:
    """Raises DataError for label files and pictures that cannot be used."""
    seed = config.Global.seed
    if config.model_type == "det":
        return DetFeed(config.Train, seed)
    if config.model_type == "cls":
        return ClsFeed(config.Train, seed)
    assert config.Global.character_dict_path is not None  # refused by the configuration's reader
    labels = CtcLabels.read(config.Global.character_dict_path, use_space_char=config.Global.use_space_char)
    return RecFeed(config.Train, seed, labels)


class DetFeed:
    """Crops of pages, with text in them where the page has some near."""

    def __init__(self, config: TrainDataConfig, seed: int) -> None:
        self.samples = det_samples(config.label_file_list, config.data_dir)
        self.pictures = [read_bytes(sample.image) for sample in self.samples]
        self.left_out = 0
        self.transforms = build_transforms(config.transforms, self._any)
        _, self.height, self.width = config.image_shape
        self.shrink_ratio = config.shrink_ratio
        self.seed = seed
        self.sampler = Sampler([self.width] * len(self.samples), config.batch_size_per_card, seed)

    def batch(self, number: int) -> Batch:
        images, targets = [], []
        for place, k in enumerate(self.sampler.batch(number)):
            rng = np.random.default_rng([self.seed, number, place])
            sample = self._sample(k)
            sample = crop_with_text(rng, sample, self.height, self.width)
            sample = augmented(self.transforms, rng, sample)
            images.append(det_planes(sample.picture))
            targets.append(db_targets(sample.boxes, self.height, self.width, self.shrink_ratio))
        return Batch(np.stack(images), DbTargets(*(np.stack(maps) for maps in zip(*targets, strict=True))))

    def _sample(self, k: int) -> Sample:
        return Sample(decode(self.pictures[k], self.samples[k].image), self.samples[k].boxes)

    def _any(self, rng: Generator) -> Sample:
        return self._sample(int(rng.integers(len(self.samples))))


class RecFeed:
    """Lines of like widths. Left out are lines with characters that the dictionary lacks, and texts too long for their width."""

    def __init__(self, config: TrainDataConfig, seed: int, labels: CtcLabels) -> None:
        _, self.height, self.most = config.image_shape
        self.lines = _Lines(rec_samples(config.label_file_list, config.data_dir), self.height, self.most)
        encoded = [labels.encode(sample.text) for sample in self.lines.samples]
        kept = [
            k
            for k, classes in enumerate(encoded)
            if classes is not None and 0 < steps_needed(classes) <= padded_width(self.lines.widths[k]) // COLUMNS_PER_STEP
        ]
        self.left_out = len(encoded) - len(kept)
        if not kept:
            raise DataError(f"{config.label_file_list[0]}: none of the {len(encoded)} lines can be written with the dictionary")
        self.kept = np.array(kept)
        self.classes = [encoded[k] for k in kept]
        self.transforms = build_transforms(config.transforms)
        self.seed = seed
        self.sampler = Sampler([self.lines.widths[k] for k in kept], config.batch_size_per_card, seed)

    def batch(self, number: int) -> Batch:
        chosen = self.sampler.batch(number)
        pictures = []
        for place, k in enumerate(self.kept[chosen]):
            rng = np.random.default_rng([self.seed, number, place])
            sample = augmented(self.transforms, rng, Sample(self.lines.picture(k)))
            pictures.append(self.lines.scaled(sample.picture))
        images = line_planes(pictures, self.height, self._net_width(number, max(picture.shape[1] for picture in pictures)))
        classes = [self.classes[k] for k in chosen]
        lengths = np.array([len(c) for c in classes], np.int64)
        filled = np.zeros((len(classes), lengths.max()), np.int32)
        for row, c in zip(filled, classes, strict=True):
            row[: len(c)] = c
        return Batch(images, (filled, lengths))

    def _net_width(self, number: int, widest: int) -> int:
        whole = np.random.default_rng([self.seed, number]).random() < PADDED_SHARE
        return padded_width(self.most if whole else widest)


class ClsFeed:
    """Lines of the directions 0 and 180, each turned round half of the time."""

    def __init__(self, config: TrainDataConfig, seed: int) -> None:
        _, self.height, self.width = config.image_shape
        self.lines = _Lines(rec_samples(config.label_file_list, config.data_dir), self.height, self.width)
        self.directions = [direction_of(sample) for sample in self.lines.samples]
        self.left_out = 0
        self.transforms = build_transforms(config.transforms)
        self.seed = seed
        self.sampler = Sampler([self.width] * len(self.directions), config.batch_size_per_card, seed)

    def batch(self, number: int) -> Batch:
        pictures, directions = [], []
        for place, k in enumerate(self.sampler.batch(number)):
            rng = np.random.default_rng([self.seed, number, place])
            sample = augmented(self.transforms, rng, Sample(self.lines.picture(k)))
            turn = int(rng.integers(2))
            picture = sample.picture[::-1, ::-1] if turn else sample.picture
            pictures.append(self.lines.scaled(picture))
            directions.append(self.directions[k] ^ turn)
        return Batch(line_planes(pictures, self.height, self.width), (np.array(directions, np.int64),))


class _Lines:
    """Pictures of lines, held as their files' bytes, and the widths that they have at the net's height."""

    def __init__(self, samples: list[RecSample], height: int, most: int) -> None:
        self.samples = samples
        self.height, self.most = height, most
        self.pictures = [read_bytes(sample.image) for sample in samples]
        sizes = [size_of(encoded, sample.image) for encoded, sample in zip(self.pictures, samples, strict=True)]
        self.widths = [line_width(width, h, height, most) for width, h in sizes]

    def picture(self, k: int) -> NDArray[np.uint8]:
        return decode(self.pictures[k], self.samples[k].image)

    def scaled(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return scale_line(picture, self.height, self.most)


def scale_line(picture: NDArray[np.uint8], height: int, most: int | None) -> NDArray[np.uint8]:
    width = line_width(picture.shape[1], picture.shape[0], height, most)
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), (width, height)), np.uint8)


def det_samples(label_files: Sequence[Path], data_dir: Path | None) -> list[DetSample]:
    return [sample for file in label_files for sample in read_det_labels(file, data_dir)]


def rec_samples(label_files: Sequence[Path], data_dir: Path | None) -> list[RecSample]:
    return [sample for file in label_files for sample in read_rec_labels(file, data_dir)]


def crop_with_text(rng: Generator, sample: Sample, height: int, width: int) -> Sample:
    """A random window; pictures smaller than it are filled up with black at the right and below."""
    picture = sample.picture
    missing = max(height - picture.shape[0], 0), max(width - picture.shape[1], 0)
    if any(missing):
        picture = np.pad(picture, ((0, missing[0]), (0, missing[1]), (0, 0)))
    for _ in range(CROP_TRIES):
        y = int(rng.integers(picture.shape[0] - height + 1))
        x = int(rng.integers(picture.shape[1] - width + 1))
        boxes = [_moved(box, x, y) for box in sample.boxes]
        boxes = [box for box in boxes if _meets_window(box, height, width)]
        if any(not box.ignored and _has_centre_in_window(box, height, width) for box in boxes):
            break
    return Sample(np.ascontiguousarray(picture[y : y + height, x : x + width]), tuple(boxes))


def _moved(box: TextBox, x: int, y: int) -> TextBox:
    return TextBox((box.points - np.array([x, y], np.float32)).astype(np.float32), box.transcription)


def _meets_window(box: TextBox, height: int, width: int) -> bool:
    (left, top), (right, bottom) = box.points.min(axis=0), box.points.max(axis=0)
    return bool(right > 0 and bottom > 0 and left < width and top < height)


def _has_centre_in_window(box: TextBox, height: int, width: int) -> bool:
    x, y = box.points.mean(axis=0)
    return bool(0 <= x < width and 0 <= y < height)


@contextmanager
def prepared(feed: Feed, numbers: range) -> Iterator[Iterator[Batch]]:
    """The batches of ``numbers``, made by a thread, a few ahead. What goes wrong there is raised where the batch would come."""
    queue: Queue[Batch | BaseException] = Queue(maxsize=PREPARED)
    stopped = threading.Event()

    def put(item: Batch | BaseException) -> None:
        while not stopped.is_set():
            try:
                queue.put(item, timeout=0.2)
                return
            except Full:
                continue

    def work() -> None:
        try:
            for number in numbers:
                put(feed.batch(number))
                if stopped.is_set():
                    return
        except BaseException as e:
            put(e)

    def batches() -> Iterator[Batch]:
        for _ in numbers:
            item = queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=work, name="data feed", daemon=True)
    thread.start()
    try:
        yield batches()
    finally:
        stopped.set()
        _drain(queue)
        thread.join()


def _drain(queue: Queue[Any]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
