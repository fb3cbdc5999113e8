"""Quantisation-aware training with PACT: PaddleSlim's QAT with an activation clip of our own.

As published for PaddleOCR's slim models: weights 8 bit by channel_wise_abs_max, activations 8 bit by moving_average_abs_max, Conv2D and
Linear layers. The LSTM and the transposed convolutions stay fp32.
Choi et al.: PACT: Parameterized Clipping Activation for Quantized Neural Networks (2018).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddle import Tensor, nn
from paddle.nn.quant.quant_layers import FakeQuantMovingAverageAbsMax, MovingAverageAbsMaxScale

from edgeocr.nets.checkpoint import Array, load_state, read_pdparams
from edgeocr.nets.pruned import shrink_to

ALPHA = 20.0
WRAPPED = "._layer."  # what QAT puts into the names of the layers that it wraps
PREPROCESS = "._act_preprocess."  # of the α, which a net for export lacks

QAT_CONFIG: dict[str, Any] = {
    "weight_quantize_type": "channel_wise_abs_max",
    "activation_quantize_type": "moving_average_abs_max",
    "weight_bits": 8,
    "activation_bits": 8,
    "window_size": 10000,
    "moving_rate": 0.9,
    "quantizable_layer_type": ["Conv2D", "Linear"],
    "onnx_format": True,  # weights are stored as int8; opt and the engine take it, and the file is an eighth smaller
}


class PACT(nn.Layer):  # type: ignore[misc]
    """y = clip(x, −α, α) with a trained α. Both sides, for hardswish has negative values that a ReLU's clip would cut off."""

    l2_decay: float | None = None  # of α alone; None: that of the optimiser

    def __init__(self) -> None:
        super().__init__()
        regularizer = None if self.l2_decay is None else paddle.regularizer.L2Decay(self.l2_decay)
        attr = paddle.ParamAttr(initializer=nn.initializer.Constant(ALPHA), regularizer=regularizer)
        self.alpha = self.create_parameter(shape=[1], attr=attr, dtype="float32")

    def forward(self, x: Tensor) -> Tensor:
        return paddle.maximum(paddle.minimum(x, self.alpha), -self.alpha)


def quantise(net: nn.Layer, alpha_l2: float | None = None) -> nn.Layer:
    """``net`` itself, with fake quantisation and PACT in front of it, to be trained. ``alpha_l2`` is the L2 factor of every α."""
    for layer in net.sublayers():
        if isinstance(layer, nn.LSTM):
            layer._dropout_state = paddle.zeros([1], "uint8")  # QAT copies the net, and what is there now cannot be copied
    clip = type("PACT", (PACT,), {"l2_decay": alpha_l2})
    return _paddleslim_qat(act_preprocess=clip).quantize(net)


def quantise_for_export(net: nn.Layer) -> tuple[nn.Layer, Any]:
    """``net`` with fake quantisation but without PACT, and the QAT that saves it: the trained scales saturate where α clipped."""
    qat = _paddleslim_qat()
    with paddle.utils.unique_name.guard():  # the scales' names are written to the file: they must not depend on other nets
        return qat.quantize(net), qat


def holds_scales(state: Mapping[str, Array]) -> bool:
    """Are these the weights of a quantised net?"""
    return any(WRAPPED in name for name in state)


def load_quantised(net: nn.Layer, path: Path) -> tuple[nn.Layer, Any]:
    """The net of an architecture with the weights and scales of a quantised ``.pdparams`` file, pruned or not, and its QAT."""
    state = read_pdparams(path)
    shrink_to(net, {name.replace(WRAPPED, "."): array for name, array in state.items()}, source=str(path))
    quantised, qat = quantise_for_export(net)
    load_state(quantised, {name: array for name, array in state.items() if PREPROCESS not in name}, source=str(path))
    return quantised, qat


def freeze_batch_norms(net: nn.Layer) -> None:
    """From now on they normalise by the statistics that they have, in training too, and keep them. Their γ and β are trained."""
    for layer in net.sublayers():
        if isinstance(layer, nn.BatchNorm):
            layer._use_global_stats = True


def warm_scales(net: nn.Layer, batches: Iterable[Array]) -> None:
    """Activation scales, and every α that they exceed, from the net's own activations, before they are trained.

    The published start of α, 20, is for nets whose activations are smaller: the sums of a detector's pyramid reach hundreds, and a net that
    is cut off there finds nothing at first. The weights and batch norms stay as they are.
    """
    training = net.training
    net.eval()
    clipped = [layer for layer in net.sublayers() if isinstance(getattr(layer, "_act_preprocess", None), PACT)]
    for layer in clipped:
        layer._act_preprocess.alpha.set_value(np.array([np.finfo(np.float32).max], np.float32))
    for layer in net.sublayers():
        if isinstance(layer, (FakeQuantMovingAverageAbsMax, MovingAverageAbsMaxScale)):
            layer.train()
    with paddle.no_grad():
        for images in batches:
            net(paddle.to_tensor(images))
    for layer in clipped:
        seen = float(layer._fake_quant_input._scale.numpy().max())
        layer._act_preprocess.alpha.set_value(np.array([max(ALPHA, seen)], np.float32))
    net.train() if training else net.eval()


def _paddleslim_qat(**options: Any) -> Any:
    from paddleslim.dygraph.quant import QAT

    return QAT(config=QAT_CONFIG, **options)
