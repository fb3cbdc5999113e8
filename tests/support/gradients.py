"""A loss in Paddle and its gradient against a plain NumPy statement. For tests/paddle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import paddle
import pytest
from numpy.typing import NDArray

Array = NDArray[Any]
RATE = 1e-5  # of the central differences, in double


def value_and_gradient(loss: Callable[[paddle.Tensor], paddle.Tensor], x: Array) -> tuple[float, Array]:
    given = paddle.to_tensor(x.astype(np.float32), stop_gradient=False)
    value = loss(given)
    value.backward()
    return float(value), given.grad.numpy()


def central_differences(f: Callable[[Array], float], x: Array) -> Array:
    gradient = np.zeros_like(x)
    for at in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[at] = RATE
        gradient[at] = (f(x + step) - f(x - step)) / (2 * RATE)
    return gradient


def check(loss: Callable[[paddle.Tensor], paddle.Tensor], plain: Callable[[Array], float], x: Array) -> None:
    x = x.astype(np.float32).astype(np.float64)
    value, gradient = value_and_gradient(loss, x)
    assert value == pytest.approx(plain(x), rel=2e-5)
    np.testing.assert_allclose(gradient, central_differences(plain, x), rtol=2e-3, atol=2e-6)
