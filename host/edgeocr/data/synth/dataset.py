"""Datasets of synthetic text: a folder with images/, labels.txt in PaddleOCR's format and dataset.json, which says what made it.

A picture depends on the kind, the seed, its number and whether it is held out, on nothing else: not on the count, the machine's
processor or how many processes draw.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgeocr.data.labels import DIRECTIONS, DetSample, RecSample, TextBox, write_det_labels, write_rec_labels
from edgeocr.data.synth.fonts import font_files
from edgeocr.data.synth.lines import Level, make_line
from edgeocr.data.synth.pages import Page, make_page
from edgeocr.errors import DataError, UsageError

KINDS = ("det", "rec", "cls")
GENERATOR = 2  # of dataset.json: counts up whenever the same seed gives other pictures
IMAGES, LABELS, DESCRIPTION = "images", "labels.txt", "dataset.json"
CHUNK = 16  # pictures that a process takes at a time

LEVELS = (Level.CLEAN, Level.USUAL, Level.USUAL, Level.HARD)  # in turn
REC_HEIGHT, REC_WIDTH = 32, 320
CLS_HEIGHT, CLS_WIDTH = 48, 384
HELD_OUT_LENGTHS = (2, 16)
LENGTHS = ((1, 6), (2, 16), (2, 16), (2, 16), (8, 24))  # of training lines, drawn from
HELD_OUT_SIZES, MOST_HELD_OUT_BOXES = (13, 72), 40
SIZES = ((9, 60), (9, 60), (40, 150), (7, 24))  # of training pages' fonts, drawn from
EMPTY_PAGES = 0.05


@dataclass(frozen=True)
class Description:
    kind: str
    count: int
    seed: int
    held_out: bool
    generator: int
    sha256: str  # of labels.txt and then the pictures' bytes, in order


@dataclass(frozen=True)
class _Job:
    kind: str
    seed: int
    held_out: bool
    page_size: int
    folder: Path


@dataclass(frozen=True)
class _Drawn:
    sample: DetSample | RecSample
    sha256: bytes


def generate(
    kind: str,
    out: Path,
    *,
    count: int,
    seed: int,
    held_out: bool = False,
    page_size: int = 640,
    workers: int = 1,
    on_picture: Callable[[], None] = lambda: None,
) -> Description:
    """Makes the folder ``out``, which must not exist or be empty; it appears when it is complete.

    ``held_out`` draws lines whose texts training sets never have, and pages of one range of sizes with 1 to `MOST_HELD_OUT_BOXES` boxes.
    Raises UsageError for a folder in use, SetupError without the fonts, DataError where nothing can be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: exists", "give a new folder with --out, or remove that one")
    font_files()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
            new = Path(scratch) / "new"
            (new / IMAGES).mkdir(parents=True)
            job = _Job(kind, seed, held_out, page_size, new)
            drawn = []
            for picture in _draw_all(job, count, workers):
                drawn.append(picture)
                on_picture()
            _write_labels(kind, new, drawn)
            description = Description(kind, count, seed, held_out, GENERATOR, _digest(new, [d.sha256 for d in drawn]))
            (new / DESCRIPTION).write_text(json.dumps(asdict(description), indent=2) + "\n")
            if out.exists():
                out.rmdir()
            shutil.move(new, out)
    except OSError as e:
        raise DataError(f"{e.filename or out}: cannot be written: {e.strerror}", "give another folder with --out") from e
    return description


def read_description(folder: Path) -> Description:
    """Raises DataError where the folder has none."""
    file = folder / DESCRIPTION
    try:
        return Description(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError) as e:
        raise DataError(f"{file}: does not describe a dataset: {e}") from e


def _draw_all(job: _Job, count: int, workers: int) -> Iterator[_Drawn]:
    draw = partial(_draw, job)
    if workers == 1:
        yield from map(draw, range(count))
        return
    # Not by fork: OpenCV's threads do not survive it.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(draw, range(count), chunksize=CHUNK)


def _draw(job: _Job, number: int) -> _Drawn:
    rng = np.random.default_rng([job.seed, KINDS.index(job.kind), int(job.held_out), number])
    with _same_on_every_processor():
        if job.kind == "det":
            page = _page(rng, job)
            return _save(job, number, page.picture, page.boxes)
        picture, label = _line(rng, job, number)
        return _save(job, number, picture, label)


@contextmanager
def _same_on_every_processor() -> Iterator[None]:
    """OpenCV without the code that it chooses by the processor, which rounds in other ways."""
    before = cv2.useOptimized()
    cv2.setUseOptimized(False)
    try:
        yield
    finally:
        cv2.setUseOptimized(before)


def _page(rng: Generator, job: _Job) -> Page:
    while True:
        sizes = HELD_OUT_SIZES if job.held_out else SIZES[int(rng.integers(len(SIZES)))]
        page = make_page(rng, job.page_size, job.page_size, sizes)
        if not page.boxes and (job.held_out or rng.random() > EMPTY_PAGES):
            continue
        if not (job.held_out and len(page.boxes) > MOST_HELD_OUT_BOXES):
            return page


def _line(rng: Generator, job: _Job, number: int) -> tuple[NDArray[np.uint8], str]:
    level = LEVELS[number % len(LEVELS)]
    lengths = HELD_OUT_LENGTHS if job.held_out else LENGTHS[int(rng.integers(len(LENGTHS)))]
    height, width = (CLS_HEIGHT, CLS_WIDTH) if job.kind == "cls" else (REC_HEIGHT, REC_WIDTH)
    line = make_line(rng, level, height=height, most_width=width, lengths=lengths, held_out=job.held_out)
    if job.kind == "rec":
        return line.picture, line.text
    direction = int(rng.integers(2))
    return line.picture[::-1, ::-1] if direction else line.picture, DIRECTIONS[direction]


def _save(job: _Job, number: int, picture: NDArray[np.uint8], label: str | tuple[TextBox, ...]) -> _Drawn:
    file = job.folder / IMAGES / f"{number:06}.png"
    ok, png = cv2.imencode(".png", picture)
    if not ok:
        raise DataError(f"{file}: cannot be encoded")
    file.write_bytes(png.tobytes())
    sample = RecSample(file, label) if isinstance(label, str) else DetSample(file, label)
    return _Drawn(sample, hashlib.sha256(png.tobytes()).digest())


def _write_labels(kind: str, folder: Path, drawn: list[_Drawn]) -> None:
    samples: list[Any] = [d.sample for d in drawn]
    (write_det_labels if kind == "det" else write_rec_labels)(folder / LABELS, samples)


def digest(folder: Path) -> str:
    """The sha256 of a dataset as dataset.json has it, from what the folder holds now."""
    pictures = sorted((folder / IMAGES).iterdir())
    return _digest(folder, [hashlib.sha256(picture.read_bytes()).digest() for picture in pictures])


def _digest(folder: Path, pictures: list[bytes]) -> str:
    whole = hashlib.sha256(hashlib.sha256((folder / LABELS).read_bytes()).digest())
    for picture in pictures:
        whole.update(picture)
    return whole.hexdigest()
