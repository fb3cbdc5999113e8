"""PACT against a plain NumPy statement, and quantised nets from training to export."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
from paddle.nn.quant.quant_layers import QuantizedConv2D, QuantizedLinear
from paddle_nets import Array, architecture, lines, our_net, page

from edgeocr.compress.pact import PACT, freeze_batch_norms, holds_scales, load_quantised, quantise, warm_scales
from edgeocr.convert import export
from edgeocr.convert.export import export_quantised_model
from edgeocr.errors import ModelError
from edgeocr.nets.base_model import build_model
from edgeocr.nets.checkpoint import read_pdparams
from edgeocr.train.checkpoint import save_weights

pytestmark = pytest.mark.paddle


def clip(x: Array, alpha: float) -> Array:
    return np.minimum(np.maximum(x, -alpha), alpha)


def clip_gradients(x: Array, alpha: float, dy: Array) -> tuple[Array, float]:
    """Of x and α: what is clipped moves with α, up or down; what is not moves with x."""
    dx = np.where(np.abs(x) < alpha, dy, 0)
    dalpha = dy[x > alpha].sum() - dy[x < -alpha].sum()
    return dx.astype(np.float32), float(dalpha)


@pytest.mark.parametrize("alpha", [0.5, 1.7, 20.0])
def test_value_and_gradients_are_those_of_the_clip(alpha: float) -> None:
    rng = np.random.default_rng(3)
    x, dy = (rng.normal(0, 2, (2, 3, 4, 5)).astype(np.float32) for _ in range(2))
    layer = PACT()
    layer.alpha.set_value(np.array([alpha], np.float32))
    given = paddle.to_tensor(x, stop_gradient=False)
    y = layer(given)
    paddle.autograd.backward([y], [paddle.to_tensor(dy)])
    dx, dalpha = clip_gradients(x, alpha, dy)
    np.testing.assert_array_equal(y.numpy(), clip(x, alpha))
    np.testing.assert_array_equal(given.grad.numpy(), dx)
    np.testing.assert_allclose(layer.alpha.grad.numpy(), [dalpha], rtol=1e-5, atol=1e-6)


def test_alpha_starts_at_20_and_has_its_own_l2() -> None:
    net = quantise(our_net("det"), alpha_l2=1e-4)
    clips = [layer for layer in net.sublayers() if isinstance(layer, PACT)]
    assert len(clips) == 57
    assert {float(layer.alpha) for layer in clips} == {20.0}
    assert {layer.alpha.regularizer._coeff for layer in clips} == {1e-4}
    assert {layer.alpha.regularizer for layer in quantise(our_net("rec")).sublayers() if isinstance(layer, PACT)} == {None}


def test_lstm_and_transposed_convolutions_stay_fp32() -> None:
    detector, recogniser = quantise(our_net("det")), quantise(our_net("rec"))
    assert sum(isinstance(layer, QuantizedConv2D) for layer in detector.sublayers()) == 57
    assert sum(isinstance(layer, paddle.nn.Conv2DTranspose) for layer in detector.sublayers()) == 4
    assert [layer.weight.shape for layer in recogniser.sublayers() if isinstance(layer, QuantizedLinear)] == [[96, 96]]
    assert not any("lstm" in name and "quant" in name for name in recogniser.state_dict())


def test_warming_sets_the_scales_and_nothing_else() -> None:
    net = quantise(our_net("rec"))
    before = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    net.train()
    warm_scales(net, [lines(160, 2)] * 3)
    assert net.training
    changed = {name for name, tensor in net.state_dict().items() if not np.array_equal(tensor.numpy(), before[name])}
    kinds = {name.rpartition("._")[0].rpartition(".")[2] for name in changed}
    assert kinds == {"_fake_quant_input", "_fake_quant_weight", "_ma_output_scale"}


def test_warming_raises_the_alphas_that_the_activations_exceed() -> None:
    net = quantise(our_net("rec"))
    pairs = [
        (layer._act_preprocess.alpha, layer._fake_quant_input._scale) for layer in net.sublayers() if hasattr(layer, "_act_preprocess")
    ]
    warm_scales(net, [lines(160, 2) * 200])
    alphas, seen = (np.array([float(pair[k]) for pair in pairs]) for k in (0, 1))
    np.testing.assert_array_equal(alphas, np.maximum(seen, 20))
    assert (alphas > 20).any() and (alphas == 20).any()


def test_frozen_batch_norms_keep_their_statistics_and_use_them() -> None:
    net, x = quantise(our_net("det")), paddle.to_tensor(page("page_sign", 64, 96))
    warm_scales(net, [x.numpy()])
    freeze_batch_norms(net)
    statistics = {name: tensor.numpy() for name, tensor in net.state_dict().items() if name.endswith(("._mean", "._variance"))}
    expected = net(x).numpy()
    net.train()
    for layer in net.sublayers():
        if "FakeQuant" in type(layer).__name__:
            layer.eval()  # they would follow the activations
    maps = net(x)["maps"]
    np.testing.assert_allclose(maps[:, :1].numpy(), expected, atol=1e-5)
    maps.sum().backward()
    norms = [layer for layer in net.sublayers() if isinstance(layer, paddle.nn.BatchNorm)]
    assert len(norms) == 51 and all(layer.weight.grad is not None for layer in norms)
    for name, before in statistics.items():
        np.testing.assert_array_equal(net.state_dict()[name].numpy(), before, err_msg=name)


@pytest.fixture(scope="module", params=["det", "rec"])
def warmed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Array, Array]:
    """A net's name, its quantised weights, an input and the output with PACT."""
    name = request.param
    x = page("page_sign", 96, 160) if name == "det" else lines(160, 2)
    net = quantise(our_net(name))
    warm_scales(net, [x] * 3)
    file = tmp_path_factory.mktemp("quantised") / f"{name}.pdparams"
    save_weights(net, file)
    with paddle.no_grad():
        return name, file, x, net(paddle.to_tensor(x)).numpy()


