"""The engine's plan of a net on a device: every operator with its kernel, output, work and traffic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeocr.bench.mode import Mode
from edgeocr.device.device import Device
from edgeocr.device.records import NodeRecord, Record
from edgeocr.device.runner import run_info
from edgeocr.errors import ModelError


def plan_of(device: Device, model: Path, shape: Sequence[int] | None, feed: Sequence[Sequence[int]], mode: Mode) -> list[NodeRecord]:
    """The plan for an input shape; None: the shape that the file states (`feed`, its inputs), its dynamic batch taken as 1.

    Raises `ModelError` if the file leaves its shape open, `SetupError` without a runner, `RunnerError` if the engine refuses the net.
    """
    nodes: list[NodeRecord] = []

    def collect(record: Record) -> None:
        if isinstance(record, NodeRecord):
            nodes.append(record)

    run_info(device, model, shape if shape is not None else stated_shape(model, feed), mode=mode.arguments(), on_record=collect)
    return nodes


def stated_shape(model: Path, feed: Sequence[Sequence[int]]) -> list[int]:
    dims = list(feed[0]) if feed else []
    if len(dims) != 4 or any(dim < 1 for dim in dims[1:]):
        raise ModelError(f"{model}: the file states the input {dims}, expected N, C, H, W", "give the shape with --input N,C,H,W")
    return [max(dims[0], 1), *dims[1:]]
