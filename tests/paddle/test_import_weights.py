"""Inference models into our nets: every tensor to its place, whatever it is called, and a clear word where there is none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paddle
import pytest
from paddle.base.proto import framework_pb2
from paddle_nets import MEAN, STD, Array, architecture, noise, our_net, page

from edgeocr.compress.fpgm import FilterGroups
from edgeocr.convert.export import export_inference_model
from edgeocr.convert.import_weights import Imported, import_weights, read_arrays, run_inference_model
from edgeocr.convert.matching import Program, match_parameters
from edgeocr.errors import ModelError
from edgeocr.nets.base_model import BaseModel, build_model
from edgeocr.nets.checkpoint import read_pdparams
from edgeocr.nets.pruned import shrink_to
from edgeocr.paths import ROOT

pytestmark = pytest.mark.paddle

Exported = Callable[[str, str], Path]
Public = Callable[[str], Path]

DET: list[int | None] = [None, 3, None, None]
REC: list[int | None] = [None, 3, 32, None]
CLS: list[int | None] = [None, 3, 48, 192]
CLASSIFIER: dict[str, Any] = {
    "model_type": "cls",
    "Backbone": {"name": "MobileNetV3", "model_name": "small", "scale": 0.35},
    "Head": {"name": "ClsHead", "class_dim": 2},
}


def output(net: BaseModel, x: Array) -> Array:
    net.eval()
    with paddle.no_grad():
        y: Array = net(paddle.to_tensor(x)).numpy()
    return y


@pytest.mark.parametrize("style", ["as exported", "rewritten"])
@pytest.mark.parametrize(("name", "shape", "initialised"), [("det", DET, 13), ("rec", REC, 0)])
def test_what_was_exported_comes_back(exported: Exported, name: str, shape: list[int | None], initialised: int, style: str) -> None:
    net, before = build_model(architecture(name)), our_net(name).state_dict()
    imported = import_weights(net, exported(name, style), shape)
    assert imported == Imported(imported.taken, imported.initialised, False, 0.0)
    assert len(imported.initialised) == initialised
    assert all(tensor.startswith("head.thresh.") for tensor in imported.initialised)
    after = {key: tensor for key, tensor in net.state_dict().items() if key not in imported.initialised}
    for key, tensor in after.items():
        np.testing.assert_array_equal(tensor.numpy(), before[key].numpy(), err_msg=key)


def test_names_and_order_do_not_count(exported: Exported, tmp_path: Path) -> None:
    """The layers of a model that was built differently have other numbers: here all have the same kind of name, counted backwards."""
    prefix = exported("det", "as exported")
    program = framework_pb2.ProgramDesc.FromString(prefix.with_suffix(".pdmodel").read_bytes())
    new = {name: f"tensor_{999 - k}" for k, name in enumerate(sorted(read_arrays(prefix)))}
    for variable in (v for op in program.blocks[0].ops for v in (*op.inputs, *op.outputs)):
        variable.arguments[:] = [new.get(name, name) for name in variable.arguments]
    ours, theirs = (
        Program(content, "model") for content in (prefix.with_suffix(".pdmodel").read_bytes(), _renamed(program, new).SerializeToString())
    )
    assert match_parameters(ours, theirs, {}, "model") == {name: new[name] for name in new}


def _renamed(program: Any, new: dict[str, str]) -> Any:
    for variable in program.blocks[0].vars:
        variable.name = new.get(variable.name, variable.name)
    return program


def test_a_pruned_model_makes_a_pruned_net(tmp_path: Path) -> None:
    net = our_net("det")
    weight = "backbone.stage3.1.expand_conv.conv.weight"
    state = FilterGroups(net).pruned_state({weight: 0.25})
    shrink_to(net, state, source="test")
    net.set_state_dict({name: paddle.to_tensor(array) for name, array in state.items()})
    prefix = export_inference_model(net, DET, tmp_path / "pruned", rewritten=False)
    into = build_model(architecture("det"))
    imported = import_weights(into, prefix, DET)
    assert (imported.pruned, imported.difference) == (True, 0.0)
    np.testing.assert_array_equal(into.state_dict()[weight].numpy(), state[weight])


@pytest.mark.data
def test_every_tensor_of_the_official_detector_finds_its_place(public_model: Public, test_data: Path) -> None:
    file = test_data / "weights" / "official_v2_det_map.json"
    if not file.is_file():
        pytest.skip(f"{file} is missing")
    prefix = public_model("pp_ocrv2_det")
    net = build_model(architecture("det"))
    imported = import_weights(net, prefix, DET)
    arrays, known = read_arrays(prefix), json.loads(file.read_text())
    assert (len(known), len(imported.initialised)) == (imported.taken, 13)
    for sketched, theirs, shape in known:
        ours = re.sub(
            r"stage0\.(\d)", lambda m: f"stage0.{int(m[1]) - 1}" if int(m[1]) else "conv", sketched
        )  # the map's stem is in stage0
        assert list(net.state_dict()[ours].shape) == shape
        np.testing.assert_array_equal(net.state_dict()[ours].numpy(), arrays[theirs], err_msg=f"{ours} is not {theirs}")


@pytest.mark.data
@pytest.mark.parametrize("picture", ["photograph", "receipt"])
def test_official_detector_runs_in_our_net(public_model: Public, test_data: Path, picture: str) -> None:
    net = build_model(architecture("det"))
    import_weights(net, public_model("pp_ocrv2_det"), DET)
    if picture == "receipt":
        x = page("page_receipt", 480, 320)
    else:
        photograph = cv2.resize(cv2.imread(str(test_data / "images" / "11.jpg")), (480, 320))
        x = ((photograph.astype(np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)[None]
    theirs = run_inference_model(public_model("pp_ocrv2_det"), x)
    assert (theirs > 0.3).sum() > 1000  # it does find the text
    assert np.abs(output(net, x) - theirs).max() <= 1e-5


@pytest.mark.data
def test_official_classifier_runs_in_our_net(public_model: Public) -> None:
    net = build_model(CLASSIFIER)
    imported = import_weights(net, public_model("ppocr_mobile_v2.0_cls"), CLS)
    assert imported.initialised == []
    x = noise(4, 3, 48, 192)
    assert np.abs(output(net, x) - run_inference_model(public_model("ppocr_mobile_v2.0_cls"), x)).max() <= 1e-5


@pytest.mark.data
@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("ppocr_mobile_v2.0_cls", r"another architecture: it has softmax in front of the result where the net has sigmoid"),
        ("pp_ocrv2_det_qat", r"is quantised \(it has fake_quantize_dequantize_moving_average_abs_max\), expected fp32 weights"),
    ],
)
def test_a_public_model_that_does_not_fit_is_refused(public_model: Public, model: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        import_weights(build_model(architecture("det")), public_model(model), DET)


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        (
            "Backbone",
            {"disable_se": False},
            r"it has hard_swish in front of backbone\.\S+\.linear_conv\.conv\.weight where the net has elementwise_mul",
        ),
        ("Backbone", {"scale": 0.35}, r"is \[\d+, \d+, 1, 1\], expected \[\d+, \d+, 1, 1\] or fewer channels"),
        ("Neck", {"out_channels": 64}, r"neck\.\w+\.weight is \[\d+, \d+, \d, \d\], expected \[\d+, \d+, \d, \d\] or fewer channels"),
    ],
)
def test_what_differs_is_named(exported: Exported, part: str, change: dict[str, Any], message: str) -> None:
    other = architecture("det") | {part: architecture("det")[part] | change}
    with pytest.raises(ModelError, match=message):
        import_weights(build_model(other), exported("det", "as exported"), DET)


def test_another_slope_is_another_net(exported: Exported, tmp_path: Path) -> None:
    prefix = exported("rec", "as exported")
    program = framework_pb2.ProgramDesc.FromString(prefix.with_suffix(".pdmodel").read_bytes())
    for attribute in (a for op in program.blocks[0].ops if op.type == "hard_sigmoid" for a in op.attrs if a.name == "slope"):
        attribute.f = 1 / 6
    (tmp_path / "other.pdmodel").write_bytes(program.SerializeToString())
    (tmp_path / "other.pdiparams").write_bytes(prefix.with_suffix(".pdiparams").read_bytes())
    with pytest.raises(ModelError, match=r"other: another architecture: it gives up to \S+ else than the net with its weights"):
        import_weights(build_model(architecture("rec")), tmp_path / "other", REC)


def test_folded_batch_norms_are_told(exported: Exported, tmp_path: Path) -> None:
    """As an exporter leaves it that has put them into the convolutions and their biases."""
    prefix = exported("det", "as exported")
    program = framework_pb2.ProgramDesc.FromString(prefix.with_suffix(".pdmodel").read_bytes())
    for op in program.blocks[0].ops:
        if op.type == "batch_norm":
            kept = {v.parameter: list(v.arguments) for v in op.inputs}
            op.type = "elementwise_add"
            del op.inputs[:]
            for parameter, source in (("X", "X"), ("Y", "Bias")):
                op.inputs.add(parameter=parameter).arguments.extend(kept[source])
    (tmp_path / "folded.pdmodel").write_bytes(program.SerializeToString())
    (tmp_path / "folded.pdiparams").write_bytes(prefix.with_suffix(".pdiparams").read_bytes())
    with pytest.raises(ModelError, match=r"it has elementwise_add in front of \S+ where the net has batch_norm") as error:
        import_weights(build_model(architecture("det")), tmp_path / "folded", DET)
    assert error.value.hint is not None and "folded into the convolutions" in error.value.hint


@pytest.mark.parametrize(
    ("suffix", "message"), [(".pdmodel", "its program cannot be decoded"), (".pdiparams", "not an inference model, or cut off")]
)
def test_a_file_that_is_cut_off_is_told(exported: Exported, tmp_path: Path, suffix: str, message: str) -> None:
    for part in (".pdmodel", ".pdiparams"):
        content = exported("rec", "as exported").with_suffix(part).read_bytes()
        (tmp_path / f"cut{part}").write_bytes(content[: len(content) // 2] if part == suffix else content)
    with pytest.raises(ModelError, match=rf"cut: .*{message}"):
        import_weights(build_model(architecture("rec")), tmp_path / "cut", REC)


def test_reading_an_inference_model_leaves_dynamic_mode_on(exported: Exported) -> None:
    state = read_arrays(exported("rec", "rewritten"))
    assert paddle.in_dynamic_mode()
    assert state["linear_0.w_0"].shape == (96, 96)


def test_as_a_program_it_writes_the_same_bytes_every_time(exported: Exported, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"architecture": architecture("det"), "model": str(exported("det", "rewritten")), "input": DET}))
    reports = []
    for out in (tmp_path / "one.pdparams", tmp_path / "other.pdparams"):
        argv = [sys.executable, "-m", "edgeocr.convert.import_weights", spec, out]
        done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, env=_environment(), timeout=300)
        assert done.returncode == 0, done.stderr
        reports.append(json.loads(done.stdout))
    assert (tmp_path / "one.pdparams").read_bytes() == (tmp_path / "other.pdparams").read_bytes()
    assert reports[0] == reports[1]
    assert set(read_pdparams(tmp_path / "one.pdparams")) == set(our_net("det").state_dict())


def _environment() -> dict[str, str]:

    return {**os.environ, "PYTHONPATH": str(ROOT / "host"), "GLOG_minloglevel": "2", "PYTHONWARNINGS": "ignore"}
