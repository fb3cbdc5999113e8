"""Our depthwise convolution against Paddle's, forwards and backwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from numpy.typing import NDArray

from edgeocr.train import depthwise
from edgeocr.train.depthwise import compiled, fast_depthwise

pytestmark = pytest.mark.paddle


@pytest.fixture(autouse=True)
def compiler() -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler: Paddle's own operator is used")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Any, ...]]]:
    """Calls of Paddle's own operator."""
    heard: list[tuple[Any, ...]] = []
    own = paddle._C_ops.depthwise_conv2d

    def listen(*arguments: Any) -> Any:
        heard.append(arguments)
        return own(*arguments)

    monkeypatch.setattr(paddle._C_ops, "depthwise_conv2d", listen)
    yield heard


def results(fast: bool, x: NDArray[Any], weight: NDArray[Any], **options: Any) -> list[NDArray[Any]]:
    """Output and gradients of the sum of its squares by x and weight."""
    given = paddle.to_tensor(x, stop_gradient=False)
    w = paddle.to_tensor(weight, stop_gradient=False)
    with fast_depthwise() if fast else nullcontext():
        y = F.conv2d(given, w, groups=x.shape[1], **options)
        (y * y).sum().backward()
    return [y.numpy(), given.grad.numpy(), w.grad.numpy()]


@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (3, 5), (1, 7)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("size", [(9, 17), (4, 40), (2, 5), (1, 1)])
def test_it_equals_paddles_own(kernel: tuple[int, int], stride: tuple[int, int], size: tuple[int, int], calls: list[Any]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 6, *size)).astype(np.float32)
    weight = rng.normal(size=(6, 1, *kernel)).astype(np.float32)
    options = {"stride": stride, "padding": [kernel[0] // 2, kernel[1] // 2]}
    fast = results(True, x, weight, **options)
    assert not calls
    for ours, theirs in zip(fast, results(False, x, weight, **options), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_no_padding_and_more_than_needed() -> None:
    rng = np.random.default_rng(1)
    x, weight = rng.normal(size=(2, 3, 8, 9)).astype(np.float32), rng.normal(size=(3, 1, 3, 3)).astype(np.float32)
    for padding in (0, 3):
        for ours, theirs in zip(results(True, x, weight, padding=padding), results(False, x, weight, padding=padding), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_strided_inputs_are_read_in_order() -> None:
    x = paddle.to_tensor(np.random.default_rng(2).normal(size=(2, 7, 6, 4)).astype(np.float32)).transpose([0, 3, 1, 2])
    weight = paddle.ones([4, 1, 3, 3])
    with fast_depthwise():
        ours = F.conv2d(x, weight, padding=1, groups=4)
    np.testing.assert_allclose(ours.numpy(), F.conv2d(x, weight, padding=1, groups=4).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", [{"dilation": 2}, {"padding": "SAME"}, {"padding": [1, 0, 1, 1]}])
def test_what_it_does_not_know_is_left_to_paddle(options: dict[str, Any], calls: list[Any]) -> None:
    results(True, np.ones((1, 2, 8, 8), np.float32), np.ones((2, 1, 3, 3), np.float32), **options)
    assert len(calls) == 1


def test_paddles_own_is_back_afterwards(calls: list[Any]) -> None:
    with pytest.raises(ZeroDivisionError), fast_depthwise():
        raise ZeroDivisionError
    F.conv2d(paddle.ones([1, 2, 4, 4]), paddle.ones([2, 1, 3, 3]), groups=2)
    assert len(calls) == 1


def test_without_a_compiler_paddle_computes(calls: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    compiled.cache_clear()
    try:
        results(True, np.ones((1, 2, 4, 4), np.float32), np.ones((2, 1, 3, 3), np.float32))
    finally:
        compiled.cache_clear()
    assert len(calls) == 1


def test_a_compiler_that_fails_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depthwise, "FLAGS", ("-no-such-flag",))
    monkeypatch.setattr(depthwise, "BUILD", tmp_path)
    compiled.cache_clear()
    try:
        assert compiled() is None
    finally:
        compiled.cache_clear()
