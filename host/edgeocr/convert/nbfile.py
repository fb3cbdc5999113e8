"""Bounded reader of Paddle-Lite's `.nb` ("naive buffer") files: operators, parameters, sizes, precision; no execution.

Layout, all integers little-endian::

    0   u16       meta_version: 2, or 1 (opt v2.7); 0 is the older hand-rolled format and is refused
    2   char[16]  version of opt, NUL terminated; what follows the NUL is uninitialised memory and differs between two runs
    18  u64       topology_size
    26  bytes     topology: one FlatBuffer, root ProgramDesc
    …             parameters, to the end of the file
                  meta 2: u16 version (0), u16 meta_size, bytes; u16 header_size, u16 count, u32 max_tensor_bytes, …;
                          count x { u32 total_size, u32 offset, FlatBuffer ParamDesc of total_size - offset bytes }
                  meta 1: one FlatBuffer, root CombinedParamsDesc

Nothing in the file is trusted: every offset is checked, nothing is followed outside its buffer, and the sum of what is read is bounded by
the size of the buffer (a FlatBuffer may refer to one table many times). Every reject is a `ModelError`: "<file>: <what> is X, expected Y".
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass, field
from pathlib import Path

from edgeocr.convert.flatbuffer import FlatBuffer, Table
from edgeocr.errors import ModelError

MAX_FILE_BYTES = 256 << 20
MAX_TOPOLOGY_BYTES = 32 << 20  # real ones have 0.1 to 0.4 MB
MAX_RANK = 6
HEADER_BYTES = 26
VERSION_FIELD = slice(2, 18)

KERNEL_ATTR = "__@kernel_type_attr@__"

TARGETS = {0: "unk", 1: "host", 2: "x86", 3: "cuda", 4: "arm", 5: "opencl", 6: "any", 7: "fpga", 8: "npu", 9: "xpu"}
PRECISIONS = dict(enumerate(("unk", "fp32", "int8", "int32", "any", "fp16", "bool", "int64", "int16", "uint8", "fp64")))
# VarType → (name, bytes of an element)
DATA_TYPES = {
    0: ("bool", 1),
    1: ("int16", 2),
    2: ("int32", 4),
    3: ("int64", 8),
    4: ("fp16", 2),
    5: ("fp32", 4),
    6: ("fp64", 8),
    20: ("uint8", 1),
    21: ("int8", 1),
}

Attribute = bool | int | float | str | list[int] | list[float] | list[str] | list[bool] | None


@dataclass(frozen=True)
class Operator:
    """One operator of block 0, in execution order. Arguments map a parameter name ("Input") to variable names."""

    type: str
    inputs: dict[str, list[str]]
    outputs: dict[str, list[str]]
    attributes: dict[str, Attribute]

    @property
    def kernel(self) -> tuple[str, str, str]:
        """(alias, target, precision) of the kernel that opt chose, e.g. ("int8_out", "arm", "int8"); empty where the file says none."""
        stated = self.attributes.get(KERNEL_ATTR)
        parts = stated.split("/") if isinstance(stated, str) else []
        if len(parts) != 5 or not (parts[2].isdigit() and parts[3].isdigit()):
            return ("", "", "")
        return (parts[1], TARGETS.get(int(parts[2]), parts[2]), PRECISIONS.get(int(parts[3]), parts[3]))


@dataclass(frozen=True)
class Variable:
    name: str
    dims: list[int]  # -1 = dynamic; meaningless for reused activations


@dataclass(frozen=True)
class Parameter:
    name: str
    data_type: str
    dims: list[int]
    data: memoryview = field(repr=False)

    @property
    def elements(self) -> int:
        return math.prod(self.dims)


@dataclass(frozen=True)
class NbFile:
    name: str
    bytes: int
    meta_version: int
    opt_version: str
    program_version: int
    topology_bytes: int
    sha256: str
    normalised_sha256: str
    operators: list[Operator]
    variables: dict[str, Variable]
    parameters: dict[str, Parameter]

    def feed_shapes(self) -> list[list[int]]:
        """Input shapes as the file states them, by column; -1 = dynamic."""
        feeds = sorted((op for op in self.operators if op.type == "feed"), key=lambda op: _as_int(op.attributes.get("col")))
        names = [argument for op in feeds for argument in op.outputs.get("Out", [])[:1]]
        return [self.variables[name].dims if name in self.variables else [] for name in names]


def read(path: Path) -> NbFile:
    """Reads a file. Raises `ModelError` if it cannot be read or is not a sound `.nb`."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ModelError(f"{path}: the file has {size} bytes, expected at most {MAX_FILE_BYTES}")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    return parse(content, str(path))


