"""Export: the rewritten program gives the same results as Paddle's own, holds nothing of this machine, and is the same every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from paddle.base.proto import framework_pb2
from paddle_nets import lines, our_net, page

from edgeocr.convert import program
from edgeocr.convert.export import export_inference_model
from edgeocr.convert.import_weights import run_inference_model

pytestmark = pytest.mark.paddle

Exported = Callable[[str, str], Path]
SHAPES = {"det": [None, 3, None, None], "rec": [None, 3, 32, None]}


def block_of(prefix: Path) -> Any:
    return framework_pb2.ProgramDesc.FromString(prefix.with_suffix(".pdmodel").read_bytes()).blocks[0]


def operators(block: Any) -> Counter[str]:
    return Counter(op.type for op in block.ops)


@pytest.mark.parametrize("name", ["det", "rec"])
def test_rewriting_changes_no_result(exported: Exported, name: str) -> None:
    x = page("page_sign", 96, 160) if name == "det" else lines(208, count=3)
    before, after = (run_inference_model(exported(name, style), x) for style in ("as exported", "rewritten"))
    np.testing.assert_array_equal(after, before)


def test_conv_biases_are_attached_and_their_reshapes_go(exported: Exported) -> None:
    plain, rewritten = (block_of(exported("rec", style)) for style in ("as exported", "rewritten"))
    assert operators(plain)["reshape2"] == 18  # two convolutions with a bias in each of nine squeeze-and-excitation blocks
    assert operators(rewritten)["reshape2"] == 0
    assert operators(rewritten)["elementwise_add"] == operators(plain)["elementwise_add"]
    biased = [op for op in rewritten.ops if op.type == "elementwise_add" and op.inputs[1].arguments[0].endswith(".b_0")]
    axes = {op.inputs[1].arguments[0].split("_")[0]: next(a.i for a in op.attrs if a.name == "axis") for op in biased}
    assert axes["conv2d"] == 1


def test_lstm_takes_its_batch_from_the_input(exported: Exported) -> None:
    block = block_of(exported("rec", "rewritten"))
    found = operators(block)
    assert found["fill_constant_batch_size_like"] == 2
    assert not found.keys() & {"fill_constant", "shape", "slice"}
    (rnn,) = [op for op in block.ops if op.type == "rnn"]
    states = {name for var in rnn.inputs if var.parameter == "PreState" for name in var.arguments}
    fills = [op for op in block.ops if op.type == "fill_constant_batch_size_like"]
    assert {op.outputs[0].arguments[0] for op in fills} == states
    for op in fills:
        attributes = {a.name: a for a in op.attrs}
        assert list(attributes["shape"].ints) == [4, -1, 48]
        assert (attributes["input_dim_idx"].i, attributes["output_dim_idx"].i) == (0, 1)


def test_nothing_unused_is_left(exported: Exported) -> None:
    block = block_of(exported("rec", "rewritten"))
    named = {name for op in block.ops for var in (*op.inputs, *op.outputs) for name in var.arguments}
    assert {v.name for v in block.vars} == named


def test_no_path_of_this_machine_is_in_the_program(exported: Exported) -> None:
    plain, rewritten = (exported("det", style).with_suffix(".pdmodel").read_bytes() for style in ("as exported", "rewritten"))
    assert b"op_callstack" in plain
    assert b"op_callstack" not in rewritten
    assert b".py" not in rewritten


@pytest.mark.parametrize("name", ["det", "rec"])
def test_a_second_export_has_the_same_bytes(exported: Exported, name: str, tmp_path: Path) -> None:
    first = exported(name, "rewritten")
    second = export_inference_model(our_net(name), SHAPES[name], tmp_path)
    for suffix in (".pdmodel", ".pdiparams"):
        assert second.with_suffix(suffix).read_bytes() == first.with_suffix(suffix).read_bytes(), suffix


def test_a_program_that_needs_no_change_keeps_its_operators(exported: Exported) -> None:
    once = exported("rec", "rewritten").with_suffix(".pdmodel").read_bytes()
    assert program.rewrite(once) == once


def test_an_export_is_in_inference_mode_whatever_the_net_was_in(tmp_path: Path) -> None:
    net = our_net("det")
    net.train()
    prefix = export_inference_model(net, SHAPES["det"], tmp_path)
    assert run_inference_model(prefix, page("page_sign", 64, 64)).shape == (1, 1, 64, 64)
    assert paddle.in_dynamic_mode()
