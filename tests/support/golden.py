"""The golden readings in EDGEOCR_TEST_DATA and their matching rule (golden/README.md there)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner_process import Models, model_arguments

MAX_CORNER_DIFFERENCE = 2  # pixels
SETS = {  # detector, recogniser, classifier
    "ppocr_mobile_v2.0_slim": tuple(f"ch_ppocr_mobile_v2.0_{role}_slim_opt" for role in ("det", "rec", "cls")),
    "pp_ocrv2_slim": ("ch_PP-OCRv2_det_db", "ch_PP-OCRv2_rec_crnn", "ch_PP-OCRv2_cls"),
}
KEPT_LINES = {"ppocr_mobile_v2.0_slim": 56, "pp_ocrv2_slim": 27}


@dataclass(frozen=True)
class GoldenPicture:
    path: Path
    reading: dict[str, Any]
    map: Path  # .npz, may be absent

    def kept(self) -> list[dict[str, Any]]:
        return [line for line in self.reading["lines"] if line["kept"] and line["text"]]


def models(data: Path, name: str) -> Models:
    folder = data / "models" / name
    detector, recogniser, classifier = (folder / f"{stem}.nb" for stem in SETS[name])
    return model_arguments(detector, recogniser, folder / "ppocr_keys_v1.txt", classifier)


def pictures(data: Path, name: str) -> list[GoldenPicture]:
    readings = sorted((data / "golden" / name).glob("*.json"), key=lambda path: int(path.stem))
    return [_picture(data, path) for path in readings]


def _picture(data: Path, path: Path) -> GoldenPicture:
    reading = json.loads(path.read_text())
    return GoldenPicture(data / "images" / reading["picture"], reading, path.with_suffix(".det.npz"))


def corner_difference(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]]) -> float:
    return max(abs(p - q) for corner_a, corner_b in zip(a, b, strict=True) for p, q in zip(corner_a, corner_b, strict=True))


def mismatches(golden: GoldenPicture, record: dict[str, Any]) -> Iterator[str]:
    """Golden lines that our reading lacks, and kept lines of ours that no golden line has."""
    ours = record["lines"]
    matched = set()
    for line in golden.kept():
        distances = [corner_difference(line["box"], our["box"]) for our in ours]
        nearest = min(range(len(ours)), key=distances.__getitem__, default=None)
        if nearest is None or distances[nearest] > MAX_CORNER_DIFFERENCE:
            yield f"{golden.path.name}: no box for {line['text']!r} at {line['box']}"
        elif ours[nearest]["text"] != line["text"]:
            yield f"{golden.path.name}: read {ours[nearest]['text']!r}, expected {line['text']!r}"
        else:
            matched.add(nearest)
    for index, our in enumerate(ours):
        if our["kept"] and index not in matched:
            yield f"{golden.path.name}: kept {our['text']!r} (score {our['score']:.3f}) is no golden line"
