"""Where things are in a checkout. Nothing here touches the disk."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
MODELS = ROOT / "models"
RESULTS = ROOT / "benchmarks" / "results"
EVALUATION = BUILD / "eval.json"  # where `edgeocr eval` writes
HOST_RUNNER = BUILD / "host" / "edgeocr_run"
PHONE_RUNNER = BUILD / "aarch64" / "edgeocr_run"
PADDLE_PYTHON = ROOT / ".venv-paddle" / "bin" / "python"
CACHE = Path(os.environ.get("EDGEOCR_CACHE", Path.home() / ".cache" / "edgeocr"))
TEST_DATA = Path(os.environ.get("EDGEOCR_TEST_DATA", ROOT.parent / "shared"))
