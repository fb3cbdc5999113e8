"""``python -m edgeocr.train`` as its parent sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeocr.paths import ROOT

pytestmark = pytest.mark.paddle


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "host"), "GLOG_minloglevel": "2", "PYTHONWARNINGS": "ignore"}
    argv = [sys.executable, "-m", "edgeocr.train", *map(str, arguments)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A classifier on three pictures, for longer than any test waits."""
    for k in range(3):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((48, 192, 3), 80 * k, np.uint8))
    (tmp_path / "labels.txt").write_text("0.png\t0\n1.png\t180\n2.png\t0\n")
    document: dict[str, Any] = {
        "Global": {"iterations": 1_000_000, "print_batch_step": 1, "save_batch_step": 1_000_000},
        "Architecture": {
            "model_type": "cls",
            "Backbone": {"name": "MobileNetV3", "model_name": "small", "scale": 0.35},
            "Head": {"name": "ClsHead", "class_dim": 2},
        },
        "Loss": {"name": "ClsLoss"},
        "Train": {"label_file_list": ["labels.txt"], "image_shape": [3, 48, 192], "batch_size_per_card": 2},
    }
    (tmp_path / "cls.json").write_text(json.dumps(document))
    return tmp_path / "cls.json"


def test_records_come_as_lines_and_an_interruption_leaves_a_checkpoint(config: Path, tmp_path: Path) -> None:
    child = start(config, tmp_path / "run")
    assert child.stdout is not None
    first = json.loads(child.stdout.readline())
    assert (first["iteration"], first["iterations"]) == (1, 1_000_000)
    child.send_signal(signal.SIGINT)
    rest, errors = child.communicate(timeout=60)
    assert child.returncode == 130, errors
    last = json.loads(rest.splitlines()[-1]) if rest else first
    assert json.loads((tmp_path / "run" / "state.json").read_text())["iteration"] == last["iteration"]


def test_a_wrong_configuration_is_one_line(config: Path, tmp_path: Path) -> None:
    document = json.loads(config.read_text())
    document["Global"]["epochs"] = 3
    config.write_text(json.dumps(document))
    child = start(config, tmp_path / "run")
    out, errors = child.communicate(timeout=60)
    assert (child.returncode, out) == (2, "")
    assert errors.splitlines()[-1].startswith(f"error: {config}: Global.epochs is unknown, expected one of iterations, seed")
