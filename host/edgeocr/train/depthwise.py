"""Depthwise convolutions on a CPU, faster than Paddle's.

Paddle 2.6 computes them on the CPU channel by channel without vector instructions: more than half of a training's time on these nets. Here
a page of C does it, compiled at first use by the machine's C compiler. Where there is none, or for anything but plain float32 on the
CPU, Paddle's own operator is called.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import paddle
from paddle import Tensor
from paddle.autograd import PyLayer

from edgeocr.paths import BUILD

SOURCE = Path(__file__).with_name("depthwise.c")
FLAGS = ("-O3", "-march=native", "-fopenmp", "-shared", "-fPIC")


class Shape(ctypes.Structure):
    """As in depthwise.c."""

    _fields_ = [(name, ctypes.c_int) for name in ("n", "c", "h", "w", "oh", "ow", "kh", "kw", "sh", "sw", "ph", "pw")]

    @classmethod
    def of(cls, x: Tensor, weight: Tensor, stride: Sequence[int], padding: Sequence[int]) -> Shape:
        n, c, h, w = x.shape
        kh, kw = weight.shape[2:]
        oh = (h + 2 * padding[0] - kh) // stride[0] + 1
        ow = (w + 2 * padding[1] - kw) // stride[1] + 1
        return cls(n, c, h, w, oh, ow, kh, kw, *stride, *padding)


@contextmanager
def fast_depthwise() -> Iterator[None]:
    """Dygraph's depthwise convolutions are computed here while it lasts, those inside of quantised layers too."""
    kernels = compiled()
    if kernels is None:
        yield
        return
    paddles_own = paddle._C_ops.depthwise_conv2d
    paddle._C_ops.depthwise_conv2d = _replacement(kernels, paddles_own)
    try:
        yield
    finally:
        paddle._C_ops.depthwise_conv2d = paddles_own


@cache
def compiled() -> ctypes.CDLL | None:
    """The compiled page, or None without a C compiler that takes it. Kept in build/, by source, flags and processor."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return None
    library = BUILD / "native" / f"depthwise-{_fingerprint()}.so"
    if not library.is_file() and not _compile(compiler, library):
        return None
    return ctypes.CDLL(str(library))


def _fingerprint() -> str:
    """-march=native makes the library one of this kind of processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    processor = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256("\n".join([SOURCE.read_text(), *FLAGS, processor]).encode()).hexdigest()[:16]


def _compile(compiler: str, library: Path) -> bool:
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        made = Path(scratch) / library.name
        done = subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(made)], capture_output=True)
        if done.returncode == 0:
            os.replace(made, library)
        return done.returncode == 0


def _replacement(kernels: ctypes.CDLL, paddles_own: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """With the parameters of ``paddle._C_ops.depthwise_conv2d``."""

    def depthwise_conv2d(
        x: Tensor,
        weight: Tensor,
        stride: Sequence[int],
        padding: Sequence[int],
        padding_algorithm: str,
        groups: int,
        dilation: Sequence[int],
        data_format: str,
    ) -> Tensor:
        plain = (
            x.place.is_cpu_place()
            and x.dtype == weight.dtype == paddle.float32
            and padding_algorithm == "EXPLICIT"
            and len(padding) == 2
            and x.shape[1] == weight.shape[0] == groups
            and list(dilation) == [1, 1]
            and data_format == "NCHW"
        )
        if not plain:
            return paddles_own(x, weight, stride, padding, padding_algorithm, groups, dilation, data_format)
        return _DepthwiseConv2D.apply(x, weight, Shape.of(x, weight, stride, padding), kernels)

    return depthwise_conv2d


class _DepthwiseConv2D(PyLayer):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, shape: Shape, kernels: ctypes.CDLL) -> Tensor:
        x, weight = x.contiguous(), weight.contiguous()
        ctx.save_for_backward(x, weight)
        ctx.shape, ctx.kernels = shape, kernels
        y = paddle.empty([shape.n, shape.c, shape.oh, shape.ow], "float32")
        kernels.depthwise_forward(ctypes.byref(shape), _address(x), _address(weight), _address(y))
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensor()
        dy = dy.contiguous()
        dx, dw = paddle.zeros_like(x), paddle.zeros_like(weight)
        shape = ctypes.byref(ctx.shape)
        ctx.kernels.depthwise_input_gradient(shape, _address(dy), _address(weight), _address(dx))
        ctx.kernels.depthwise_weight_gradient(shape, _address(x), _address(dy), _address(dw))
        return dx, dw


def _address(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())
