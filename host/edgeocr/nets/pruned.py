"""Nets with fewer channels than their architecture says: the weights' own shapes tell how many are left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import paddle
from paddle import nn

from edgeocr.errors import ModelError
from edgeocr.nets.checkpoint import Array, load_state, read_pdparams


def shrink_to(net: nn.Layer, state: Mapping[str, Array], *, source: str) -> None:
    """Gives the parameters of ``net`` the shapes that ``state`` has for them; values come by `load_state`.

    Only channels can be fewer: raises ModelError naming ``source`` for a shape that no pruning of the net gives.
    """
    for prefix, layer in net.named_sublayers(include_self=True):
        resized = False
        for name, parameter in layer.named_parameters(prefix=prefix, include_sublayers=False):
            if name in state and list(state[name].shape) != list(parameter.shape):
                _check(name, list(parameter.shape), list(state[name].shape), source)
                parameter.get_tensor().set(np.zeros(state[name].shape, np.float32), paddle.framework._current_expected_place())
                resized = True
        if resized and isinstance(layer, nn.Conv2D):
            _adjust(layer)


def load_pruned_checkpoint(net: nn.Layer, path: Path) -> None:
    """Loads a ``.pdparams`` file of a pruned net into the net of its architecture. Raises ModelError."""
    state = read_pdparams(path)
    shrink_to(net, state, source=str(path))
    load_state(net, state, source=str(path))


def _check(name: str, full: list[int], pruned: list[int], source: str) -> None:
    fits = len(full) == len(pruned) and full[2:] == pruned[2:] and all(0 < p <= f for p, f in zip(pruned, full, strict=True))
    if not fits:
        raise ModelError(
            f"{source}: {name} is {pruned}, expected {full} or fewer channels", "check that architecture and weights belong together"
        )


def _adjust(conv: nn.Conv2D) -> None:
    """A convolution computes by its weight's shape, but for the number of groups. Only depthwise ones have several here."""
    filters = conv.weight.shape[0]
    if conv._groups > 1:
        conv._groups = filters
        conv._in_channels = filters
    else:
        conv._in_channels = conv.weight.shape[1]
    conv._out_channels = filters
