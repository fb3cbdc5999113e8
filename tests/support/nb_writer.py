"""Writes small `.nb` files for tests, in the layout that edgeocr.convert.nbfile states."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from edgeocr.convert.flatbuffer import Bytes, Fields, Numbers, Scalar
from edgeocr.convert.flatbuffer import write as flatbuffer


@dataclass
class Op:
    type: str
    inputs: dict[str, list[str]] = field(default_factory=dict)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Param:
    name: str
    dims: list[int]
    data_type: int = 5  # FP32
    data: bytes | None = None  # None: zeros


_ELEMENT = {5: 4, 21: 1, 2: 4, 3: 8}


def _attribute(name: str, value: Any) -> Fields:
    """AttrType and the field that holds the value, by the value's Python type."""
    if isinstance(value, bool):
        kind, number, content = 6, 8, Scalar("B", value)
    elif isinstance(value, int):
        kind, number, content = 0, 2, Scalar("i", value)
    elif isinstance(value, float):
        kind, number, content = 1, 3, Scalar("f", value)
    elif isinstance(value, str):
        return {0: name, 1: Scalar("i", 2), 4: value}
    elif value and isinstance(value[0], float):
        return {0: name, 1: Scalar("i", 4), 6: Numbers("f", value)}
    else:
        return {0: name, 1: Scalar("i", 3), 5: Numbers("i", value)}
    return {0: name, 1: Scalar("i", kind), number: content}


def _arguments(arguments: dict[str, list[str]]) -> list[Fields]:
    return [{0: parameter, 1: names} for parameter, names in sorted(arguments.items())]


def program(ops: list[Op], feed_dims: list[int]) -> bytes:
    tensor: Fields = {0: Scalar("i", 5), 1: Numbers("q", feed_dims)}
    variables: list[Fields] = [{0: "x", 1: {0: Scalar("i", 7), 2: {0: tensor}}}]
    operators: list[Fields] = [
        {0: op.type, 1: _arguments(op.inputs), 2: _arguments(op.outputs), 3: [_attribute(k, v) for k, v in sorted(op.attributes.items())]}
        for op in ops
    ]
    return flatbuffer({0: [{2: variables, 3: operators}], 1: {0: Scalar("q", 2006002)}})


def parameter(param: Param) -> Fields:
    data = bytes(math.prod(param.dims) * _ELEMENT.get(param.data_type, 4)) if param.data is None else param.data
    return {1: param.name, 2: Scalar("B", 1), 3: {2: Numbers("q", param.dims), 3: Scalar("i", param.data_type), 4: Bytes(data)}}


def write_nb(
    ops: list[Op], params: list[Param], *, feed_dims: Sequence[int] = (-1, 3, 32, 320), meta: int = 2, version: bytes = b"v2.13-rc\0garbage"
) -> bytes:
    """The bytes of a file with these operators and parameters; the feed's variable is `x`."""
    topology = program(ops, list(feed_dims))
    head = struct.pack("<H16sQ", meta, version, len(topology)) + topology
    if meta == 1:
        return head + flatbuffer({0: [parameter(param) for param in params]})
    records = [flatbuffer(parameter(param)) for param in sorted(params, key=lambda param: param.name)]
    section = struct.pack("<HHHHI", 0, 0, 6, len(records), max(map(len, records), default=0))
    return head + section + b"".join(struct.pack("<II", len(record) + 4, 4) + record for record in records)


def linear_net(classes: int, *, features: int = 4, op: str = "fc", target: int = 4) -> bytes:
    """feed → one linear layer with `classes` columns → softmax → fetch."""
    weights = "W" if op == "fc" else "Y"
    kernel = f"{op}/def/{target}/1/1"
    return write_nb(
        [
            Op("feed", {"X": ["feed"]}, {"Out": ["x"]}, {"col": 0, "__@kernel_type_attr@__": "feed/def/1/4/2"}),
            Op(op, {"Input" if op == "fc" else "X": ["x"], weights: ["w"]}, {"Out": ["y"]}, {"__@kernel_type_attr@__": kernel}),
            Op("softmax", {"X": ["y"]}, {"Out": ["y"]}, {"axis": 2, "__@kernel_type_attr@__": f"softmax/def/{target}/1/1"}),
            Op("fetch", {"X": ["y"]}, {"Out": ["fetch"]}, {"col": 0, "__@kernel_type_attr@__": "fetch/def/1/4/2"}),
        ],
        [Param("w", [features, classes])],
    )
