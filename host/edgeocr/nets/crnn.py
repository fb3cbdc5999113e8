"""CRNN: the recogniser's neck and head (PaddleOCR's ``necks/rnn.py``, ``rec_ctc_head.py``)."""

from __future__ import annotations

import math

import paddle
import paddle.nn.functional as F
from paddle import Tensor, nn


class Im2Seq(nn.Layer):
    """[N,C,1,W] → [N,W,C]."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.out_channels = in_channels

    def forward(self, x: Tensor) -> Tensor:
        return x.squeeze(axis=2).transpose([0, 2, 1])


class EncoderWithRNN(nn.Layer):
    """Two bidirectional LSTM layers: [N,W,C] → [N,W,2·hidden_size]."""

    def __init__(self, in_channels: int, hidden_size: int) -> None:
        super().__init__()
        self.out_channels = hidden_size * 2
        self.lstm = nn.LSTM(in_channels, hidden_size, direction="bidirectional", num_layers=2)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.lstm(x)
        return y


class SequenceEncoder(nn.Layer):
    def __init__(self, in_channels: int, encoder_type: str = "rnn", hidden_size: int = 48) -> None:
        super().__init__()
        if encoder_type not in ("rnn", "reshape"):
            raise ValueError(f"encoder_type is {encoder_type!r}, expected 'rnn' or 'reshape'")
        self.encoder_reshape = Im2Seq(in_channels)
        self.out_channels = self.encoder_reshape.out_channels
        self.only_reshape = encoder_type == "reshape"
        if not self.only_reshape:
            self.encoder = EncoderWithRNN(self.out_channels, hidden_size)
            self.out_channels = self.encoder.out_channels

    def forward(self, x: Tensor) -> Tensor:
        x = self.encoder_reshape(x)
        return x if self.only_reshape else self.encoder(x)


class CTCHead(nn.Layer):
    """[N,W,C] → [N,W,out_channels]: logits in training, probabilities in inference. Class 0 is CTC's blank."""

    def __init__(self, in_channels: int, out_channels: int, fc_decay: float = 4e-4, mid_channels: int | None = None) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.mid_channels = mid_channels
        if mid_channels is None:
            self.fc = _linear(in_channels, out_channels, fc_decay)
        else:
            self.fc1 = _linear(in_channels, mid_channels, fc_decay)
            self.fc2 = _linear(mid_channels, out_channels, fc_decay)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.fc(x) if self.mid_channels is None else self.fc2(self.fc1(x))
        return logits if self.training else F.softmax(logits, axis=2)


def _linear(in_features: int, out_features: int, l2_decay: float) -> nn.Linear:
    bound = 1.0 / math.sqrt(in_features)

    def attr() -> paddle.ParamAttr:
        return paddle.ParamAttr(regularizer=paddle.regularizer.L2Decay(l2_decay), initializer=nn.initializer.Uniform(-bound, bound))

    return nn.Linear(in_features, out_features, weight_attr=attr(), bias_attr=attr())
