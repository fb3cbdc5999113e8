"""The net that a configuration describes."""

from __future__ import annotations

import paddle

from edgeocr.nets.base_model import BaseModel, build_model
from edgeocr.nets.checkpoint import load_checkpoint
from edgeocr.train.config import TrainConfig


def described_net(config: TrainConfig) -> BaseModel:
    """With the pre-trained weights that the configuration names, or else with initial weights by its seed. Raises ModelError."""
    paddle.seed(config.Global.seed)
    with paddle.utils.unique_name.guard():
        net = build_model(config.Architecture)
    if config.Global.pretrained_model is not None:
        load_checkpoint(net, config.Global.pretrained_model)
    return net
