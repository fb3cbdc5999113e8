"""Pruning: what hangs together is pruned together, and filters that do nothing can go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
from paddle_nets import architecture, our_net, page

from edgeocr.compress.fpgm import FilterGroups, choose_ratios, cost, loss_at
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


def test_cost_counts_multiplications_and_weights() -> None:
    conv = paddle.nn.Sequential(paddle.nn.Conv2D(3, 8, 3, padding=1), paddle.nn.Conv2D(8, 8, 3, padding=1, stride=2, groups=8))
    assert cost(conv) == (64 * 64 * 8 * 27 + 32 * 32 * 8 * 9, 8 * 27 + 8 * 9)


def test_accuracy_is_spent_where_it_buys_most(groups: FilterGroups) -> None:
    losses = {DEPTHWISE: {0.25: 0.0, 0.5: 0.01, 0.75: 0.3}, PYRAMID: {0.25: 0.002, 0.5: 0.5}}
    small, larger = (choose_ratios(groups, losses, macs_goal=goal, parameters_goal=1.0) for goal in (0.95, 0.89))
    assert larger.macs <= 0.89 < small.macs <= 0.95
    assert small.loss < 0.002 < larger.loss < 0.015
    assert larger.ratios == {DEPTHWISE: pytest.approx(0.4), PYRAMID: pytest.approx(0.25)}
    for name, ratio in (small.ratios | larger.ratios).items():
        assert groups.filters[name] * (1 - ratio) % 8 == pytest.approx(0)


def test_goals_that_the_largest_ratios_miss_are_refused(groups: FilterGroups) -> None:
    losses = {PYRAMID: {0.5: 0.0}}
    assert choose_ratios(groups, losses, macs_goal=0.94, parameters_goal=1.0).ratios[PYRAMID] <= 0.25
    with pytest.raises(UsageError, match=r"the largest ratios allowed leave 90% of the multiplications and 94% of the parameters"):
        choose_ratios(groups, losses, macs_goal=0.8, parameters_goal=1.0, max_ratio=0.25)


@pytest.mark.parametrize(("ratio", "loss"), [(0.1, 0.02), (0.2, 0.04), (0.3, 0.07), (0.6, 0.0006), (0.9, 0.0009)])
def test_losses_are_interpolated_and_gains_are_noise(ratio: float, loss: float) -> None:
    assert loss_at({0.2: 0.04, 0.4: 0.1, 0.6: -0.3, 0.8: -0.1}, ratio) == pytest.approx(loss)


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
