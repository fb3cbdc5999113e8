"""Programs whose operators stand in an order of chance."""

from __future__ import annotations

import random
from typing import Any

import pytest
from paddle.base.proto import framework_pb2

from edgeocr.convert import program

pytestmark = pytest.mark.paddle


def operator(kind: str, inputs: list[str], outputs: list[str], **numbers: float) -> Any:
    op = framework_pb2.OpDesc(type=kind)
    op.inputs.add(parameter="X").arguments.extend(inputs)
    op.outputs.add(parameter="Out").arguments.extend(outputs)
    for name, number in numbers.items():
        op.attrs.add(name=name, type=framework_pb2.FLOAT, f=number)
    return op


def serialised(operators: list[Any], variables: list[str]) -> bytes:
    description = framework_pb2.ProgramDesc()
    block = description.blocks.add(idx=0, parent_idx=-1)
    block.ops.extend(operators)
    for name in variables:
        block.vars.add(name=name).type.type = framework_pb2.VarType.LOD_TENSOR
    return bytes(description.SerializeToString())


def settled(operators: list[Any], variables: list[str]) -> tuple[list[str], list[str]]:
    (block,) = framework_pb2.ProgramDesc.FromString(program.settle(serialised(operators, variables))).blocks
    return [op.type for op in block.ops], [v.name for v in block.vars]


FEED = operator("feed", ["feed"], ["x"])
BRANCHES = [operator("left", ["x", "w"], ["a"]), operator("right", ["x"], ["b"])]
REST = [operator("add", ["a", "b"], ["c"]), operator("fetch", ["c"], ["fetch"])]
VARIABLES = ["x", "w", "a", "b", "c", "feed", "fetch"]


@pytest.mark.parametrize("seed", range(4))
def test_every_order_of_one_program_becomes_the_same(seed: int) -> None:
    chance = random.Random(seed)
    operators = [FEED, *chance.sample(BRANCHES, 2), *REST]
    expected = ["feed", "left", "right", "add", "fetch"], sorted(VARIABLES)
    assert settled(operators, chance.sample(VARIABLES, len(VARIABLES))) == expected


def test_what_no_result_needs_is_gone() -> None:
    operators = [FEED, *BRANCHES, operator("unused", ["a"], ["d"]), *REST]
    assert settled(operators, [*VARIABLES, "d"]) == (["feed", "left", "right", "add", "fetch"], sorted(VARIABLES))


def test_results_are_fetched_without_the_multiplications_by_one() -> None:
    """The second has the name of the first, as Paddle writes it where its count starts anew."""
    ones = [operator("scale", ["c"], ["result_0"], scale=1, bias=0), operator("scale", ["result_0"], ["result_0"], scale=1, bias=0)]
    operators = [FEED, *BRANCHES, REST[0], *ones, operator("fetch", ["result_0"], ["fetch"])]
    assert settled(operators, [*VARIABLES, "result_0"]) == (["feed", "left", "right", "add", "fetch"], sorted(VARIABLES))


def test_a_multiplication_by_two_stays() -> None:
    operators = [FEED, operator("scale", ["x"], ["y"], scale=2, bias=0), operator("fetch", ["y"], ["fetch"])]
    assert settled(operators, ["x", "y", "feed", "fetch"])[0] == ["feed", "scale", "fetch"]
