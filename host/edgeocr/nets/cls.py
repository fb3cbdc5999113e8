"""The direction classifier's head (PaddleOCR's ``cls_head.py``)."""

from __future__ import annotations

import math

import paddle
import paddle.nn.functional as F
from paddle import Tensor, nn


class ClsHead(nn.Layer):
    """[N,C,h,w] → [N,class_dim]: logits in training, probabilities in inference. Class 1 of two means turned by 180°."""

    def __init__(self, in_channels: int, class_dim: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        bound = 1.0 / math.sqrt(in_channels)
        self.fc = nn.Linear(in_channels, class_dim, weight_attr=paddle.ParamAttr(initializer=nn.initializer.Uniform(-bound, bound)))

    def forward(self, x: Tensor) -> Tensor:
        logits = self.fc(paddle.reshape(self.pool(x), [0, -1]))  # 0: the batch, whatever it is
        return logits if self.training else F.softmax(logits, axis=1)
