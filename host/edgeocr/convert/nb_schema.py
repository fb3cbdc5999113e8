"""The FlatBuffer tables of `.nb` files, field number → kind, and reading one whole. Paddle-Lite v2.13, lite/model_parser/flatbuffers/*.fbs.

Kinds: a struct format (one scalar) or "[format]" (a vector), "text", "[text]", "bytes", the fields of a table, [the fields of each].
"""

from __future__ import annotations

from typing import Any

from edgeocr.convert.flatbuffer import Bytes, Fields, Numbers, Scalar, Table, Value

Kinds = dict[int, Any]

PROGRAM_BLOCKS = 0
BLOCK_VARIABLES, BLOCK_OPERATORS = 2, 3
VARIABLE_NAME = 0
OPERATOR_TYPE, OPERATOR_INPUTS, OPERATOR_OUTPUTS, OPERATOR_ATTRIBUTES = range(4)
ARGUMENT_NAMES = 1
ATTRIBUTE_NAME, ATTRIBUTE_TYPE = 0, 1
PARAMETER_NAME, PARAMETER_TENSOR = 1, 3
TENSOR_DATA = 4

# AttrType → the field that holds the value.
ATTRIBUTE_VALUE = {0: 2, 1: 3, 2: 4, 3: 5, 4: 6, 5: 7, 6: 8, 7: 9, 8: 10, 9: 11, 10: 12, 11: 13, 12: 15, 15: 14}

_TENSOR: Kinds = {0: "i", 1: "[q]"}
_LOD_TENSOR: Kinds = {0: _TENSOR, 1: "i"}
_VARIABLE: Kinds = {0: "text", 1: {0: "i", 1: _TENSOR, 2: _LOD_TENSOR, 3: _LOD_TENSOR}, 2: "B", 3: "B"}
_ARGUMENT: Kinds = {0: "text", 1: "[text]"}
_ATTRIBUTE_SCALARS: Kinds = {1: "i", 2: "i", 3: "f", 8: "B", 10: "i", 11: "q", 14: "d"}
_ATTRIBUTE: Kinds = {0: "text", 4: "text", 5: "[i]", 6: "[f]", 7: "[text]", 9: "[B]", 12: "[i]", 13: "[q]", 15: "[d]", **_ATTRIBUTE_SCALARS}
_OPERATOR: Kinds = {0: "text", 1: [_ARGUMENT], 2: [_ARGUMENT], 3: [_ATTRIBUTE], 4: "B"}
_BLOCK: Kinds = {0: "i", 1: "i", 2: [_VARIABLE], 3: [_OPERATOR], 4: "i"}
PROGRAM: Kinds = {0: [_BLOCK], 1: {0: "q"}, 2: {0: [{0: "text", 1: {0: "i"}}]}}
PARAMETER: Kinds = {1: "text", 2: "B", 3: {0: "i", 1: "[q]", 2: "[q]", 3: "i", 4: "bytes"}}


def read_fields(table: Table, kinds: Kinds) -> Fields:
    """What is in a table, all the way down; fields that are absent stay absent."""
    return {number: _read(table, number, kind) for number, kind in kinds.items() if table.has(number)}


def _read(table: Table, number: int, kind: Any) -> Value:
    match kind:
        case dict():
            inner = table.table(number)
            return {} if inner is None else read_fields(inner, kind)
        case [kinds]:
            return [read_fields(item, kinds) for item in table.tables(number)]
        case "text":
            return table.text(number)
        case "[text]":
            return list(table.texts(number))
        case "bytes":
            return Bytes(table.raw(number))
        case str() if kind.startswith("["):
            return Numbers(kind[1], table.numbers(number, kind[1]))
        case _:
            return Scalar(kind, table.scalar(number, kind))
