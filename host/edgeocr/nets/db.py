"""Differentiable binarisation: the detector's neck and head (PaddleOCR's ``db_fpn.py``, ``det_db_head.py``)."""

from __future__ import annotations

import math

import paddle
import paddle.nn.functional as F
from paddle import Tensor, nn


def _kaiming() -> paddle.ParamAttr:
    return paddle.ParamAttr(initializer=nn.initializer.KaimingUniform())


def _uniform(fan_in: int) -> paddle.ParamAttr:
    bound = 1.0 / math.sqrt(fan_in)
    return paddle.ParamAttr(initializer=nn.initializer.Uniform(-bound, bound))


class DBFPN(nn.Layer):
    """Four maps at 1/4 … 1/32 → one map [N,out_channels,H/4,W/4]."""

    def __init__(self, in_channels: list[int], out_channels: int) -> None:
        super().__init__()
        self.out_channels = out_channels
        for i, channels in enumerate(in_channels, start=2):
            setattr(self, f"in{i}_conv", nn.Conv2D(channels, out_channels, 1, weight_attr=_kaiming(), bias_attr=False))
        for i in (5, 4, 3, 2):
            conv = nn.Conv2D(out_channels, out_channels // 4, 3, padding=1, weight_attr=_kaiming(), bias_attr=False)
            setattr(self, f"p{i}_conv", conv)

    def forward(self, x: list[Tensor]) -> Tensor:
        c2, c3, c4, c5 = x
        in5 = self.in5_conv(c5)
        out4 = self.in4_conv(c4) + _upsample(in5, 2)
        out3 = self.in3_conv(c3) + _upsample(out4, 2)
        out2 = self.in2_conv(c2) + _upsample(out3, 2)
        p5 = _upsample(self.p5_conv(in5), 8)
        p4 = _upsample(self.p4_conv(out4), 4)
        p3 = _upsample(self.p3_conv(out3), 2)
        return paddle.concat([p5, p4, p3, self.p2_conv(out2)], axis=1)


def _upsample(x: Tensor, factor: int) -> Tensor:
    return F.upsample(x, scale_factor=factor, mode="nearest", align_mode=1)


class Head(nn.Layer):
    """[N,C,H/4,W/4] → [N,1,H,W] in 0…1, by two transposed convolutions."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        mid = in_channels // 4
        self.conv1 = nn.Conv2D(in_channels, mid, 3, padding=1, bias_attr=False)
        self.conv_bn1 = _batch_norm_relu(mid)
        self.conv2 = nn.Conv2DTranspose(mid, mid, 2, stride=2, weight_attr=_kaiming(), bias_attr=_uniform(mid))
        self.conv_bn2 = _batch_norm_relu(mid)
        self.conv3 = nn.Conv2DTranspose(mid, 1, 2, stride=2, weight_attr=_kaiming(), bias_attr=_uniform(mid))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_bn1(self.conv1(x))
        x = self.conv_bn2(self.conv2(x))
        return F.sigmoid(self.conv3(x))


def _batch_norm_relu(channels: int) -> nn.BatchNorm:
    return nn.BatchNorm(
        channels,
        param_attr=paddle.ParamAttr(initializer=nn.initializer.Constant(1.0)),
        bias_attr=paddle.ParamAttr(initializer=nn.initializer.Constant(1e-4)),
        act="relu",
    )


class DBHead(nn.Layer):
    """Training: {"maps": [N,3,H,W]} = shrink, threshold and binary maps. Inference: {"maps": [N,1,H,W]}, the shrink map."""

    def __init__(self, in_channels: int, k: int = 50) -> None:
        super().__init__()
        self.k = k
        self.binarize = Head(in_channels)
        self.thresh = Head(in_channels)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        shrink = self.binarize(x)
        if not self.training:
            return {"maps": shrink}
        threshold = self.thresh(x)
        binary = paddle.reciprocal(1 + paddle.exp(-self.k * (shrink - threshold)))
        return {"maps": paddle.concat([shrink, threshold, binary], axis=1)}
