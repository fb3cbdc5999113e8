"""The frozen evaluation sets: made by command, never committed, known by their sha256 (models/evaluation.json)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import PIL

from edgeocr.data.synth.dataset import GENERATOR, digest, generate
from edgeocr.errors import DataError, UsageError
from edgeocr.paths import BUILD, MODELS

HASHES = MODELS / "evaluation.json"
FOLDER = BUILD / "data" / "evaluation"
SEED = 20240
COUNTS = {"det": 200, "rec": 1000, "cls": 1000}


def evaluation_set(kind: str, *, folder: Path = FOLDER, workers: int = 1, on_picture: Callable[[], None] = lambda: None) -> Path:
    """The set's folder, checked; made if it is missing.

    Raises DataError where it is not the frozen one, SetupError without the fonts that it is drawn with.
    """
    if kind not in COUNTS:
        raise UsageError(f"no evaluation set is named {kind!r}", f"there is: {', '.join(COUNTS)}")
    out = folder / kind
    made = not out.exists()
    if made:
        found = generate(kind, out, count=COUNTS[kind], seed=SEED, held_out=True, workers=workers, on_picture=on_picture).sha256
    else:
        found = _digest(out)
    expected = frozen_hashes()[kind]
    if found == expected:
        return out
    if made:
        shutil.rmtree(out)
        raise DataError(
            f"the evaluation set {kind} that this machine draws is not the frozen one (sha256 {found[:12]}…, expected {expected[:12]}…)",
            f"its fonts or libraries are others ({_libraries()}): use Debian 12's fonts and the versions of tools/constraints.txt",
        )
    raise DataError(
        f"{out}: is not the frozen evaluation set (sha256 {found[:12]}…, expected {expected[:12]}…)", f"remove {out}; it is made again"
    )


def frozen_hashes() -> dict[str, str]:
    """kind → sha256. Raises DataError where models/evaluation.json is of another generator."""
    document = json.loads(HASHES.read_text())
    if document["generator"] != GENERATOR:
        raise DataError(f"{HASHES}: is of generator {document['generator']}, the code is generator {GENERATOR}")
    return {kind: str(document["sha256"][kind]) for kind in COUNTS}


def _digest(folder: Path) -> str:
    try:
        return digest(folder)
    except OSError as e:
        raise DataError(f"{folder}: is not a whole dataset: {e}", f"remove {folder}; it is made again") from e


def _libraries() -> str:
    return f"numpy {np.__version__}, opencv {cv2.__version__}, pillow {PIL.__version__}"