def parse(content: bytes, name: str) -> NbFile:
    """Parses a file's bytes; `name` is used in messages."""
    if len(content) < HEADER_BYTES:
        raise ModelError(f"{name}: the file has {len(content)} bytes, expected at least {HEADER_BYTES}")
    (meta_version,) = struct.unpack_from("<H", content, 0)
    if meta_version not in (1, 2):
        raise ModelError(f"{name}: meta_version is {meta_version}, expected 1 or 2", "is it a .nb file of Paddle-Lite's opt v2.7 or later?")
    (topology_size,) = struct.unpack_from("<Q", content, 18)
    most = min(len(content) - HEADER_BYTES, MAX_TOPOLOGY_BYTES)
    if topology_size > most:
        raise ModelError(f"{name}: topology_size is {topology_size}, expected at most {most}")
    view = memoryview(content)
    topology = view[HEADER_BYTES : HEADER_BYTES + topology_size]
    section = view[HEADER_BYTES + topology_size :]
    program_version, operators, variables = _read_program(topology, name)
    parameters = _read_parameters_v2(section, name) if meta_version == 2 else _read_parameters_v1(section, name)
    return NbFile(
        name=name,
        bytes=len(content),
        meta_version=meta_version,
        opt_version=content[VERSION_FIELD].split(b"\0")[0].decode("latin-1"),
        program_version=program_version,
        topology_bytes=topology_size,
        sha256=hashlib.sha256(content).hexdigest(),
        normalised_sha256=hashlib.sha256(normalised(content)).hexdigest(),
        operators=operators,
        variables=variables,
        parameters=parameters,
    )


def normalised(content: bytes) -> bytes:
    """The same file with the bytes after the NUL of the version field zeroed: opt leaves uninitialised memory there."""
    version = content[VERSION_FIELD].split(b"\0")[0]
    return content[:2] + version.ljust(16, b"\0") + content[18:]


def _read_program(topology: memoryview, name: str) -> tuple[int, list[Operator], dict[str, Variable]]:
    buffer = FlatBuffer(topology, f"{name}: topology")
    program = buffer.root()
    version = program.table(1)
    block = next(program.tables(0), None)
    if block is None:
        raise ModelError(f"{name}: the program has no block, expected at least 1")
    variables = {}
    for table in block.tables(2):
        variable = _read_variable(table)
        variables[variable.name] = variable
    operators = [_read_operator(table, buffer) for table in block.tables(3)]
    if not operators:
        raise ModelError(f"{name}: block 0 has no operators, expected at least 1")
    return (0 if version is None else version.scalar(0, "q")), operators, variables


def _read_variable(table: Table) -> Variable:
    type_ = table.table(1)
    lod_tensor = None if type_ is None else type_.table(2)
    tensor = None if lod_tensor is None else lod_tensor.table(0)
    return Variable(table.text(0), [] if tensor is None else tensor.numbers(1, "q"))


def _read_operator(table: Table, buffer: FlatBuffer) -> Operator:
    type_ = table.text(0)
    return Operator(
        type=type_,
        inputs={argument.text(0): argument.texts(1) for argument in table.tables(1)},
        outputs={argument.text(0): argument.texts(1) for argument in table.tables(2)},
        attributes=dict(_read_attribute(attribute, type_, buffer) for attribute in table.tables(3)),
    )


