"""FPGM pruning: filters nearest to the geometric median of their layer are removed, and what read them with them.

PaddleSlim's pruner finds which channels hang together (shortcuts, the pyramid's sums, depthwise filters) and which filters to remove.
He, Liu, Wang, Hu, Yang: Filter Pruning via Geometric Median (CVPR 2019).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import paddle
from paddle import nn

from edgeocr.errors import UsageError
from edgeocr.nets.checkpoint import State

Ratios = Mapping[str, float]
Losses = Mapping[str, Mapping[float, float]]

ALIGNMENT = 8  # channels that stay are a multiple of it, as in MobileNetV3: the engine's kernels compute 4, 8 or 16 at once
KEPT_AT_INPUT = 4  # convolutions nearest the input that are never pruned
NOISE = 1e-3  # the least accuracy that filters are taken to be worth, all of a group's together: a measured gain is chance
TRACED_INPUT = [1, 3, 64, 64]  # with which PaddleSlim traces the net
BACKUP = "_backup"  # what PaddleSlim keeps to restore a pruned layer


class FilterGroups:
    """The groups of filters of ``net`` that can be removed together, by the name of their first convolution's weight.

    The transposed convolutions, the convolutions whose outputs are concatenated and those of `KEPT_AT_INPUT` are in no group.
    """

    def __init__(self, net: nn.Layer) -> None:
        from paddleslim.dygraph import FPGMFilterPruner

        self.net = net
        net.eval()
        structured = {parameter.name: name for name, parameter in net.named_parameters()}
        first = {conv.weight.name for conv in [layer for layer in net.sublayers() if isinstance(layer, nn.Conv2D)][:KEPT_AT_INPUT]}
        with _quiet():
            self._pruner = FPGMFilterPruner(net, TRACED_INPUT)
        shapes = {parameter.name: parameter.shape for parameter in net.parameters()}
        self.base_cost = cost(net)
        self._parameter_name: dict[str, str] = {}
        self.filters: dict[str, int] = {}
        for collection in self._pruner.collections:
            if collection.master_axis == 0 and not first & {detail.name for detail in collection.all_pruning_details()}:
                name = structured[collection.master_name]
                self._parameter_name[name] = collection.master_name
                self.filters[name] = shapes[collection.master_name][0]

    @contextmanager
    def pruned(self, ratios: Ratios) -> Iterator[None]:
        """The net without ``ratios`` (0…1) of its groups' filters, while it lasts. Raises UsageError for a group that is none."""
        unknown = [name for name in ratios if name not in self.filters]
        if unknown:
            raise UsageError(f"{unknown[0]} cannot be pruned", f"what can: {', '.join(self.filters)}")
        with _quiet():
            plan = self._pruner.prune_vars({self._parameter_name[name]: ratio for name, ratio in ratios.items() if ratio > 0}, 0)
        try:
            yield
        finally:
            plan.restore(self.net)

    def pruned_state(self, ratios: Ratios) -> State:
        """The weights that are left, for `edgeocr.nets.pruned`."""
        with self.pruned(ratios):
            return {name: tensor.numpy() for name, tensor in self.net.state_dict().items() if not name.endswith(BACKUP)}


@dataclass(frozen=True)
class Choice:
    ratios: dict[str, float]
    loss: float  # of accuracy, as a share: the sum of what the groups lose alone
    macs: float  # share of the multiplications left
    parameters: float  # share of the parameters of inference left


class _Option(NamedTuple):
    ratio: float
    loss: float  # of accuracy, when the group alone is pruned so
    saved: float  # of the multiplications, as a share


