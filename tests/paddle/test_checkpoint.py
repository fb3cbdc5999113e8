"""Checkpoints: what is read, what is refused, and how a misfit is told."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import paddle
import pytest
from paddle import nn
from paddle_nets import architecture, our_net

from edgeocr.errors import ModelError
from edgeocr.nets.base_model import build_model
from edgeocr.nets.checkpoint import State, load_checkpoint, load_state, read_pdparams

pytestmark = pytest.mark.paddle


class TinyNet(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2D(1, 2, 3)
        self.bn = nn.BatchNorm(2)


def tiny_state() -> State:
    return {name: np.full(tensor.shape, 0.5, np.float32) for name, tensor in TinyNet().state_dict().items()}


def test_what_paddle_saves_is_read_back(tmp_path: Path) -> None:
    net = TinyNet()
    paddle.save(net.state_dict(), str(tmp_path / "tiny.pdparams"))
    state = read_pdparams(tmp_path / "tiny.pdparams")
    assert set(state) == set(net.state_dict())
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(state[name], tensor.numpy())


@pytest.mark.parametrize("protocol", [2, 4])
def test_checkpoints_of_older_protocols_are_read(tmp_path: Path, protocol: int) -> None:
    state = tiny_state()
    content = {**state, "StructuredToParameterName@@": {"conv.weight": "conv2d_0.w_0"}}
    (tmp_path / "old.pdparams").write_bytes(pickle.dumps(content, protocol))
    assert set(read_pdparams(tmp_path / "old.pdparams")) == set(state)


def test_a_hostile_checkpoint_runs_nothing(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    (tmp_path / "hostile.pdparams").write_bytes(pickle.dumps({"conv.weight": Hostile()}))
    with pytest.raises(ModelError, match=r"hostile\.pdparams: not a \.pdparams checkpoint: it names \w+\.system, expected arrays only"):
        read_pdparams(tmp_path / "hostile.pdparams")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a .pdparams checkpoint"),
        (b"\x80\x04garbage", "not a .pdparams checkpoint"),
        (pickle.dumps([1, 2]), "holds a list, expected a dictionary of arrays"),
        (pickle.dumps({"conv.weight": "text"}), "'conv.weight' is a str, expected an array"),
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad.pdparams").write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read_pdparams(tmp_path / "bad.pdparams")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.pdparams: cannot be read: No such file"):
        read_pdparams(tmp_path / "none.pdparams")


def test_a_misfit_tells_every_kind_of_difference_and_sets_nothing() -> None:
    net, state = TinyNet(), tiny_state()
    before = net.conv.weight.numpy()
    del state["bn.bias"]
    state["neck.weight"] = np.zeros(3, np.float32)
    state["bn._mean"] = np.zeros(5, np.float32)
    with pytest.raises(ModelError) as error:
        load_state(net, state, source="w.pdparams")
    assert error.value.message == (
        "w.pdparams: does not fit the net; missing: bn.bias; unexpected: neck.weight; of another shape: bn._mean [5] (expected [2])"
    )
    np.testing.assert_array_equal(net.conv.weight.numpy(), before)


def test_long_lists_of_names_are_cut() -> None:
    with pytest.raises(ModelError, match=r"missing: conv\.weight, conv\.bias, bn\.weight, bn\.bias, bn\._mean and 1 more"):
        load_state(TinyNet(), {}, source="w.pdparams")


def test_an_lstm_needs_only_one_of_its_names() -> None:
    net = build_model(architecture("rec"))
    state = {name: tensor.numpy() for name, tensor in our_net("rec").state_dict().items() if ".cell_" not in name}
    load_state(net, state, source="flat names")
    for name, tensor in our_net("rec").state_dict().items():
        np.testing.assert_array_equal(net.state_dict()[name].numpy(), tensor.numpy(), err_msg=name)


def test_weights_of_another_net_are_refused() -> None:
    weights = Path(__file__).parents[2] / "models" / "edgeocr_en" / "rec.pdparams"
    with pytest.raises(ModelError, match=r"rec\.pdparams: does not fit the net; missing: backbone\.conv\.conv\.weight"):
        load_checkpoint(build_model(architecture("det")), weights)
