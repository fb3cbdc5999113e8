"""`make a76`: estimated Cortex-A76 cycles of every net at hand → benchmarks/results/a76.json, and a table.

The project's own nets are always there; the public ones are taken from EDGEOCR_TEST_DATA, and left out by name where they are not.
Needs Debian's qemu-user and llvm-19.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from estimate import MissingToolError, steady_state

from edgeocr.paths import MODELS, PHONE_RUNNER, ROOT, TEST_DATA

RESULTS = ROOT / "benchmarks" / "results" / "a76.json"
REPEATS = 1


@dataclass(frozen=True)
class Net:
    net: str  # det, rec or cls
    model: str  # what a reader knows it by
    path: Path
    input: str
    precision: str


OWN = MODELS / "edgeocr_en" / "none"
V20 = TEST_DATA / "models" / "ppocr_mobile_v2.0_slim"
V2 = TEST_DATA / "models" / "pp_ocrv2_slim"
NETS = [
    Net("det", "edgeocr_en", OWN / "det.nb", "1,3,640,640", "fp32"),
    Net("rec", "edgeocr_en", OWN / "rec.nb", "1,3,32,320", "fp32"),
    Net("det", "ppocr_mobile_v2.0_slim", V20 / "ch_ppocr_mobile_v2.0_det_slim_opt.nb", "1,3,640,640", "int8"),
    Net("rec", "ppocr_mobile_v2.0_slim", V20 / "ch_ppocr_mobile_v2.0_rec_slim_opt.nb", "1,3,32,320", "int8"),
    Net("cls", "ppocr_mobile_v2.0_slim", V20 / "ch_ppocr_mobile_v2.0_cls_slim_opt.nb", "1,3,48,192", "int8"),
    Net("det", "pp_ocrv2_slim", V2 / "ch_PP-OCRv2_det_db.nb", "1,3,640,640", "int8"),
    Net("rec", "pp_ocrv2_slim", V2 / "ch_PP-OCRv2_rec_crnn.nb", "1,3,32,320", "int8"),
]


def measure(net: Net) -> dict[str, object]:
    command = [str(PHONE_RUNNER), "bench", str(net.path), "--input", net.input, "--threads", "1", "--warmup", "0", "--repeats"]
    estimate = steady_state([*command, "1"], [*command, str(1 + REPEATS)], REPEATS)
    shown = ["edgeocr_run", "bench", net.path.name, "--input", net.input, "--threads", "1"]
    return {
        "net": net.net,
        "model": net.model,
        "input": net.input,
        "precision": net.precision,
        "threads": 1,
        "instructions": round(estimate.instructions),
        "a76_cycles": round(estimate.cycles),
        "command": " ".join(shown),
    }


def write(rows: list[dict[str, object]]) -> None:
    part = RESULTS.with_suffix(".part")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    part.write_text(json.dumps(rows, indent=1) + "\n")
    os.replace(part, RESULTS)


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not PHONE_RUNNER.exists():
        print("error: the phone's runner is missing: run `make runner`", file=sys.stderr)
        return 1
    rows = []
    print(f"{'net':4} {'model':24} {'input':13} {'':5} {'M instructions':>14} {'M A76 cycles (estimated)':>25}")
    for net in NETS:
        if not net.path.exists():
            print(f"{net.net:4} {net.model:24} left out: {net.path.name} is not in EDGEOCR_TEST_DATA")
            continue
        try:
            row = measure(net)
        except MissingToolError as missing:
            print(f"error: {missing}", file=sys.stderr)
            return 1
        except subprocess.CalledProcessError as failed:
            print(f"error: {net.path.name}: {failed.cmd[0]} exited with {failed.returncode}", file=sys.stderr)
            return 1
        rows.append(row)
        counts = [float(str(row[key])) / 1e6 for key in ("instructions", "a76_cycles")]
        print(f"{net.net:4} {net.model:24} {net.input:13} {net.precision:5} {counts[0]:14.1f} {counts[1]:25.1f}", flush=True)
    write(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
