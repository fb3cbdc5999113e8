"""A quantised net → a Paddle inference model with int8 weights and activation scales, as Paddle-Lite's opt takes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paddle
from paddle import nn
from paddle.static import InputSpec


def save_quantised(net: nn.Layer, qat: Any, input_shape: Sequence[int | None], prefix: Path, input_name: str) -> None:
    """Writes ``prefix``.pdmodel and .pdiparams. ``net`` and ``qat`` are those of `pact.load_quantised`."""
    net.eval()
    dynamic = paddle.in_dynamic_mode()
    qat.save_quantized_model(net, str(prefix), input_spec=[InputSpec(list(input_shape), "float32", name=input_name)])
    if dynamic:
        paddle.disable_static()
