"""The gate of `--precision fp16`: its probability maps against fp32's on labelled pages, and what is read of them.

Storing maps in fp16 alone moves single pixels of the map by 0.1, where it is steep, as half a grey level of noise in the picture does;
so the bounds are on the mean, on the share of pixels that move, and on the mask that boxes are made of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runner_process import model_arguments, phone

from edgeocr import paths

pytestmark = pytest.mark.emulated

OWN = paths.MODELS / "edgeocr_en"
PICTURES = sorted((paths.MODELS / "pictures").glob("*.png"))
MASK = 0.3  # PaddleOCR's det_db_thresh


def read(precision: str, folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    models = model_arguments(OWN / "none" / "det.nb", OWN / "none" / "rec.nb", OWN / "none" / "en_keys.txt")
    done = phone("cortex-a76").run("ocr", *models, "--precision", precision, "--dump-map", folder, *PICTURES, timeout=1800)
    assert (done.code, done.stderr) == (0, "")
    return done.of_type("picture")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fp16")


@pytest.fixture(scope="module")
def readings(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {precision: read(precision, folder / precision) for precision in ("fp32", "fp16")}


def test_maps_stay_within_the_gate(readings: dict[str, list[dict[str, Any]]], folder: Path) -> None:
    assert len(PICTURES) == len(readings["fp16"]) >= 2
    for picture in PICTURES:
        half, single = (np.fromfile(folder / precision / f"{picture.stem}.map.f32", "<f4") for precision in ("fp16", "fp32"))
        difference = np.abs(half - single)
        assert difference.max() > 0  # it was another precision
        assert difference.mean() <= 1e-4, picture.name
        assert (difference > 0.02).mean() <= 0.0015, picture.name
        overlap = np.logical_and(half > MASK, single > MASK).sum() / np.logical_or(half > MASK, single > MASK).sum()
        assert overlap >= 0.998, picture.name


def test_boxes_and_text_are_the_same(readings: dict[str, list[dict[str, Any]]]) -> None:
    for single, half in zip(readings["fp32"], readings["fp16"], strict=True):
        assert [line["text"] for line in half["lines"]] == [line["text"] for line in single["lines"]]
        for ours, theirs in zip(half["lines"], single["lines"], strict=True):
            assert np.abs(np.subtract(ours["box"], theirs["box"])).max() <= 2
