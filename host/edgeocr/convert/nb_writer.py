"""Smaller `.nb` files with the same results: what no loader reads is left out, and what is equal is stored once.

opt leaves in a file's program what the exporter and other libraries noted there, a dozen empty fields in every attribute, variables that
no operator names any more, and long names. The operators, their order, kernels and numbers, and the parameters' bytes stay as they are.
"""

from __future__ import annotations

import struct
from typing import cast

from edgeocr.convert import nb_schema, nbfile
from edgeocr.convert.flatbuffer import Bytes, Fields, FlatBuffer, Scalar, write
from edgeocr.errors import ModelError

META_VERSION = 2
HEADER_SIZE = 6  # of the parameter section: how many, the largest one's bytes

# Attributes that neither Paddle-Lite (its loader, operators, and kernels for arm, x86 and host) nor our runner reads.
UNREAD_ATTRIBUTES = frozenset(
    [
        "op_callstack",
        "op_device",
        "op_namescope",
        "op_role",
        "op_role_var",
        "with_quant_attr",
        "out_threshold",
        "use_cudnn",
        "exhaustive_search",
        "workspace_size_MB",
        "use_addto",
        "mkldnn_data_type",
        "force_fp32_output",
        "Scale_in",
        "Scale_in_eltwise",
        "Scale_out",
        "Scale_weights",
        "Scale_x",
        "Scale_y",
        "fuse_activation",
        "fuse_alpha",
        "fuse_beta",
        "fuse_brelu",
        "fuse_relu_before_depthwise_conv",
        "fuse_residual_connection",
        "fused_reshape_Out",
        "fused_reshape_X",
        "fused_reshape_Y",
        "fused_transpose_Out",
        "fused_transpose_X",
        "fused_transpose_Y",
        "x_data_format",
        "y_data_format",
    ]
)
# Attributes named after a variable: weight-only quantisation and fp16.
VARIABLE_SUFFIXES = ("_quant_scale", "_fp16")
# Paddle-Lite keeps variables with this in their name beside the parameters.
KEPT_NAME_PART = "_trans_persistable"


def minimise(content: bytes, name: str = "model.nb") -> bytes:
    """The same net in fewer bytes; what has been minimised stays as it is. ``name`` is used in messages.

    Raises ModelError for what is not a sound file of meta_version 2 with one block.
    """
    model = nbfile.parse(content, name)
    if model.meta_version != META_VERSION:
        raise ModelError(f"{name}: meta_version is {model.meta_version}, expected {META_VERSION}", "convert it anew with opt 2.8 or later")
    end = nbfile.HEADER_BYTES + model.topology_bytes
    topology = FlatBuffer(memoryview(content)[nbfile.HEADER_BYTES : end], f"{name}: topology")
    program = nb_schema.read_fields(topology.root(), nb_schema.PROGRAM)
    blocks = _tables(program, nb_schema.PROGRAM_BLOCKS)
    if len(blocks) != 1:
        raise ModelError(f"{name}: the program has {len(blocks)} blocks, expected 1: OCR nets have no control flow")
    names = _short_names(model)
    _minimise_block(blocks[0], names)
    smaller = write(program)
    sizes_end = nbfile.VERSION_FIELD.stop
    return (
        nbfile.normalised(content)[:sizes_end]
        + struct.pack("<Q", len(smaller))
        + smaller
        + _parameter_section(memoryview(content)[end:], names, name)
    )


def _short_names(model: nbfile.NbFile) -> dict[str, str]:
    """Every variable that an operator names, in the order of first use → its new name. What a program is called by keeps its name."""
    called = {name for op in model.operators if op.type in ("feed", "fetch") for name in _argument_names(op)}
    named = dict.fromkeys(name for op in model.operators for name in _argument_names(op))
    kept = {name for name in named if name in called or KEPT_NAME_PART in name}
    numbered = (short for number in range(2 * len(named)) if (short := f"v{number}") not in kept)
    return {name: name if name in kept else next(numbered) for name in named}


def _argument_names(op: nbfile.Operator) -> list[str]:
    return [name for names in (*op.inputs.values(), *op.outputs.values()) for name in names]


def _minimise_block(block: Fields, names: dict[str, str]) -> None:
    variables = [v for v in _tables(block, nb_schema.BLOCK_VARIABLES) if v[nb_schema.VARIABLE_NAME] in names]
    for variable in variables:
        variable[nb_schema.VARIABLE_NAME] = names[cast(str, variable[nb_schema.VARIABLE_NAME])]
    block[nb_schema.BLOCK_VARIABLES] = list(variables)
    for operator in _tables(block, nb_schema.BLOCK_OPERATORS):
        _minimise_operator(operator, names)


def _minimise_operator(operator: Fields, names: dict[str, str]) -> None:
    for arguments in (nb_schema.OPERATOR_INPUTS, nb_schema.OPERATOR_OUTPUTS):
        for argument in _tables(operator, arguments):
            variables = cast(list[str], argument.get(nb_schema.ARGUMENT_NAMES, []))
            argument[nb_schema.ARGUMENT_NAMES] = [names[variable] for variable in variables]
    attributes = {_attribute_name(a, names): _own_value(a) for a in _tables(operator, nb_schema.OPERATOR_ATTRIBUTES)}
    kept = sorted(attributes.keys() - UNREAD_ATTRIBUTES, key=str.encode)  # loaders search by halving
    operator[nb_schema.OPERATOR_ATTRIBUTES] = [{**attributes[name], nb_schema.ATTRIBUTE_NAME: name} for name in kept]


def _attribute_name(attribute: Fields, names: dict[str, str]) -> str:
    name = cast(str, attribute[nb_schema.ATTRIBUTE_NAME])
    for suffix in VARIABLE_SUFFIXES:
        if name.endswith(suffix) and name.removesuffix(suffix) in names:
            return names[name.removesuffix(suffix)] + suffix
    return name


def _own_value(attribute: Fields) -> Fields:
    """Without the empty fields of the other types."""
    kind = cast(Scalar, attribute.get(nb_schema.ATTRIBUTE_TYPE, Scalar("i", 0))).value
    kept = (nb_schema.ATTRIBUTE_TYPE, nb_schema.ATTRIBUTE_VALUE.get(int(kind)))
    return {number: value for number, value in attribute.items() if number in kept}


def _parameter_section(section: memoryview, names: dict[str, str], name: str) -> bytes:
    """The parameters that operators name, under their new names and in their order."""
    tables = {}
    for record in nbfile.parameter_records(section, name):
        table = nb_schema.read_fields(FlatBuffer(record, f"{name}: parameter").root(), nb_schema.PARAMETER)
        old = cast(str, table[nb_schema.PARAMETER_NAME])
        if old in names:
            tables[names[old]] = {**table, nb_schema.PARAMETER_NAME: names[old]}
    largest = max((len(_data(table)) for table in tables.values()), default=0)
    records = [write(tables[new]) for new in sorted(tables, key=str.encode)]
    header = struct.pack("<HHHHI", 0, 0, HEADER_SIZE, len(records), largest)
    return header + b"".join(struct.pack("<II", 4 + len(record), 4) + record for record in records)


def _data(parameter: Fields) -> bytes | memoryview:
    tensor = cast(Fields, parameter[nb_schema.PARAMETER_TENSOR])
    return cast(Bytes, tensor[nb_schema.TENSOR_DATA]).value


def _tables(fields: Fields, number: int) -> list[Fields]:
    return cast(list[Fields], fields.get(number, []))
