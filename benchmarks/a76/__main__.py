"""`make a76`: estimated Cortex-A76 cycles of every net at hand → benchmarks/results/a76.json, and a table.

`make traffic` (--traffic): bytes from beyond a Snapdragon 855 prime core's caches instead → benchmarks/results/traffic.json. The project's
own nets are always there; the public ones are taken from EDGEOCR_TEST_DATA, and left out by name where they are not. --only measures some
and leaves the other rows as they are; each says by its runner's sha256 which build it is of. Either takes some ten minutes on two
processors.
Needs Debian's qemu-user and llvm-19.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import estimate
import picture
import traffic
from emulation import MissingToolError

from edgeocr.bench.result import write_atomically
from edgeocr.errors import EdgeocrError
from edgeocr.paths import PHONE_RUNNER, RESULTS, TEST_DATA
from edgeocr.zoo.build import SetSpec, read_set
from edgeocr.zoo.verify import sha256_of

REPEATS = 1
INPUTS = {"det": "1,3,640,640", "rec": "1,3,32,320", "cls": "1,3,48,192"}
FLOAT = {"det": ("fp32", "fp16"), "rec": ("fp32", "fp16", "dynamic int8"), "cls": ("fp32", "fp16")}
QUANTISED = {"det": ("int8", "int8 fast", "int8 composed"), "rec": ("int8", "int8 fast"), "cls": ("int8",)}


def name_of(net: object, model: object, precision: object) -> str:
    """What --only looks at."""
    return f"{net} {model} {precision}"


@dataclass(frozen=True)
class Net:
    net: str  # det, rec or cls
    model: str  # what a reader knows it by
    path: Path
    input: str
    precision: str  # int8: with Paddle-Lite's bits; int8 fast, int8 composed: with that --int8; dynamic int8: --dynamic-int8

    def __str__(self) -> str:
        return name_of(self.net, self.model, self.precision)

    def arguments(self) -> list[str]:
        options = {
            "fp16": ["--precision", "fp16"],
            "int8 fast": ["--int8", "fast"],
            "int8 composed": ["--int8", "composed"],
            "dynamic int8": ["--dynamic-int8"],
        }
        how = options.get(self.precision, [])
        return ["--input", self.input, *how, "--threads", "1"]


def own_nets(models: SetSpec) -> list[Net]:
    """Every net of every variant, in what it can compute in."""
    return [
        Net(net, f"{models.name} {variant}".removesuffix(" none"), models.committed(variant) / f"{net}.nb", INPUTS[net], precision)
        for variant, nets in models.variants.items()
        for net, spec in nets.items()
        for precision in (QUANTISED if spec.quantised else FLOAT)[net]
    ]


V20 = TEST_DATA / "models" / "ppocr_mobile_v2.0_slim"
V2 = TEST_DATA / "models" / "pp_ocrv2_slim"
PICTURE = TEST_DATA / "images" / "11.jpg"
PUBLIC = [
    Net("det", "ppocr_mobile_v2.0_slim", V20 / "ch_ppocr_mobile_v2.0_det_slim_opt.nb", "1,3,640,640", "int8"),
    Net("det", "ppocr_mobile_v2.0_slim", V20 / "ch_ppocr_mobile_v2.0_det_slim_opt.nb", "1,3,640,640", "int8 fast"),
    Net("det", "ppocr_mobile_v2.0_slim", V20 / "ch_ppocr_mobile_v2.0_det_slim_opt.nb", "1,3,640,640", "int8 composed"),
    Net("rec", "ppocr_mobile_v2.0_slim", V20 / "ch_ppocr_mobile_v2.0_rec_slim_opt.nb", "1,3,32,320", "int8"),
    Net("rec", "ppocr_mobile_v2.0_slim", V20 / "ch_ppocr_mobile_v2.0_rec_slim_opt.nb", "1,3,32,320", "int8 fast"),
    Net("cls", "ppocr_mobile_v2.0_slim", V20 / "ch_ppocr_mobile_v2.0_cls_slim_opt.nb", "1,3,48,192", "int8"),
    Net("det", "pp_ocrv2_slim", V2 / "ch_PP-OCRv2_det_db.nb", "1,3,640,640", "int8"),
    Net("det", "pp_ocrv2_slim", V2 / "ch_PP-OCRv2_det_db.nb", "1,3,640,640", "int8 fast"),
    Net("det", "pp_ocrv2_slim", V2 / "ch_PP-OCRv2_det_db.nb", "1,3,640,640", "int8 composed"),
    Net("rec", "pp_ocrv2_slim", V2 / "ch_PP-OCRv2_rec_crnn.nb", "1,3,32,320", "int8"),
    Net("rec", "pp_ocrv2_slim", V2 / "ch_PP-OCRv2_rec_crnn.nb", "1,3,32,320", "int8 fast"),
]


@dataclass(frozen=True)
class Instrument:
    """What is measured of a net: the file of the results, and the columns of the table: key and heading, in millions."""

    file: str
    columns: tuple[tuple[str, str], ...]
    measure: Callable[[list[str], list[str]], dict[str, int]]


def cycles(once: list[str], more: list[str]) -> dict[str, int]:
    found = estimate.steady_state(once, more, REPEATS)
    return {"instructions": round(found.instructions), "a76_cycles": round(found.cycles)}


def bytes_moved(once: list[str], more: list[str]) -> dict[str, int]:
    found = traffic.steady_state(once, more, REPEATS)
    return {"l2_misses": round(found.l2_misses), "beyond_l3_bytes": round(found.beyond_l3_bytes)}


CYCLES = Instrument("a76.json", (("instructions", "M instructions"), ("a76_cycles", "M A76 cycles (estimated)")), cycles)
TRAFFIC = Instrument(
    "traffic.json", (("l2_misses", "M lines from beyond L2"), ("beyond_l3_bytes", "MB from beyond L3 (simulated)")), bytes_moved
)


def measure(net: Net, instrument: Instrument) -> dict[str, object]:
    command = [str(PHONE_RUNNER), "bench", str(net.path), *net.arguments(), "--warmup", "0", "--repeats"]
    shown = ["edgeocr_run", "bench", net.path.name, *net.arguments()]
    return {
        "net": net.net,
        "model": net.model,
        "sha256": sha256_of(net.path),
        "input": net.input,
        "precision": net.precision,
        "threads": 1,
        "runner": sha256_of(PHONE_RUNNER),
        **instrument.measure([*command, "1"], [*command, str(1 + REPEATS)]),
        "command": " ".join(shown),
    }


def show(row: dict[str, object], instrument: Instrument) -> None:
    counts = " ".join(f"{float(str(row[key])) / 1e6:29.1f}" for key, _ in instrument.columns)
    print(f"{row['net']!s:7} {row['model']!s:24} {row['input']!s:13} {row['precision']!s:13} {counts}", flush=True)


def different(nets: Sequence[Net]) -> Iterator[Net]:
    """Those whose files are here, without those of the same bytes and precision as one before: variants share recognisers."""
    seen: set[tuple[str, str]] = set()
    for net in nets:
        if not net.path.exists():
            print(f"{net.net:7} {net.model:24} left out: {net.path} is not there")
        elif (key := (sha256_of(net.path), net.precision)) not in seen:
            seen.add(key)
            yield net


def recorded(instrument: Instrument) -> dict[str, dict[str, object]]:
    """The rows of an earlier run, by name."""
    path = RESULTS / instrument.file
    rows = json.loads(path.read_bytes()) if path.exists() else []
    return {name_of(row["net"], row["model"], row["precision"]): row for row in rows}


def measure_all(instrument: Instrument, only: Sequence[str]) -> list[dict[str, object]]:
    rows = []
    kept = recorded(instrument) if only else {}

    def add(name: str, measured: Callable[[], dict[str, object]]) -> None:
        if not only or any(text in name for text in only):
            rows.append(measured())
            show(rows[-1], instrument)
        elif name in kept:
            rows.append(kept[name])

    headings = " ".join(f"{heading:>29}" for _, heading in instrument.columns)
    print(f"{'net':7} {'model':24} {'input':13} {'':13} {headings}")
    for net in different([*own_nets(read_set("edgeocr_en")), *PUBLIC]):
        add(str(net), functools.partial(measure, net, instrument))
    if instrument is CYCLES:
        if PICTURE.exists() and V20.exists():
            add(name_of("picture", V20.name, "int8"), lambda: picture.measure(PICTURE, V20, V20 / "ppocr_keys_v1.txt"))
        else:
            print(f"picture left out: {PICTURE.name} is not in EDGEOCR_TEST_DATA")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traffic", action="store_true", help="simulate the caches instead of estimating cycles")
    parser.add_argument(
        "--only", action="append", default=[], metavar="TEXT", help='nets that have TEXT in "NET MODEL PRECISION"; repeatable'
    )
    options = parser.parse_args()
    instrument = TRAFFIC if options.traffic else CYCLES
    if not PHONE_RUNNER.exists():
        print("error: the phone's runner is missing: run `make runner`", file=sys.stderr)
        return 1
    try:
        rows = measure_all(instrument, options.only)
        write_atomically(RESULTS / instrument.file, f"{json.dumps(rows, indent=1)}\n".encode())
    except (MissingToolError, EdgeocrError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as ended:
        print(f"error: {' '.join(ended.cmd)} exited with {ended.returncode}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