def _read_attribute(table: Table, operator: str, buffer: FlatBuffer) -> tuple[str, Attribute]:
    """Attr.type gives the field that holds the value (AttrType of Paddle's framework.proto)."""
    name = table.text(0)
    kind = table.scalar(1, "i")
    value: Attribute
    match kind:
        case 0:
            value = table.scalar(2, "i")
        case 1:
            value = table.scalar(3, "f", 0.0)
        case 2:
            value = table.text(4)
        case 3:
            value = table.numbers(5, "i")
        case 4:
            value = table.numbers(6, "f")
        case 5:
            value = table.texts(7)
        case 6:
            value = bool(table.scalar(8, "B"))
        case 7:
            value = [bool(item) for item in table.raw(9)]
        case 8:
            value = table.scalar(10, "i")
        case 9:
            value = table.scalar(11, "q")
        case 10:
            value = table.numbers(12, "i")
        case 11:
            value = table.numbers(13, "q")
        case 12:
            value = table.numbers(15, "d")
        case 13 | 14:
            value = None  # VAR, VARS: names of variables, never seen in inference programs
        case 15:
            value = table.scalar(14, "d", 0.0)
        case _:
            raise buffer.fail(f"attribute {name!r} of {operator!r} has type {kind}, expected 0 to 15")
    return name, value


def _read_parameters_v2(section: memoryview, name: str) -> dict[str, Parameter]:
    parameters: dict[str, Parameter] = {}
    for index, record in enumerate(parameter_records(section, name)):
        _add_parameter(parameters, FlatBuffer(record, f"{name}: parameter record {index}").root(), name)
    return parameters


def parameter_records(section: memoryview, name: str) -> list[memoryview]:
    """The FlatBuffers of a parameter section of meta_version 2."""
    reader = FlatBuffer(section, f"{name}: parameter section")
    version, meta_size = reader.scalar("H", 0), reader.scalar("H", 2)
    if version != 0:
        raise ModelError(f"{name}: the parameter section's version is {version}, expected 0")
    header = 4 + meta_size
    header_size, count = reader.scalar("H", header), reader.scalar("H", header + 2)
    if header_size < 6:
        raise ModelError(f"{name}: the parameter section's header_size is {header_size}, expected at least 6")
    position = header + 2 + header_size
    records = []
    for index in range(count):
        total, offset = reader.scalar("I", position), reader.scalar("I", position + 4)
        if not 4 <= offset <= total:
            raise ModelError(f"{name}: parameter record {index} has offset {offset}, expected 4 to its total_size {total}")
        records.append(reader.take(position + 4 + offset, total - offset))
        position += 4 + total
    if position != len(section):
        raise ModelError(f"{name}: {len(section) - position} bytes follow the last of {count} parameters, expected none")
    return records


def _read_parameters_v1(section: memoryview, name: str) -> dict[str, Parameter]:
    parameters: dict[str, Parameter] = {}
    for table in FlatBuffer(section, f"{name}: parameter section").root().tables(0):
        _add_parameter(parameters, table, name)
    return parameters


def _add_parameter(parameters: dict[str, Parameter], table: Table, name: str) -> None:
    label = table.text(1)
    tensor = table.table(3)
    if tensor is None:
        raise ModelError(f"{name}: parameter {label!r} has no tensor, expected one")
    rank = len(tensor.raw(2, 8)) // 8
    if rank > MAX_RANK:
        raise ModelError(f"{name}: parameter {label!r} has {rank} dimensions, expected at most {MAX_RANK}")
    dims = tensor.numbers(2, "q")
    kind = tensor.scalar(3, "i")
    if kind not in DATA_TYPES:
        raise ModelError(f"{name}: parameter {label!r} has data type {kind}, expected one of {sorted(DATA_TYPES)}")
    if any(dim < 0 for dim in dims):
        raise ModelError(f"{name}: parameter {label!r} has dimensions {dims}, expected none negative")
    data_type, element = DATA_TYPES[kind]
    data = tensor.raw(4)
    if len(data) != math.prod(dims) * element:
        raise ModelError(f"{name}: parameter {label!r} holds {len(data)} bytes, expected {math.prod(dims) * element} for {data_type}{dims}")
    if label in parameters:
        raise ModelError(f"{name}: parameter {label!r} occurs twice, expected once")
    parameters[label] = Parameter(label, data_type, dims, data)


def _as_int(value: Attribute) -> int:
    return value if isinstance(value, int) else 0
