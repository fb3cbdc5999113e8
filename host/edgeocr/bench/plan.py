"""The engine's plan of a net on this machine: every operator with its kernel, output, work and traffic (`edgeocr_run info --input`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeocr.device.host_device import HostDevice
from edgeocr.device.records import NodeRecord, parse_record
from edgeocr.errors import ModelError, SetupError
from edgeocr.paths import HOST_RUNNER

TIMEOUT_S = 120.0


def plan_of(model: Path, shape: Sequence[int] | None, feed: Sequence[Sequence[int]], runner: Path = HOST_RUNNER) -> list[NodeRecord]:
    """The plan for an input shape; None: the shape that the file states, its dynamic batch taken as 1.

    Raises `SetupError` without a runner, `ModelError` if there is no shape or the engine refuses the net.
    """
    chosen = list(shape) if shape is not None else _stated_shape(model, feed)
    if not runner.is_file():
        raise SetupError(f"{runner} is not there", "`make runner` builds it")
    done = HostDevice().shell([str(runner), "info", str(model), "--input", ",".join(map(str, chosen))], timeout=TIMEOUT_S)
    if done.returncode != 0:
        raise ModelError(_complaint(done.stderr) or f"{model}: the runner ended with {done.returncode}")
    records = [parse_record(line) for line in done.stdout.splitlines() if line]
    return [record for record in records if isinstance(record, NodeRecord)]


def _stated_shape(model: Path, feed: Sequence[Sequence[int]]) -> list[int]:
    dims = list(feed[0]) if feed else []
    if len(dims) != 4 or any(dim < 1 for dim in dims[1:]):
        raise ModelError(f"{model}: the file states the input {dims}, expected N, C, H, W", "give the shape with --input N,C,H,W")
    return [max(dims[0], 1), *dims[1:]]


def _complaint(stderr: bytes) -> str:
    """The last `error: …` line of the runner."""
    lines = [line.removeprefix("error: ") for line in stderr.decode(errors="replace").splitlines() if line.startswith("error: ")]
    return lines[-1] if lines else ""
