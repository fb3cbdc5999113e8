"""The nets answer to PaddleOCR's names and to its configurations."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from paddle_nets import architecture, noise, our_net

from edgeocr.errors import ModelError
from edgeocr.nets.base_model import build_model
from edgeocr.nets.mobilenet_v3 import make_divisible

pytestmark = pytest.mark.paddle


def test_detector_has_the_names_of_paddleocr() -> None:
    names = set(build_model(architecture("det")).state_dict())
    assert {
        "backbone.conv.conv.weight", "backbone.conv.bn._mean", "backbone.stage0.0.expand_conv.conv.weight",
        "backbone.stage3.3.bn._variance", "neck.in2_conv.weight", "neck.p5_conv.weight", "head.binarize.conv1.weight",
        "head.binarize.conv_bn1.weight", "head.binarize.conv2.bias", "head.thresh.conv3.bias",
    } <= names  # fmt: skip
    assert not any("mid_se" in name for name in names)


def test_recogniser_has_the_names_of_paddleocr() -> None:
    names = set(build_model(architecture("rec")).state_dict())
    assert {
        "backbone.conv1.conv.weight", "backbone.blocks.0.mid_se.conv1.bias", "backbone.blocks.10.linear_conv.bn.weight",
        "backbone.conv2.conv.weight", "neck.encoder.lstm.weight_ih_l0", "neck.encoder.lstm.0.cell_fw.weight_ih", "head.fc.weight",
    } <= names  # fmt: skip


@pytest.mark.parametrize(("v", "expected"), [(8.0, 8), (5.6, 8), (56.0, 56), (25.2, 24), (100.8, 104), (33.6, 32), (11.0, 16), (16.0, 16)])
def test_make_divisible_never_takes_more_than_a_tenth(v: float, expected: int) -> None:
    assert make_divisible(v) == expected
    assert expected >= 0.9 * v


def test_detector_map_has_the_size_of_its_input() -> None:
    net = our_net("det")
    with paddle.no_grad():
        y = net(paddle.to_tensor(noise(2, 3, 64, 96)))
    assert y.shape == [2, 1, 64, 96]
    assert float(y.min()) >= 0 and float(y.max()) <= 1


def test_detector_in_training_gives_shrink_threshold_and_binary_maps() -> None:
    net = our_net("det")
    net.train()
    maps = net(paddle.to_tensor(noise(2, 3, 64, 64)))["maps"]
    assert maps.shape == [2, 3, 64, 64]
    shrink, threshold, binary = (maps[:, i].numpy() for i in range(3))
    np.testing.assert_allclose(binary, 1 / (1 + np.exp(-50 * (shrink - threshold))), atol=1e-5)


def test_recogniser_gives_probabilities_one_step_per_four_columns() -> None:
    net = our_net("rec")
    with paddle.no_grad():
        y = net(paddle.to_tensor(noise(2, 3, 32, 100))).numpy()
    assert y.shape == (2, 25, 96)
    np.testing.assert_allclose(y.sum(2), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "shortcut"),
    [
        ({"model_name": "small", "small_stride": [1, 2, 2, 2]}, False),
        ({"model_name": "small", "small_stride": [1, 2, 2, 2], "first_shortcut": True}, True),
        ({"model_name": "small", "first_shortcut": True}, False),  # its stride is 2
        ({"model_name": "large"}, True),
    ],
)
def test_first_unit_has_a_shortcut_where_paddleocr_has_one(options: dict[str, object], shortcut: bool) -> None:
    backbone = build_model({**architecture("rec"), "Backbone": {"name": "MobileNetV3", **options}}).backbone
    assert backbone.blocks[0].if_shortcut is shortcut
    assert backbone.blocks[2].if_shortcut is True


@pytest.mark.parametrize("wrong", ["large_stride", "small_stride"])
def test_recogniser_backbone_checks_its_strides(wrong: str) -> None:
    config = {**architecture("rec")}
    config["Backbone"] = {"name": "MobileNetV3", "model_name": wrong.split("_")[0], wrong: [1, 2]}
    with pytest.raises(ModelError, match=rf"Architecture\.Backbone \(MobileNetV3\): {wrong} has 2 entries, expected 4"):
        build_model(config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "sr"}, "model_type is 'sr', expected one of det, rec, cls"),
        ({"Backbone": {"name": "ViT"}}, "Architecture.Backbone.name is 'ViT', expected one of MobileNetV3"),
        ({"Backbone": {"name": "MobileNetV3", "model_name": "tiny"}}, "model_name is 'tiny', expected 'large' or 'small'"),
        ({"Backbone": {"name": "MobileNetV3", "scael": 0.5}}, "unexpected keyword argument 'scael'"),
        ({"Head": None}, "Architecture.Head is None, expected a table with a name"),
        ({"Neck": {"out_channels": 96}}, "expected a table with a name"),
    ],
)
def test_a_configuration_without_a_net_is_told(change: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError) as error:
        build_model({**architecture("det"), **change})
    assert message in error.value.message
