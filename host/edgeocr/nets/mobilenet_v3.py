"""MobileNetV3 as PaddleOCR's detectors, recognisers and direction classifiers use it.

Attribute names are PaddleOCR's (``det_mobilenet_v3.py``, ``rec_mobilenet_v3.py``), so that its checkpoints load by name; layers are
created in PaddleOCR's order, so that the parameters of its inference models load by number.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import paddle.nn.functional as F
from paddle import Tensor, nn

Activation = Literal["relu", "hardswish"]
Stride = int | tuple[int, int]


class Unit(NamedTuple):
    """One row of the paper's table, before scaling."""

    kernel: int
    expand: int
    out: int
    se: bool
    act: Activation
    stride: Stride


def make_divisible(v: float, divisor: int = 8, min_value: int | None = None) -> int:
    """The nearest multiple of ``divisor`` that is not more than 10 % below ``v``."""
    new_v = max(min_value or divisor, int(v + divisor / 2) // divisor * divisor)
    return new_v + divisor if new_v < 0.9 * v else new_v


class ConvBNLayer(nn.Layer):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: Stride,
        padding: int,
        groups: int = 1,
        act: Activation | None = None,
    ) -> None:
        super().__init__()
        self.act = act
        self.conv = nn.Conv2D(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias_attr=False)
        self.bn = nn.BatchNorm(out_channels, act=None)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        if self.act == "relu":
            return F.relu(x)
        if self.act == "hardswish":
            return F.hardswish(x)
        return x


