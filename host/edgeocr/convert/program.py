"""What Paddle-Lite's opt 2.13 needs changed in a program that Paddle 2.6 exports. Runs in the Paddle environment.

The rewrites keep the results; opt 2.13 knows the programs of Paddle 2.0 … 2.4 and leaves newer forms unoptimised or takes them wrongly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from paddle.base.proto import framework_pb2


def rewrite(pdmodel: bytes) -> bytes:
    """A serialised ProgramDesc in the form that opt 2.13 optimises fully, without what differs between two exports of one net."""
    program = framework_pb2.ProgramDesc.FromString(pdmodel)
    (block,) = program.blocks
    attach_conv_biases(block)
    take_lstm_batch_from_input(block)
    drop_unused(block)
    drop_call_stacks(block)
    return bytes(program.SerializeToString())


def settle(pdmodel: bytes) -> bytes:
    """The same program with nothing left to chance: Paddle's quantisation passes order operators by their addresses in memory."""
    program = framework_pb2.ProgramDesc.FromString(pdmodel)
    (block,) = program.blocks
    fetch_results_directly(block)
    order_by_need(block)
    return bytes(program.SerializeToString())


def fetch_results_directly(block: Any) -> None:
    """Without the multiplications by one that Paddle puts in front of every fetch when it saves, under numbers that count all saves."""
    needs = _needs(block)
    for i, op in enumerate(block.ops):
        while op.type == "fetch" and needs[i] and is_identity(block.ops[needs[i][0]]):
            identity = needs[i][0]
            _variable(op.inputs, "X").arguments[0] = _argument(block.ops[identity].inputs, "X")
            needs[i] = needs[identity]


def is_identity(op: Any) -> bool:
    return bool(op.type == "scale" and _attribute(op, "scale").f == 1 and _attribute(op, "bias").f == 0)


def order_by_need(block: Any) -> None:
    """Operators in the order in which the results need them, inputs from first to last, and without those that no result needs.

    Variables by name.
    """
    needs = _needs(block)
    ordered: dict[int, None] = {}
    wanted = [i for i, op in reversed(list(enumerate(block.ops))) if op.type == "fetch"]
    while wanted:
        missing = [i for i in needs[wanted[-1]] if i not in ordered]
        if missing:
            wanted += reversed(missing)
        else:
            ordered.setdefault(wanted.pop())
    operators = [framework_pb2.OpDesc.FromString(block.ops[i].SerializeToString()) for i in ordered]
    named = {name for op in operators for variable in (*op.inputs, *op.outputs) for name in variable.arguments}
    variables = [framework_pb2.VarDesc.FromString(v.SerializeToString()) for v in block.vars if v.name in named]
    del block.ops[:], block.vars[:]
    block.ops.extend(operators)
    block.vars.extend(sorted(variables, key=lambda v: str(v.name)))


def _needs(block: Any) -> list[list[int]]:
    """For every operator those that wrote its inputs before it."""
    writers: dict[str, int] = {}
    needs = []
    for i, op in enumerate(block.ops):
        needs.append([writers[name] for variable in op.inputs for name in variable.arguments if name in writers])
        writers |= {name: i for variable in op.outputs for name in variable.arguments}
    return needs


def attach_conv_biases(block: Any) -> None:
    """conv bias: reshape2 [C] → [1,C,1,1] + elementwise_add axis -1 becomes elementwise_add axis 1 of [C].

    opt folds only the second form into the convolution, and only then the batch_norm behind a transposed convolution.
    """
    parameters = {v.name for v in block.vars if v.persistable}
    producers = _producers(block)
    for op in block.ops:
        reshape = producers.get(_argument(op.inputs, "Y")) if op.type == "elementwise_add" else None
        if reshape is None or reshape.type != "reshape2":
            continue
        bias = _argument(reshape.inputs, "X")
        shape = list(_attribute(reshape, "shape").ints)
        if bias in parameters and len(shape) == 4 and shape[0] == shape[2] == shape[3] == 1:
            _variable(op.inputs, "Y").arguments[0] = bias
            _attribute(op, "axis").i = 1


