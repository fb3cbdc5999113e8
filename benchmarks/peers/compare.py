"""`make peers`: other engines on the same nets on this machine → benchmarks/results/peers.json, and a table.

Every engine runs in its own process, in fp32, with one thread, on the same processor. They take turns: in every round each runs a few
times. What is reported is wall-clock time over ours in the same round: the median of the rounds and their quartiles, never milliseconds, as
other work on the machine slows all of them down alike. Outputs are compared with Paddle's before anything is timed; an engine whose output
is wrong, or that cannot be installed, converted or run is listed with the reason.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environment
import numpy as np
from nets import NETS, PEERS, REFERENCE, ConversionError, Net, Peer, inference_model, picture, to_edgeocr

from edgeocr.bench.statistics import summarise
from edgeocr.errors import EdgeocrError
from edgeocr.files import write_atomically
from edgeocr.paths import HOST_RUNNER, ROOT

RESULTS = ROOT / "benchmarks" / "results" / "peers.json"
OURS = "edgeocr"
TOLERANCE = 1e-3  # largest difference from Paddle's output, a probability
WARMUP = 2
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "GLOG_minloglevel": "2",
    "PYTHONWARNINGS": "ignore",
}


class PeerError(Exception):
    """A peer does not run; the message is the reason."""


class Worker:
    """worker.py with one peer and one net. Raises PeerError when the process ends or answers something else than it should."""

    def __init__(self, peer: Peer, model: Path, folder: Path) -> None:
        self.peer = peer
        self.output = folder / f"{peer.name}.npy"
        self.log = folder / f"{peer.name}.log"
        command = [
            str(peer.python),
            str(Path(__file__).with_name("worker.py")),
            peer.name,
            str(model),
            str(folder / "input.npy"),
            str(self.output),
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **ONE_THREAD}
            )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            words = [text for text in self.log.read_text(errors="replace").splitlines() if text.strip()]
            raise PeerError(f"ended with {self.process.wait()}: {(words or ['silently'])[-1]}")
        return json.loads(line)

    def start(self) -> str:
        """Waits until the net has run once; returns the peer's version."""
        report = self.answer()
        if len(report["cpus"]) != 1:
            raise PeerError(f"runs on processors {report['cpus']}, expected one")
        return str(report["version"])

    def time(self, runs: int) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{runs}\n")
        self.process.stdin.flush()
        return float(np.median(self.answer()))


