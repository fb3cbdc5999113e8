"""The parameters of two inference programs that compute the same, matched by where they stand. Runs in the Paddle environment.

Names and numbers do not count, for every version of Paddle and PaddleOCR gives others. Both programs are walked at once, from what they
give back to what they take: operators must be of one kind and connected alike. What else differs between exports of one net is looked
through: multiplications by one, biases that are reshaped before they are added, operators that know their output size by another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paddle.base.proto import framework_pb2

from edgeocr.convert.program import is_identity
from edgeocr.errors import ModelError

KINDS = {"depthwise_conv2d": "conv2d", "matmul_v2": "matmul", "mul": "matmul", "nearest_interp_v2": "nearest_interp", "reshape2": "reshape"}
VALUES = ("Input", "X", "Y", "Filter", "Scale", "Bias", "Mean", "Variance", "WeightList")  # the other inputs are sizes and first states
RESHAPES = ("reshape2", "unsqueeze2")
QUANTISED = ("fake_", "quantize_", "dequantize_")  # what names of operators begin with


class Program:
    """What an inference program of one result computes. Raises ModelError naming ``source`` for what is none."""

    def __init__(self, pdmodel: bytes, source: str) -> None:
        try:
            blocks = framework_pb2.ProgramDesc.FromString(pdmodel).blocks
        except Exception as e:  # protobuf's own kind
            raise ModelError(f"{source}: not an inference model: its program cannot be decoded") from e
        operators = [op for block in blocks for op in block.ops]
        results = [op for op in operators if op.type == "fetch"]
        if len(blocks) != 1 or len(results) != 1:
            raise ModelError(f"{source}: has {len(blocks)} blocks and {len(results)} results, expected an inference model of one each")
        quantised = next((op.type for op in operators if op.type.startswith(QUANTISED)), None)
        if quantised is not None:
            raise ModelError(f"{source}: is quantised (it has {quantised}), expected fp32 weights", "take the fp32 model of its kind")
        self.parameters = {v.name for v in blocks[0].vars if v.persistable}
        self.operators = {
            name: op for op in operators for outputs in op.outputs for name in outputs.arguments if name not in self.parameters
        }
        (self.result,) = values_of(results[0])

    def origin(self, name: str) -> str:
        """The variable whose values ``name`` has: the input of what changes none."""
        for _ in self.operators:  # a program that goes in a circle ends too
            op = self.operators.get(name)
            if op is None or not (is_identity(op) or op.type == "assign" or self._is_reshaped_parameter(op)):
                break
            name = values_of(op)[0]
        return name

    def kind(self, name: str) -> str:
        """What gives ``name``: a kind of operator, "parameter", or "nothing"."""
        if name in self.parameters:
            return "parameter"
        op = self.operators.get(name)
        return KINDS.get(op.type, str(op.type)) if op is not None else "nothing"

    def _is_reshaped_parameter(self, op: Any) -> bool:
        return op.type in RESHAPES and values_of(op)[0] in self.parameters


def values_of(op: Any) -> list[str]:
    """The variables that an operator computes with, in an order that does not depend on who wrote the program."""
    given = {variable.parameter: variable.arguments for variable in op.inputs}
    return [str(name) for parameter in VALUES for name in given.get(parameter, ())]


def match_parameters(ours: Program, theirs: Program, names: Mapping[str, str], source: str) -> dict[str, str]:
    """By the name of a parameter of ``ours`` that of ``theirs`` in its place. ``names`` are what errors call ours.

    Raises ModelError naming ``source`` and the first place, seen from the result, where the programs differ.
    """
    matched: dict[str, str] = {}
    walked: set[tuple[str, str]] = set()
    waiting = [(ours.result, theirs.result, "the result")]
    while waiting:
        mine, other, reader = waiting.pop()
        mine, other = ours.origin(mine), theirs.origin(other)
        if (mine, other) in walked:
            continue
        walked.add((mine, other))
        kind, there = ours.kind(mine), theirs.kind(other)
        if kind != there:
            hint = "its batch_norms are folded into the convolutions: take a model that was exported without optimisation"
            folded = kind == "batch_norm" and there in ("elementwise_add", "conv2d")
            raise another_architecture(source, f"has {there} in front of {reader} where the net has {kind}", hint if folded else None)
        if kind == "parameter":
            if matched.setdefault(mine, other) != other:
                raise another_architecture(source, f"has both {matched[mine]} and {other} where the net has one {names.get(mine, mine)}")
            continue
        if kind in ("feed", "nothing"):
            continue
        mine_read, other_read = values_of(ours.operators[mine]), values_of(theirs.operators[other])
        if len(mine_read) != len(other_read):
            raise another_architecture(
                source, f"has {kind} of {len(other_read)} inputs in front of {reader}, the net one of {len(mine_read)}"
            )
        place = next((names[name] for name in map(ours.origin, mine_read) if name in names), reader)
        waiting += [(a, b, place) for a, b in zip(mine_read, other_read, strict=True)]
    return matched


def another_architecture(source: str, difference: str, hint: str | None = None) -> ModelError:
    hint = hint or "give the configuration of its architecture with --config"
    return ModelError(f"{source}: another architecture: it {difference}", hint)
