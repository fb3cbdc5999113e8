"""What is in a `.nb` file, in numbers: container, operators by type and kernel, parameters by type, and what deserves a warning."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from edgeocr.convert.nbfile import Parameter, read
from edgeocr.zoo.verify import warnings


@dataclass(frozen=True)
class OperatorCount:
    type: str
    kernel: str  # the alias that opt chose, "def", "int8_out", "fp32_to_int8" …
    target: str
    precision: str
    count: int


@dataclass(frozen=True)
class ParameterCount:
    data_type: str
    count: int
    elements: int
    bytes: int


@dataclass(frozen=True)
class Inspection:
    file: str
    bytes: int
    sha256: str
    normalised_sha256: str  # the bytes that opt leaves uninitialised zeroed: equal for equal conversions
    meta_version: int
    opt_version: str
    program_version: int
    topology_bytes: int
    feed: list[list[int]]  # shapes of the inputs, -1 = any
    operators: list[OperatorCount]
    parameters: list[ParameterCount]
    warnings: list[str]


def inspect_file(path: Path) -> Inspection:
    """Raises `ModelError` if the file is not a sound `.nb`."""
    model = read(path)
    kernels = Counter((operator.type, *operator.kernel) for operator in model.operators)
    types = sorted({parameter.data_type for parameter in model.parameters.values()})
    return Inspection(
        file=str(path),
        bytes=model.bytes,
        sha256=model.sha256,
        normalised_sha256=model.normalised_sha256,
        meta_version=model.meta_version,
        opt_version=model.opt_version,
        program_version=model.program_version,
        topology_bytes=model.topology_bytes,
        feed=model.feed_shapes(),
        operators=[OperatorCount(*kernel, count) for kernel, count in sorted(kernels.items(), key=lambda item: (-item[1], item[0]))],
        parameters=[_count(data_type, list(model.parameters.values())) for data_type in types],
        warnings=warnings(model),
    )


def unquantised_lstm_bytes(path: Path) -> int:
    """Bytes of the fp32 weights of an otherwise quantised net's LSTM; 0 for a net that is not quantised or has none.

    Raises `ModelError` if the file is not a sound `.nb`.
    """
    model = read(path)
    if all(parameter.data_type != "int8" for parameter in model.parameters.values()):
        return 0
    names = {name for operator in model.operators if operator.type == "rnn" for names in operator.inputs.values() for name in names}
    return sum(len(p.data) for name, p in model.parameters.items() if name in names and p.data_type == "fp32")


def _count(data_type: str, parameters: list[Parameter]) -> ParameterCount:
    found = [parameter for parameter in parameters if parameter.data_type == data_type]
    return ParameterCount(data_type, len(found), sum(p.elements for p in found), sum(len(p.data) for p in found))