def empty(name: str) -> paddle.nn.Layer:
    with paddle.utils.unique_name.guard():
        return build_model(architecture(name))


def test_without_pact_the_output_is_the_same(warmed: tuple[str, Path, Array, Array]) -> None:
    name, file, x, expected = warmed
    net, _ = load_quantised(empty(name), file)
    net.eval()
    with paddle.no_grad():
        np.testing.assert_allclose(net(paddle.to_tensor(x)).numpy(), expected, atol=1e-6)


def test_two_exports_have_the_same_bytes(warmed: tuple[str, Path, Array, Array], tmp_path: Path) -> None:
    name, file, _, _ = warmed
    shape = [None, 3, None, None] if name == "det" else [None, 3, 32, None]
    first = export_quantised_model(empty(name), file, shape, tmp_path / "first")
    our_net("rec")  # what else the process has built counts for nothing
    second = export_quantised_model(empty(name), file, shape, tmp_path / "second")
    for suffix in (".pdmodel", ".pdiparams"):
        assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()


def test_weights_tell_whether_they_are_quantised(warmed: tuple[str, Path, Array, Array]) -> None:
    name, file, _, _ = warmed
    assert holds_scales(read_pdparams(file))
    assert not holds_scales({key: tensor.numpy() for key, tensor in our_net(name).state_dict().items()})


def test_an_export_that_is_not_told_finds_out(warmed: tuple[str, Path, Array, Array], tmp_path: Path) -> None:
    name, file, _, _ = warmed
    shape = [None, 3, None, None] if name == "det" else [None, 3, 32, None]
    told = export_quantised_model(empty(name), file, shape, tmp_path / "told")
    (tmp_path / "spec.json").write_text(json.dumps({"architecture": architecture(name), "weights": str(file), "input": shape}))
    export.main([str(tmp_path / "spec.json"), str(tmp_path / "found out")])
    for suffix in (".pdmodel", ".pdiparams"):
        assert (tmp_path / "found out" / "inference").with_suffix(suffix).read_bytes() == told.with_suffix(suffix).read_bytes()


def test_weights_of_an_unquantised_net_are_refused(tmp_path: Path) -> None:
    save_weights(our_net("rec"), tmp_path / "rec.pdparams")
    with pytest.raises(ModelError, match=r"rec\.pdparams: does not fit the net; missing: "):
        load_quantised(empty("rec"), tmp_path / "rec.pdparams")
