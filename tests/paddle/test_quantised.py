"""Quantised nets in the engine against their fake quantisation in Paddle, by way of opt. The scales are warmed, not trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import paddle
import pytest
from paddle_nets import Array, architecture, lines, our_net, page

from edgeocr.compress.pact import quantise, warm_scales
from edgeocr.convert import opt
from edgeocr.convert.export import export_quantised_model
from edgeocr.convert.nbfile import read
from edgeocr.nets.base_model import build_model
from edgeocr.train.checkpoint import save_weights
from edgeocr.zoo.build import read_set

pytestmark = pytest.mark.paddle

# Ties fall either way in fp32 and int8 arithmetic, and a net amplifies one step of a scale where it is in doubt: the mean is bounded, and
# what is read must be the same.
MEAN_BOUND = 1e-3
FP32_OPERATORS = {"det": Counter(conv2d_transpose=2), "rec": Counter(rnn=1)}
Engine = Callable[[Path, Array], Array]


class Converted(NamedTuple):
    net: str
    nb: Path
    x: Array
    expected: Array


@pytest.fixture(scope="module", params=["det", "rec"])
def converted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Converted:
    name, folder = request.param, tmp_path_factory.mktemp("quantised")
    x = page("page_sign", 256, 320) if name == "det" else lines(320, count=3)
    net = quantise(our_net(name))
    warm_scales(net, [x] * 10)
    net.eval()
    with paddle.no_grad():
        expected = net(paddle.to_tensor(x)).numpy()
    save_weights(net, folder / "net.pdparams")
    with paddle.utils.unique_name.guard():
        empty = build_model(architecture(name))
    prefix = export_quantised_model(empty, folder / "net.pdparams", read_set("edgeocr_en").nets("none")[name].input, folder / name)
    return Converted(name, opt.convert(prefix, folder / f"{name}.nb").path, x, expected)


def test_the_engine_computes_what_the_training_saw(converted: Converted, engine_output: Engine) -> None:
    engine, expected = engine_output(converted.nb, converted.x), converted.expected
    assert np.abs(engine - expected).mean() <= MEAN_BOUND
    if converted.net == "det":
        text = expected > 0.3
        assert text.sum() > 1000
        assert (text & (engine > 0.3)).sum() / (text | (engine > 0.3)).sum() > 0.99
    else:
        np.testing.assert_array_equal(engine.argmax(2), expected.argmax(2))


def test_weights_are_int8_but_for_lstm_and_transposed_convolutions(converted: Converted) -> None:
    model = read(converted.nb)
    kernels = {kind: {o.kernel[2] for o in model.operators if o.type == kind} for kind in ("conv2d", "depthwise_conv2d", "fc")}
    assert all(precisions <= {"int8"} for precisions in kernels.values()), kernels
    assert kernels["conv2d"] == {"int8"}
    found = Counter(operator.type for operator in model.operators if operator.type in FP32_OPERATORS[converted.net])
    assert found == FP32_OPERATORS[converted.net]
