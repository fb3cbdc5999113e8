"""Pruning: what hangs together is pruned together, and filters that do nothing can go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
from paddle_nets import architecture, our_net, page

from edgeocr.compress.fpgm import FilterGroups, choose_ratios, cost, ratio_within
from edgeocr.errors import ModelError, UsageError
from edgeocr.nets.base_model import BaseModel, build_model
from edgeocr.nets.checkpoint import State
from edgeocr.nets.pruned import load_pruned_checkpoint
from edgeocr.train.checkpoint import save_weights, write_arrays

pytestmark = pytest.mark.paddle

SHORTCUTS = "backbone.stage2.0.linear_conv.conv.weight"  # the residual stream of five units
DEPTHWISE = "backbone.stage3.1.expand_conv.conv.weight"
PYRAMID = "neck.in2_conv.weight"  # what the pyramid's sums tie together
RATIOS = {SHORTCUTS: 0.4, DEPTHWISE: 0.5, PYRAMID: 0.25}


@pytest.fixture(scope="module")
def net() -> BaseModel:
    return our_net("det")


@pytest.fixture(scope="module")
def groups(net: BaseModel) -> FilterGroups:
    return FilterGroups(net)


def output(net: BaseModel) -> np.ndarray:
    net.eval()
    with paddle.no_grad():
        return np.asarray(net(paddle.to_tensor(page("page_sign", 96, 160))).numpy())


def rebuilt(state: State, folder: Path) -> BaseModel:
    write_arrays(folder / "pruned.pdparams", state)
    pruned = build_model(architecture("det"))
    load_pruned_checkpoint(pruned, folder / "pruned.pdparams")
    return pruned


def test_the_input_the_concatenated_and_the_transposed_are_left_alone(groups: FilterGroups) -> None:
    assert len(groups.filters) == 22
    kept = ("backbone.conv.", "backbone.stage0.0.", "neck.p", "head.binarize.conv2", "head.binarize.conv3", "head.thresh")
    assert not [name for name in groups.filters if name.startswith(kept)]
    assert not [name for name in groups.filters if "bottleneck_conv" in name]


def test_the_net_is_whole_again_afterwards(net: BaseModel, groups: FilterGroups) -> None:
    before = output(net)
    with groups.pruned(RATIOS):
        assert np.abs(output(net) - before).max() > 0.01
    np.testing.assert_array_equal(output(net), before)


def test_channels_stay_aligned_through_shortcuts_sums_and_depthwise_filters(groups: FilterGroups, tmp_path: Path) -> None:
    pruned = rebuilt(groups.pruned_state(RATIOS), tmp_path)
    shapes = {name: tensor.shape for name, tensor in pruned.state_dict().items()}
    assert [shapes[f"backbone.stage2.{unit}.linear_conv.conv.weight"][0] for unit in range(4)] == [24] * 4
    assert shapes["backbone.stage2.4.expand_conv.conv.weight"] == [240, 24, 1, 1]
    assert shapes["backbone.stage3.1.bottleneck_conv.conv.weight"] == [240, 1, 5, 5]
    assert shapes["backbone.stage3.1.linear_conv.conv.weight"] == [80, 240, 1, 1]
    assert [shapes[f"neck.in{level}_conv.weight"][0] for level in (2, 3, 4, 5)] == [72] * 4
    assert [shapes[f"neck.p{level}_conv.weight"] for level in (2, 3, 4, 5)] == [[24, 72, 3, 3]] * 4
    pruned.train()
    assert pruned(paddle.zeros([1, 3, 64, 64]))["maps"].shape == [1, 3, 64, 64]


def test_without_filters_that_are_zero_the_output_is_the_same(tmp_path: Path) -> None:
    """With γ = β = 0 behind them: then no channel of them carries anything. FPGM takes them first where they are most of the layer."""
    net = our_net("det")
    expand, depthwise = net.backbone.stage3[1].expand_conv, net.backbone.stage3[1].bottleneck_conv
    dead = np.random.default_rng(0).permutation(480)[:320]
    for block in (expand, depthwise):
        for parameter in (block.conv.weight, block.bn.weight, block.bn.bias):
            value = parameter.numpy()
            value[dead] = 0
            parameter.set_value(value)
    pruned = rebuilt(FilterGroups(net).pruned_state({DEPTHWISE: 320 / 480}), tmp_path)
    assert pruned.backbone.stage3[1].expand_conv.conv.weight.shape[0] == 160
    np.testing.assert_allclose(output(pruned), output(net), atol=1e-5)


def test_what_stays_is_a_multiple_of_8(groups: FilterGroups) -> None:
    left = [groups.filters[name] * (1 - groups.aligned(name, ratio)) for name in groups.filters for ratio in (0.1, 0.33, 0.5, 0.99)]
    assert all(round(channels) % 8 == 0 and round(channels) >= 8 and channels == pytest.approx(round(channels)) for channels in left)


def test_cost_counts_multiplications_and_weights() -> None:
    conv = paddle.nn.Sequential(paddle.nn.Conv2D(3, 8, 3, padding=1), paddle.nn.Conv2D(8, 8, 3, padding=1, stride=2, groups=8))
    assert cost(conv) == (64 * 64 * 8 * 27 + 32 * 32 * 8 * 9, 8 * 27 + 8 * 9)


def test_ratios_come_from_one_budget(groups: FilterGroups) -> None:
    losses = {DEPTHWISE: {0.25: 0.0, 0.5: 0.01, 0.75: 0.3}, PYRAMID: {0.25: 0.2, 0.5: 0.5}}
    choice = choose_ratios(groups, losses, macs_goal=0.99, parameters_goal=0.92)
    assert choice.budget == 0.01
    assert choice.ratios == {DEPTHWISE: pytest.approx(0.5), PYRAMID: pytest.approx(0.0)}
    assert choice.parameters <= 0.92 and choice.macs <= 0.99
    with pytest.raises(UsageError, match=r"the largest ratios measured leave \d+% of the multiplications"):
        choose_ratios(groups, losses, macs_goal=0.1, parameters_goal=0.1)


@pytest.mark.parametrize(("budget", "ratio"), [(0.0, 0.2), (0.05, 0.3), (0.1, 0.4), (0.2, 0.5), (0.9, 0.6)])
def test_ratios_between_measured_ones_are_interpolated(budget: float, ratio: float) -> None:
    assert ratio_within({0.2: 0.0, 0.4: 0.1, 0.6: 0.3}, budget) == pytest.approx(ratio)


def test_a_layer_that_cannot_be_pruned_is_named(groups: FilterGroups) -> None:
    with pytest.raises(UsageError, match=r"neck\.p2_conv\.weight cannot be pruned"), groups.pruned({"neck.p2_conv.weight": 0.5}):
        pass


def test_weights_of_another_kernel_are_no_pruned_net(net: BaseModel, tmp_path: Path) -> None:
    save_weights(net, tmp_path / "whole.pdparams")
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    state[PYRAMID] = np.zeros((96, 16, 3, 3), np.float32)
    write_arrays(tmp_path / "det.pdparams", state)
    with pytest.raises(ModelError, match=r"det\.pdparams: neck\.in2_conv\.weight is \[96, 16, 3, 3\], expected \[96, 16, 1, 1\] or fewer"):
        load_pruned_checkpoint(build_model(architecture("det")), tmp_path / "det.pdparams")
