"""`edgeocr_run info`: what a `.nb` file holds, and the plan of an input shape."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from nb_writer import Op, Param, write_nb
from runner_process import Runner

from edgeocr.convert import nbfile


@pytest.mark.parametrize("name", ["det.nb", "rec.nb"])
def test_agrees_with_the_other_reader_of_nb_files(runner: Runner, own_set: Path, name: str) -> None:
    done = runner.run("info", own_set / name)
    assert (done.code, done.stderr) == (0, "")
    _, info = done.records
    model = nbfile.read(own_set / name)
    assert info["type"] == "info"
    assert info["operators"] == Counter(op.type for op in model.operators)
    assert info["params"] == len(model.parameters)
    assert info["feed"] == model.feed_shapes()[0]
    assert info["precision"] == "fp32"
    assert info["meta_version"] == model.meta_version
    assert info["opt_version"] == model.opt_version


def test_plan_of_an_input_shape(native: Runner, own_set: Path) -> None:
    done = native.run("info", own_set / "det.nb", "--input", "1,3,64,96")
    hello, info, *nodes = done.records
    assert (hello["type"], info["type"], {node["type"] for node in nodes}) == ("hello", "info", {"node"})
    assert [node["index"] for node in nodes] == list(range(len(nodes)))
    assert nodes[-1]["output"] == "1x1x64x96"
    assert all("ms" not in node for node in nodes)
    assert sum(node["macs"] for node in nodes if node["op"].startswith("conv2d")) > 0


def test_the_plan_is_that_of_the_options(native: Runner, own_set: Path) -> None:
    """The exact detector sums its pyramid as the file has it, so does the fast one, the composed one composes it."""
    model, shape = own_set.with_name("pact") / "det.nb", ("--input", "1,3,64,96")
    exact, fast, composed = (
        [node["kernel"] for node in native.run("info", model, *shape, "--int8", mode).records[2:]] for mode in ("exact", "fast", "composed")
    )
    assert native.run("info", model, *shape).records[2:] == native.run("info", model, *shape, "--int8", "exact").records[2:]
    assert fast == exact  # on this machine: the phone computes parts in fp16
    assert sum("over_upsampled" in kernel for kernel in composed) > sum("over_upsampled" in kernel for kernel in exact) > 0
    done = native.run("info", own_set / "rec.nb", "--input", "1,3,32,320", "--dynamic-int8")
    assert any(node["op"] == "dynamic_fc" for node in done.records[2:])
    done = native.run("info", model, *shape, "--precision", "fp32")
    assert done.code == 1 and "has int8 operators, expected none for precision fp32" in done.stderr
    done = native.run("info", model, "--int8", "fast")
    assert done.code == 2 and "give --input too" in done.stderr


@pytest.mark.parametrize(
    ("attributes", "precision"),
    [
        ({}, "fp32"),
        ({"enable_int8": True}, "int8"),
        ({"quantize_weight_bits": 8}, "int8 weights"),
        ({"quantize_weight_bits": 16}, "int16 weights"),
        ({"w_fp16": "fp16"}, "fp16"),
    ],
)
def test_precision(native: Runner, tmp_path: Path, attributes: dict[str, object], precision: str) -> None:
    """Also of a net that the engine could not run: `info` shows any file that can be read."""
    ops = [
        Op("feed", {"X": ["feed"]}, {"Out": ["x"]}, {"col": 0}),
        Op("unheard_of", {"X": ["x"]}, {"Out": ["y"]}, attributes),
        Op("fetch", {"X": ["y"]}, {"Out": ["fetch"]}, {"col": 0}),
    ]
    (tmp_path / "net.nb").write_bytes(write_nb(ops, [Param("w", [2, 3])]))
    done = native.run("info", tmp_path / "net.nb")
    info = done.records[1]
    assert info["precision"] == precision
    assert info["feed"] == [-1, 3, 32, 320]
    assert (info["params"], info["weight_bytes"]) == (1, 24)
    assert info["operators"] == {"feed": 1, "fetch": 1, "unheard_of": 1}