def choose_ratios(groups: FilterGroups, losses: Losses, macs_goal: float, parameters_goal: float, max_ratio: float = 1.0) -> Choice:
    """The accuracy budget spent where it buys most: step by step the filters go that cost the least accuracy per multiplication saved.

    It ends when multiplications and parameters are down to the goals. ``losses`` is {weight: {ratio: accuracy lost}}; no group loses more
    than ``max_ratio``. Raises UsageError where even that is not enough.
    """
    options = {name: _options(groups, name, curve, max_ratio) for name, curve in losses.items()}
    taken = dict.fromkeys(options, 0)
    choice = _choice(groups, options, taken)
    while choice.macs > macs_goal or choice.parameters > parameters_goal:
        steps = [step for name, found in options.items() for step in _steps(name, found, taken[name])]
        if not steps:
            raise UsageError(
                f"the largest ratios allowed leave {choice.macs:.0%} of the multiplications and {choice.parameters:.0%} of the parameters",
                "measure the sensitivity at larger ratios, or ask for less",
            )
        best = _best(steps, choice.macs - macs_goal)
        taken[best.name] = best.to
        choice = _choice(groups, options, taken)
    return choice


def _choice(groups: FilterGroups, options: Mapping[str, list[_Option]], taken: Mapping[str, int]) -> Choice:
    chosen = {name: found[taken[name]] for name, found in options.items()}
    ratios = {name: option.ratio for name, option in chosen.items()}
    with groups.pruned(ratios):
        macs, parameters = cost(groups.net)
    base_macs, base_parameters = groups.base_cost
    return Choice(ratios, sum(option.loss for option in chosen.values()), macs / base_macs, parameters / base_parameters)


class _Step(NamedTuple):
    name: str
    to: int  # which of the group's options
    loss: float
    saved: float


def _steps(name: str, options: list[_Option], now: int) -> list[_Step]:
    at = options[now]
    return [_Step(name, i, option.loss - at.loss, option.saved - at.saved) for i, option in enumerate(options) if i > now]


def _best(steps: list[_Step], needed: float) -> _Step:
    """The step that loses least per multiplication saved, the shortest of equals; or one that is enough and loses less than that one."""
    best = min(steps, key=lambda step: (round(step.loss / step.saved, 9), step.to))
    enough = [step for step in steps if step.saved >= needed > 0 and step.loss <= best.loss]
    return min(enough, key=lambda step: step.loss, default=best)


def _options(groups: FilterGroups, name: str, curve: Mapping[float, float], max_ratio: float) -> list[_Option]:
    """Every multiple of `ALIGNMENT` filters that may stay. What is saved is proportional to what is removed."""
    filters = groups.filters[name]
    most = min(max_ratio, max(curve))
    ratios = [1 - left / filters for left in range(filters, 0, -ALIGNMENT) if 1 - left / filters <= most]
    with groups.pruned({name: ratios[-1]}):
        saved = 1 - cost(groups.net)[0] / groups.base_cost[0]
    return [_Option(ratio, loss_at(curve, ratio), saved * ratio / ratios[-1] if ratio else 0.0) for ratio in ratios]


def loss_at(curve: Mapping[float, float], ratio: float) -> float:
    """Of {ratio: loss}, between two measured ratios by interpolation; at least `NOISE` for all filters together."""
    measured = sorted({0.0: 0.0, **curve}.items())
    loss = np.interp(ratio, [at for at, _ in measured], [loss for _, loss in measured])
    return max(float(loss), NOISE * ratio)


def cost(net: nn.Layer) -> tuple[int, int]:
    """Multiplications of one run on an input of `TRACED_INPUT`, and the weights that take part in it: convolutions' only."""
    layers: dict[int, int] = {}
    macs = 0

    def note(layer: nn.Layer, inputs: Any, output: Any) -> None:
        nonlocal macs
        weight = layer.weight
        layers[id(weight)] = int(np.prod(weight.shape))
        transposed = isinstance(layer, nn.Conv2DTranspose)
        pixels = inputs[0].shape if transposed else output.shape
        macs += int(np.prod(weight.shape)) * pixels[0] * pixels[2] * pixels[3]

    handles = [layer.register_forward_post_hook(note) for layer in net.sublayers() if isinstance(layer, (nn.Conv2D, nn.Conv2DTranspose))]
    training = net.training
    net.eval()
    try:
        with paddle.no_grad():
            net(paddle.zeros(TRACED_INPUT))
    finally:
        for handle in handles:
            handle.remove()
        if training:
            net.train()
    return macs, sum(layers.values())


@contextmanager
def _quiet() -> Iterator[None]:
    """Without PaddleSlim's remarks about what it leaves alone."""
    disabled = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(disabled)
