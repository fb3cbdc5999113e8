"""FPGM pruning: filters nearest to the geometric median of their layer are removed, and what read them with them.

PaddleSlim's pruner finds which channels hang together (shortcuts, the pyramid's sums, depthwise filters) and which filters to remove.
He, Liu, Wang, Hu, Yang: Filter Pruning via Geometric Median (CVPR 2019).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle
from paddle import nn

from edgeocr.errors import UsageError
from edgeocr.nets.checkpoint import State

Ratios = Mapping[str, float]
Losses = Mapping[str, Mapping[float, float]]

ALIGNMENT = 8  # channels that stay are a multiple of it, as in MobileNetV3: the engine's kernels compute 4, 8 or 16 at once
KEPT_AT_INPUT = 4  # convolutions nearest the input that are never pruned
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

    def aligned(self, name: str, ratio: float) -> float:
        """The nearest ratio that leaves a multiple of `ALIGNMENT` filters, at least one."""
        filters = self.filters[name]
        left = max(1, round(filters * (1 - ratio) / ALIGNMENT)) * ALIGNMENT
        return max(0.0, 1 - left / filters)


@dataclass(frozen=True)
class Choice:
    ratios: dict[str, float]
    budget: float  # accuracy that each group alone may lose, as a share
    macs: float  # share of the multiplications left
    parameters: float  # share of the parameters of inference left


def choose_ratios(groups: FilterGroups, losses: Losses, macs_goal: float, parameters_goal: float, max_ratio: float = 1.0) -> Choice:
    """Ratios by one accuracy budget for every group: the smallest that brings multiplications and parameters down to the goals.

    ``losses`` is {weight: {ratio: accuracy lost}}; no group loses more than ``max_ratio``. Raises UsageError where even that is not enough.
    """
    base_macs, base_parameters = cost(groups.net)
    budgets = sorted({max(loss, 0.0) for curve in losses.values() for loss in curve.values()})

    def choice(budget: float) -> Choice:
        ratios = {name: groups.aligned(name, min(max_ratio, ratio_within(losses[name], budget))) for name in losses}
        with groups.pruned(ratios):
            macs, parameters = cost(groups.net)
        return Choice(ratios, budget, macs / base_macs, parameters / base_parameters)

    def enough(choice: Choice) -> bool:
        return choice.macs <= macs_goal and choice.parameters <= parameters_goal

    return _first(budgets, choice, enough)


def _first(budgets: list[float], choice: Callable[[float], Choice], enough: Callable[[Choice], bool]) -> Choice:
    """By halving: the greater the budget, the less is left."""
    low, high = 0, len(budgets) - 1
    best = choice(budgets[high])
    if not enough(best):
        raise UsageError(
            f"the largest ratios measured leave {best.macs:.0%} of the multiplications and {best.parameters:.0%} of the parameters",
            "measure the sensitivity at larger ratios, or ask for less",
        )
    while low < high:
        middle = (low + high) // 2
        tried = choice(budgets[middle])
        if enough(tried):
            high, best = middle, tried
        else:
            low = middle + 1
    return best


def ratio_within(curve: Mapping[float, float], budget: float) -> float:
    """The largest ratio up to which the curve {ratio: loss} stays within the budget, between two measured ones by interpolation."""
    within, loss_within = 0.0, 0.0
    for ratio, loss in sorted(curve.items()):
        if loss > budget:
            return within + (ratio - within) * (budget - loss_within) / (loss - loss_within) if loss_within <= budget else within
        within, loss_within = ratio, loss
    return within


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