class SEModule(nn.Layer):
    """Squeeze and excitation; PaddleOCR's gate is hard_sigmoid with slope 0.2, not the 1/6 of other implementations."""

    def __init__(self, in_channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2D(1)
        self.conv1 = nn.Conv2D(in_channels, in_channels // reduction, 1)
        self.conv2 = nn.Conv2D(in_channels // reduction, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = F.relu(self.conv1(self.avg_pool(x)))
        return x * F.hardsigmoid(self.conv2(gate), slope=0.2, offset=0.5)


class ResidualUnit(nn.Layer):
    def __init__(self, in_channels: int, mid_channels: int, out_channels: int, unit: Unit) -> None:
        super().__init__()
        self.if_shortcut = unit.stride == 1 and in_channels == out_channels
        self.if_se = unit.se
        self.expand_conv = ConvBNLayer(in_channels, mid_channels, 1, 1, 0, act=unit.act)
        self.bottleneck_conv = ConvBNLayer(
            mid_channels, mid_channels, unit.kernel, unit.stride, (unit.kernel - 1) // 2, groups=mid_channels, act=unit.act
        )
        if unit.se:
            self.mid_se = SEModule(mid_channels)
        self.linear_conv = ConvBNLayer(mid_channels, out_channels, 1, 1, 0)

    def forward(self, inputs: Tensor) -> Tensor:
        x = self.bottleneck_conv(self.expand_conv(inputs))
        if self.if_se:
            x = self.mid_se(x)
        x = self.linear_conv(x)
        return inputs + x if self.if_shortcut else x


class DetMobileNetV3(nn.Layer):
    """The detector's backbone: x [N,3,H,W] → four maps at 1/4, 1/8, 1/16, 1/32 of the size; ``out_channels`` lists their channels."""

    def __init__(self, in_channels: int = 3, model_name: str = "large", scale: float = 0.5, disable_se: bool = False) -> None:
        super().__init__()
        units, squeeze = _det_units(model_name)
        channels = make_divisible(16 * scale)
        self.conv = ConvBNLayer(in_channels, channels, 3, 2, 1, act="hardswish")
        self.out_channels: list[int] = []
        self.stages: list[nn.Sequential] = []
        blocks: list[nn.Layer] = []
        first_cut = 2 if model_name == "large" else 0
        for i, unit in enumerate(units):
            if unit.stride == 2 and i > first_cut:
                self.out_channels.append(channels)
                self.stages.append(nn.Sequential(*blocks))
                blocks = []
            out = make_divisible(scale * unit.out)
            blocks.append(ResidualUnit(channels, make_divisible(scale * unit.expand), out, unit._replace(se=unit.se and not disable_se)))
            channels = out
        self.out_channels.append(make_divisible(scale * squeeze))
        blocks.append(ConvBNLayer(channels, self.out_channels[-1], 1, 1, 0, act="hardswish"))
        self.stages.append(nn.Sequential(*blocks))
        for i, stage in enumerate(self.stages):
            self.add_sublayer(f"stage{i}", stage)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.conv(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class RecMobileNetV3(nn.Layer):
    """The backbone of recognisers and classifiers: x [N,3,H,W] → [N,out_channels,H/32,W/4] (small_stride 1,2,2,2 and H 32: one row).

    ``small_stride`` and ``large_stride`` give the row strides of the four stages; columns keep their width after the stem.
    ``first_shortcut`` adds a shortcut around the first unit of "small" where its stride is 1. PaddleOCR's recognisers have none there:
    (1, 1) is not 1 to it. Weights of this project are trained with it.
    """

    def __init__(
        self,
        in_channels: int = 3,
        model_name: str = "small",
        scale: float = 0.5,
        large_stride: list[int] | None = None,
        small_stride: list[int] | None = None,
        disable_se: bool = False,
        first_shortcut: bool = False,
    ) -> None:
        super().__init__()
        strides = (small_stride if model_name == "small" else large_stride) or [1 if model_name == "large" else 2, 2, 2, 2]
        if len(strides) != 4:
            raise ValueError(f"{model_name}_stride has {len(strides)} entries, expected 4")
        units, squeeze = _rec_units(model_name, strides)
        if first_shortcut and units[0].stride == (1, 1):
            units[0] = units[0]._replace(stride=1)
        channels = make_divisible(16 * scale)
        self.conv1 = ConvBNLayer(in_channels, channels, 3, 2, 1, act="hardswish")
        blocks = []
        for unit in units:
            out = make_divisible(scale * unit.out)
            blocks.append(ResidualUnit(channels, make_divisible(scale * unit.expand), out, unit._replace(se=unit.se and not disable_se)))
            channels = out
        self.blocks = nn.Sequential(*blocks)
        self.out_channels = make_divisible(scale * squeeze)
        self.conv2 = ConvBNLayer(channels, self.out_channels, 1, 1, 0, act="hardswish")
        self.pool = nn.MaxPool2D(kernel_size=2, stride=2, padding=0)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.conv2(self.blocks(self.conv1(x))))


def _large(s: list[Stride]) -> list[Unit]:
    """The large table with the strides of its four down-sampling units."""
    return [
        Unit(3, 16, 16, False, "relu", s[0]),
        Unit(3, 64, 24, False, "relu", s[1]),
        Unit(3, 72, 24, False, "relu", 1),
        Unit(5, 72, 40, True, "relu", s[2]),
        Unit(5, 120, 40, True, "relu", 1),
        Unit(5, 120, 40, True, "relu", 1),
        Unit(3, 240, 80, False, "hardswish", 1),
        Unit(3, 200, 80, False, "hardswish", 1),
        Unit(3, 184, 80, False, "hardswish", 1),
        Unit(3, 184, 80, False, "hardswish", 1),
        Unit(3, 480, 112, True, "hardswish", 1),
        Unit(3, 672, 112, True, "hardswish", 1),
        Unit(5, 672, 160, True, "hardswish", s[3]),
        Unit(5, 960, 160, True, "hardswish", 1),
        Unit(5, 960, 160, True, "hardswish", 1),
    ]


def _small(s: list[Stride]) -> list[Unit]:
    return [
        Unit(3, 16, 16, True, "relu", s[0]),
        Unit(3, 72, 24, False, "relu", s[1]),
        Unit(3, 88, 24, False, "relu", 1),
        Unit(5, 96, 40, True, "hardswish", s[2]),
        Unit(5, 240, 40, True, "hardswish", 1),
        Unit(5, 240, 40, True, "hardswish", 1),
        Unit(5, 120, 48, True, "hardswish", 1),
        Unit(5, 144, 48, True, "hardswish", 1),
        Unit(5, 288, 96, True, "hardswish", s[3]),
        Unit(5, 576, 96, True, "hardswish", 1),
        Unit(5, 576, 96, True, "hardswish", 1),
    ]


def _det_units(model_name: str) -> tuple[list[Unit], int]:
    if model_name == "large":
        units = _large([1, 2, 2, 2])
        units[6] = units[6]._replace(stride=2)  # the classifier's fifth halving, which the recogniser leaves out
        return units, 960
    if model_name == "small":
        return _small([2, 2, 2, 2]), 576
    raise ValueError(f"model_name is {model_name!r}, expected 'large' or 'small'")


def _rec_units(model_name: str, row_strides: list[int]) -> tuple[list[Unit], int]:
    rows: list[Stride] = [(s, 1) for s in row_strides]
    if model_name == "large":
        return _large([row_strides[0], *rows[1:]]), 960
    if model_name == "small":
        return _small(rows), 576
    raise ValueError(f"model_name is {model_name!r}, expected 'large' or 'small'")
