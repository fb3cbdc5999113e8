"""The net that a configuration describes."""

from __future__ import annotations

from pathlib import Path

import paddle

from edgeocr.nets.base_model import BaseModel, build_model
from edgeocr.nets.checkpoint import load_checkpoint
from edgeocr.train.config import TrainConfig


def described_net(config: TrainConfig, weights: Path | None = None) -> BaseModel:
    """With ``weights``, or the pre-trained ones that the configuration names, or initial ones by its seed. Raises ModelError."""
    paddle.seed(config.Global.seed)
    with paddle.utils.unique_name.guard():
        net = build_model(config.Architecture)
    weights = weights or config.Global.pretrained_model
    if weights is not None:
        load_checkpoint(net, weights)
    return net
