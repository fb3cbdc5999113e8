"""`make a76`: estimated Cortex-A76 cycles of every net at hand → benchmarks/results/a76.json, and a table.

`make traffic` (--traffic): bytes from beyond a Snapdragon 855 prime core's caches instead → benchmarks/results/traffic.json. The project's
own nets are always there; the public ones are taken from EDGEOCR_TEST_DATA, and left out by name where they are not. --only measures some.
Each row is written as soon as it is measured and says by its runner's sha256 which build it is of; those that are not measured stay as
they are, but for rows of nets that are measured no more, which a run without --only drops. Either takes some ten minutes on two processors.
Needs Debian's qemu-user and llvm-19.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import estimate
import picture
import traffic
from emulation import MissingToolError

from edgeocr.errors import EdgeocrError
from edgeocr.files import write_atomically
from edgeocr.paths import PHONE_RUNNER, RESULTS, TEST_DATA
from edgeocr.zoo.build import SetSpec, read_set
from edgeocr.zoo.verify import sha256_of

Row = dict[str, object]

REPEATS = 1
INTERRUPTED = 130
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
    Net(net, path.parent.name, path, INPUTS[net], precision)
    for net, path in (
        ("det", V20 / "ch_ppocr_mobile_v2.0_det_slim_opt.nb"),
        ("rec", V20 / "ch_ppocr_mobile_v2.0_rec_slim_opt.nb"),
        ("cls", V20 / "ch_ppocr_mobile_v2.0_cls_slim_opt.nb"),
        ("det", V2 / "ch_PP-OCRv2_det_db.nb"),
        ("rec", V2 / "ch_PP-OCRv2_rec_crnn.nb"),
    )
    for precision in QUANTISED[net]
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


def measure(net: Net, instrument: Instrument) -> Row:
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


def show(row: Row, instrument: Instrument) -> None:
    counts = " ".join(f"{float(str(row[key])) / 1e6:29.1f}" for key, _ in instrument.columns)
    print(f"{row['net']!s:7} {row['model']!s:24} {row['input']!s:13} {row['precision']!s:13} {counts}", flush=True)


def planned(instrument: Instrument) -> dict[str, Callable[[], Row] | Path]:
    """Every row by name, in the order of the file, and how it is measured, or the file that is missing for it.

    Nets of the same bytes and precision as one before have no row: variants share recognisers.
    """
    rows: dict[str, Callable[[], Row] | Path] = {}
    seen: set[tuple[str, str]] = set()
    for net in [*own_nets(read_set("edgeocr_en")), *PUBLIC]:
        if not net.path.exists():
            rows[str(net)] = net.path
        elif (key := (sha256_of(net.path), net.precision)) not in seen:
            seen.add(key)
            rows[str(net)] = functools.partial(measure, net, instrument)
    if instrument is CYCLES:
        missing = next((path for path in (PICTURE, V20) if not path.exists()), None)
        whole = functools.partial(picture.measure, PICTURE, V20, V20 / "ppocr_keys_v1.txt")
        rows[name_of("picture", V20.name, "int8")] = missing or whole
    return rows


def recorded(file: Path) -> dict[str, Row]:
    """The rows of earlier runs, by name."""
    if not file.exists():
        return {}
    try:
        return {name_of(row["net"], row["model"], row["precision"]): row for row in json.loads(file.read_bytes())}
    except (ValueError, TypeError, KeyError) as error:
        raise EdgeocrError(f"{file}: is no list of rows ({type(error).__name__} {error}): move it away") from error


def measure_all(instrument: Instrument, only: Sequence[str]) -> None:
    file = RESULTS / instrument.file
    plan = planned(instrument)
    rows = {name: row for name, row in recorded(file).items() if only or name in plan}
    place = {name: number for number, name in enumerate(plan)}
    headings = " ".join(f"{heading:>29}" for _, heading in instrument.columns)
    print(f"{'net':7} {'model':24} {'input':13} {'':13} {headings}")
    for name, measured in plan.items():
        if only and not any(text in name for text in only):
            continue
        if isinstance(measured, Path):
            kept = ", the row of an earlier run is kept" if name in rows else ""
            print(f"{name} left out: {measured} is not there{kept}")
            continue
        rows[name] = measured()
        in_order = sorted(rows, key=lambda known: place.get(known, len(place)))
        write_atomically(file, f"{json.dumps([rows[known] for known in in_order], indent=1)}\n".encode())
        show(rows[name], instrument)


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
        measure_all(instrument, options.only)
    except (MissingToolError, EdgeocrError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as ended:
        print(f"error: {' '.join(ended.cmd)} exited with {ended.returncode}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
