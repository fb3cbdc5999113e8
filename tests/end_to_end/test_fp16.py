"""The gate of `--precision fp16`: its probability maps against fp32's, and what is read of them.

Storing maps in fp16 alone moves single pixels of the map by 0.1, where it is steep, as half a grey level of noise in the picture does;
so the bounds are on the mean, on the share of pixels that move, and on the mask that boxes are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runner_process import Models, Runner, host, model_arguments, phone

from edgeocr import paths
from edgeocr.convert import opt

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("host_runner")]

MASK = 0.3  # PaddleOCR's det_db_thresh
PHOTOGRAPHS = ("2.jpg", "11.jpg", "22.jpg")  # flat and clean ones among them: there rounding shows most


@dataclass(frozen=True)
class Reading:
    """One picture: its map and what was read, in both precisions. fp32 is this machine's, the emulated phone would take minutes."""

    picture: str
    half_map: np.ndarray
    single_map: np.ndarray
    half: dict[str, Any]
    single: dict[str, Any]


def read(runner: Runner, precision: str, models: Models, pictures: list[Path], folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    done = runner.run("ocr", *models, "--precision", precision, "--dump-map", folder, *pictures, timeout=1800)
    assert (done.code, done.stderr) == (0, "")
    return done.of_type("picture")


def read_both(models: Models, pictures: list[Path], folder: Path) -> list[Reading]:
    half = read(phone("cortex-a76"), "fp16", models, pictures, folder / "fp16")
    single = read(host(), "fp32", models, pictures, folder / "fp32")
    half_maps, single_maps = (
        [np.fromfile(folder / precision / f"{picture.stem}.map.f32", "<f4") for picture in pictures] for precision in ("fp16", "fp32")
    )
    names = [picture.name for picture in pictures]
    return [Reading(*each) for each in zip(names, half_maps, single_maps, half, single, strict=True)]


def own_pages(folder: Path) -> list[Reading]:
    net = paths.MODELS / "edgeocr_en" / "none"
    models = model_arguments(net / "det.nb", net / "rec.nb", net / "en_keys.txt")
    return read_both(models, sorted((paths.MODELS / "pictures").glob("*.png")), folder)


def photographs(folder: Path) -> list[Reading]:
    """By the official PP-OCRv2 detector, whose maps are the steepest."""
    prefix = paths.TEST_DATA / "models" / "pp_ocrv2_det_fp32" / "ch_PP-OCRv2_det_infer"
    detector = opt.convert(prefix, folder / "det.nb").path
    return read_both(["--det", detector], [paths.TEST_DATA / "images" / name for name in PHOTOGRAPHS], folder)


@pytest.fixture(
    scope="module",
    params=[own_pages, pytest.param(photographs, marks=[pytest.mark.data, pytest.mark.paddle])],
    ids=lambda read_all: read_all.__name__,
)
def readings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Reading]:
    read_all: Callable[[Path], list[Reading]] = request.param
    return read_all(tmp_path_factory.mktemp("fp16"))


def test_maps_stay_within_the_gate(readings: list[Reading]) -> None:
    assert len(readings) >= 2
    for reading in readings:
        half, single = reading.half_map, reading.single_map
        difference = np.abs(half - single)
        assert difference.max() > 1e-3  # it was another precision
        assert difference.mean() <= 1e-4, reading.picture
        assert (difference > 0.02).mean() <= 0.0015, reading.picture
        overlap = np.logical_and(half > MASK, single > MASK).sum() / np.logical_or(half > MASK, single > MASK).sum()
        assert overlap >= 0.998, reading.picture


def test_boxes_and_text_are_the_same(readings: list[Reading]) -> None:
    for reading in readings:
        half, single = reading.half["lines"], reading.single["lines"]
        assert [line["text"] for line in half] == [line["text"] for line in single], reading.picture
        for ours, theirs in zip(half, single, strict=True):
            assert np.abs(np.subtract(ours["box"], theirs["box"])).max() <= 2, reading.picture