class OurRunner:
    """`edgeocr_run bench`, started anew in every round."""

    def __init__(self, runner: Path, model: Path, net: Net) -> None:
        self.output = net.folder / "edgeocr.f32"
        self.command = [str(runner), "bench", str(model), "--input", net.input, "--threads", "1", "--warmup", str(WARMUP)]
        self.command += ["--input-file", str(net.folder / "input.f32"), "--output-file", str(self.output)]

    def time(self, runs: int) -> float:
        done = subprocess.run(
            [*self.command, "--repeats", str(runs)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise PeerError(f"{self.command[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return float(np.median(json.loads(done.stdout.splitlines()[-1])["ms"]))


@dataclass
class Row:
    engine: str
    version: str = ""
    status: str = "ok"  # ok, wrong (output differs from Paddle's), missing (not installed, converted or run)
    reason: str = ""
    max_error: float | None = None
    ratios: list[float] = field(default_factory=list)  # of each round: its time over ours

    def fail(self, reason: object) -> None:
        self.status, self.reason = "missing", str(reason)

    def compare(self, output: np.ndarray, reference: np.ndarray) -> None:
        if output.size != reference.size:
            self.status, self.reason = "wrong", f"output has {output.size} values, Paddle's {reference.size}"
            return
        self.max_error = float(np.abs(output.ravel() - reference.ravel()).max())
        if not self.max_error <= TOLERANCE:
            self.status, self.reason = "wrong", f"output differs from Paddle's by up to {self.max_error:.2g}"

    def record(self) -> dict[str, object]:
        row: dict[str, object] = {"engine": self.engine, "version": self.version, "status": self.status}
        if self.reason:
            row["reason"] = self.reason
        if self.max_error is not None:
            row["max_error"] = float(f"{self.max_error:.3g}")
        if self.ratios:
            low, median, high = np.percentile(self.ratios, [25, 50, 75])
            interval = summarise(self.ratios)
            figures = {"median": median, "q1": low, "q3": high, "low": interval.low, "high": interval.high}
            row["time_over_ours"] = {name: round(float(value), 3) for name, value in figures.items()}
        return row

    def line(self) -> str:
        if not self.ratios:
            return f"  {self.engine:12} {self.version:14} {self.status}: {self.reason}"
        low, median, high = np.percentile(self.ratios, [25, 50, 75])
        note = f"  {self.status}: {self.reason}" if self.reason else ""
        return f"  {self.engine:12} {self.version:14} {median:6.2f}   ({low:.2f} to {high:.2f}){note}"


def start_peer(peer: Peer, net: Net, prefix: Path, failed: dict[str, str], stack: ExitStack) -> tuple[Row, Worker | None]:
    row = Row(peer.name)
    for package in peer.packages:
        if package in failed:
            row.fail(f"not installed: {failed[package]}")
            return row, None
    try:
        worker = stack.enter_context(Worker(peer, peer.convert(net, prefix), net.folder))
        row.version = worker.start()
    except (ConversionError, PeerError, OSError) as e:
        row.fail(e)
        return row, None
    return row, worker


def compare(net: Net, program: Path, failed: dict[str, str], rounds: int, runs: int) -> list[Row]:
    """Raises EdgeocrError or PeerError where Paddle or we ourselves do not run."""
    net.folder.mkdir(parents=True, exist_ok=True)
    x = picture(net.shape)
    np.save(net.folder / "input.npy", x)
    x.tofile(net.folder / "input.f32")
    prefix = inference_model(net)
    with ExitStack() as stack:
        reference, _ = start_peer(REFERENCE, net, prefix, failed, stack)
        if reference.status != "ok":
            raise PeerError(f"Paddle, with which outputs are compared: {reference.reason}")
        expected = np.load(net.folder / f"{REFERENCE.name}.npy")
        ours, runner = Row(OURS), OurRunner(program, to_edgeocr(net, prefix), net)
        runner.time(1)
        ours.compare(np.fromfile(runner.output, np.float32), expected)
        started = [start_peer(peer, net, prefix, failed, stack) for peer in PEERS]
        for row, worker in started:
            if worker is not None:
                row.compare(np.load(worker.output), expected)
                worker.time(WARMUP)
        for _ in range(rounds):
            own = runner.time(runs)
            for row, worker in started:
                if worker is not None:
                    row.ratios.append(worker.time(runs) / own)
    return [ours, *(row for row, _ in started)]


def processor() -> str:
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=5, help="runs of each engine in a round")
    parser.add_argument("--runner", type=Path, default=HOST_RUNNER, help="our program (%(default)s)")
    parser.add_argument("--net", choices=sorted({net.net for net in NETS}), help="only these nets; nothing is written")
    options = parser.parse_args()
    if not options.runner.exists():
        print(f"error: {options.runner} is missing: run `make runner`", file=sys.stderr)
        return 1
    failed = environment.set_up()
    processors = os.sched_getaffinity(0)
    tables = []
    for net in NETS:
        if options.net not in (None, net.net):
            continue
        print(f"{net.net} {net.model} {net.input}: time over ours, median of {options.rounds} rounds (quartiles)", flush=True)
        if net.source is not None and not net.source.with_name(net.source.name + ".pdmodel").exists():
            print(f"  left out: {net.source.name} is not in EDGEOCR_TEST_DATA")
            continue
        try:
            os.sched_setaffinity(0, {max(processors)})  # children inherit it
            rows = compare(net, options.runner, failed, options.rounds, options.runs)
        except (EdgeocrError, PeerError, ConversionError) as e:
            print(f"error: {net.net} {net.model}: {e}", file=sys.stderr)
            return 1
        finally:
            os.sched_setaffinity(0, processors)
        for row in rows[1:]:
            print(row.line(), flush=True)
        records = [row.record() for row in rows]
        tables.append({"net": net.net, "model": net.model, "input": net.input, "precision": "fp32", "threads": 1, "engines": records})
    if options.net is None:
        date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        settings = {"rounds": options.rounds, "runs_per_round": options.runs, "tolerance": TOLERANCE}
        document = {"date": date, "processor": processor(), "command": "make peers", **settings, "nets": tables}
        write_atomically(RESULTS, f"{json.dumps(document, indent=1)}\n".encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
