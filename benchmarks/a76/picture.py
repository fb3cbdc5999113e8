"""The estimated cycles of a whole picture, from its file to its text, beside what Paddle-Lite's nets alone would cost on it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from emulation import qemu
from estimate import steady_state

from edgeocr.paths import PHONE_RUNNER
from edgeocr.zoo.verify import sha256_of

# Paddle-Lite 2.13-rc on the official v2.0 slim nets, one thread, SDOT on, by the same estimate: the detector at 640x640, the classifier for
# a box, the recogniser for a box of width 320.
PADDLE_LITE_DET, PADDLE_LITE_CLS, PADDLE_LITE_REC = 199.6e6, 10.7e6, 41.5e6


def paddle_lite_cycles(record: dict[str, Any]) -> float:
    """Reckoned from the sizes in a `picture` record of the runner; without resizing, boxes and crops, which ours include."""
    height, width = (float(size) for size in record["det_input"][2:])
    det = PADDLE_LITE_DET * height * width / 640**2
    return det + sum(PADDLE_LITE_CLS + PADDLE_LITE_REC * float(line["rec_width"]) / 320 for line in record["lines"])


def measure(path: Path, models: Path, keys: Path) -> dict[str, object]:
    """``models`` holds one file each of *det*.nb, *rec*.nb and *cls*.nb."""
    det, rec, cls = (next(models.glob(f"*{role}*.nb")) for role in ("det", "rec", "cls"))
    nets = ["--det", str(det), "--rec", str(rec), "--cls", str(cls), "--dict", str(keys)]
    command = [str(PHONE_RUNNER), "ocr", *nets, "--threads", "1", str(path), "--warmup", "0", "--repeats"]
    found = steady_state([*command, "1"], [*command, "2"], 1)
    return {
        "net": "picture",
        "model": models.name,
        "input": path.name,
        "precision": "int8",
        "threads": 1,
        "runner": sha256_of(PHONE_RUNNER),
        "instructions": round(found.instructions),
        "a76_cycles": round(found.cycles),
        "paddle_lite_cycles": round(paddle_lite_cycles(_record(command))),
        "command": f"edgeocr_run ocr --det {det.name} --rec {rec.name} --cls {cls.name} --dict {keys.name} --threads 1 {path.name}",
    }


def _record(command: list[str]) -> dict[str, Any]:
    run = subprocess.run([qemu(), "-cpu", "cortex-a76", *command, "1"], check=True, stdout=subprocess.PIPE, text=True)
    records = (json.loads(line) for line in run.stdout.splitlines())
    found: dict[str, Any] = next(record for record in records if record["type"] == "picture")
    return found