def take_lstm_batch_from_input(block: Any) -> None:
    """The zero states of an rnn: shape → slice → fill_constant becomes fill_constant_batch_size_like, as in PaddleOCR's own models.

    With the first form opt succeeds, but Paddle-Lite's runtime aborts at the first run ("fill_constant: no valid out_shape").
    """
    producers = _producers(block)
    states = [name for op in block.ops if op.type == "rnn" for name in _variable(op.inputs, "PreState").arguments]
    for name in states:
        fill = producers[name]
        dims = _variable(fill.inputs, "ShapeTensorList").arguments if fill.type == "fill_constant" else []
        if len(dims) != 3:
            continue
        batch = producers[dims[1]]  # dims: layers · directions, batch, hidden size
        if batch.type != "slice" or producers[_argument(batch.inputs, "Input")].type != "shape":
            continue
        sequence = _argument(producers[_argument(batch.inputs, "Input")].inputs, "Input")
        _fill_like(
            fill,
            source=sequence,
            source_dim=_attribute(batch, "starts").ints[0],
            shape=[int(d) for d in _attribute(fill, "shape").longs],
            value=_attribute(fill, "value").f,
            out=name,
        )


def _fill_like(op: Any, *, source: str, source_dim: int, shape: list[int], value: float, out: str) -> None:
    op.Clear()
    op.type = "fill_constant_batch_size_like"
    for variables, parameter, argument in ((op.inputs, "Input", source), (op.outputs, "Out", out)):
        variable = variables.add()
        variable.parameter = parameter
        variable.arguments.append(argument)
    attributes = {
        "shape": shape,
        "input_dim_idx": source_dim,
        "output_dim_idx": 1,
        "dtype": framework_pb2.VarType.FP32,
        "value": value,
        "str_value": str(value),
        "force_cpu": False,
    }
    for name, content in attributes.items():
        attribute = op.attrs.add()
        attribute.name = name
        _set_attribute(attribute, content)


def _set_attribute(attribute: Any, content: Any) -> None:
    match content:
        case bool():
            attribute.type, attribute.b = framework_pb2.BOOLEAN, content
        case int():
            attribute.type, attribute.i = framework_pb2.INT, content
        case float():
            attribute.type, attribute.f = framework_pb2.FLOAT, content
        case str():
            attribute.type, attribute.s = framework_pb2.STRING, content
        case list():
            attribute.type = framework_pb2.INTS
            attribute.ints.extend(content)


def drop_unused(block: Any) -> None:
    """Operators whose results nobody reads, and variables that nobody names."""

    def read() -> set[str]:
        return {name for op in block.ops for variable in op.inputs for name in variable.arguments}

    def unused(op: Any) -> bool:
        return op.type != "fetch" and not any(name in readers for variable in op.outputs for name in variable.arguments)

    readers = read()
    while _delete(block.ops, unused):
        readers = read()
    named = readers | {name for op in block.ops for variable in op.outputs for name in variable.arguments}
    _delete(block.vars, lambda v: v.name not in named)


def drop_call_stacks(block: Any) -> None:
    """op_callstack holds paths of the exporting machine."""
    for op in block.ops:
        _delete(op.attrs, lambda a: a.name == "op_callstack")


def _delete(repeated: Any, condition: Callable[[Any], bool]) -> int:
    """Deletes the entries for which the condition holds; how many."""
    found = [i for i, entry in enumerate(repeated) if condition(entry)]
    for i in reversed(found):
        del repeated[i]
    return len(found)


def _producers(block: Any) -> dict[str, Any]:
    return {name: op for op in block.ops for variable in op.outputs for name in variable.arguments}


def _variable(variables: Any, parameter: str) -> Any:
    for variable in variables:
        if variable.parameter == parameter:
            return variable
    return framework_pb2.OpDesc.Var(parameter=parameter)


def _argument(variables: Any, parameter: str) -> str:
    """The first argument of a parameter, "" if it has none."""
    arguments = _variable(variables, parameter).arguments
    return str(arguments[0]) if arguments else ""


def _attribute(op: Any, name: str) -> Any:
    for attribute in op.attrs:
        if attribute.name == name:
            return attribute
    raise KeyError(f"{op.type} has no attribute {name}")
