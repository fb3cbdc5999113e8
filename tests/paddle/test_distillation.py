"""The losses against a teacher: values and gradients against NumPy, and what a training makes of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from gradients import check
from numpy.typing import NDArray
from paddle_nets import architecture, noise, our_net

from edgeocr.compress.fpgm import FilterGroups
from edgeocr.errors import ModelError, UsageError
from edgeocr.nets.base_model import BaseModel, build_model
from edgeocr.nets.pruned import load_pruned_checkpoint
from edgeocr.paths import MODELS
from edgeocr.train.checkpoint import write_arrays
from edgeocr.train.config import DistillationConfig, TrainConfig, config_of
from edgeocr.train.distillation import Distillation, kl_of_classes, kl_of_maps, relative_error

pytestmark = pytest.mark.paddle

EXPAND = "backbone.stage3.1.expand_conv.conv.weight"


def tensor(x: NDArray[Any]) -> paddle.Tensor:
    return paddle.to_tensor(x.astype(np.float32))


def test_relative_error() -> None:
    rng = np.random.default_rng(1)
    student, taught = rng.normal(size=(2, 3, 2, 2)), 40 * rng.normal(size=(2, 3, 2, 2))
    check(
        lambda x: relative_error(x, tensor(taught)),
        lambda x: float(((x - taught.astype(np.float32)) ** 2).mean() / (taught**2).mean()),
        student,
    )


@pytest.mark.parametrize("most", [0.99, 0.011])
def test_kl_of_maps(most: float) -> None:
    """Where the teacher sees next to no text, too."""
    rng = np.random.default_rng(2)
    maps, taught = rng.uniform(0.05, 0.95, (2, 3, 10, 20)), rng.uniform(1e-4, most, (2, 1, 10, 20)).astype(np.float32)

    def plain(x: NDArray[Any]) -> float:
        s, t = x[:, :1], taught.astype(np.float64)
        divergence = t * np.log(t / s) + (1 - t) * np.log((1 - t) / (1 - s))
        return float(divergence.sum() / max(t.sum() + 1, 4))

    check(lambda x: kl_of_maps({"maps": x}, tensor(taught)), plain, maps)


def test_kl_of_classes() -> None:
    rng = np.random.default_rng(3)
    logits, taught = rng.normal(size=(2, 3, 4)), rng.dirichlet(np.ones(4), (2, 3))

    def plain(x: NDArray[Any]) -> float:
        shifted = x - x.max(axis=-1, keepdims=True)
        log_softmax = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return float((taught * (np.log(taught + 1e-6) - log_softmax)).sum(axis=-1).mean())

    check(lambda x: kl_of_classes(x, tensor(taught)), plain, logits)


def config(name: str, **factors: float) -> TrainConfig:
    return config_of(
        {
            "Global": {"iterations": 1, "character_dict_path": "keys.txt"},
            "Architecture": architecture(name),
            "Loss": {"name": {"det": "DBLoss", "rec": "CTCLoss"}[name]},
            "Distillation": {"pretrained_model": str(MODELS / "edgeocr_en" / f"{name}.pdparams"), **factors},
            "Train": {"label_file_list": ["labels.txt"], "image_shape": [3, 32, 64], "batch_size_per_card": 1},
        },
        source="test",
        folder=Path.cwd(),
    )


def parts(net: BaseModel, config: TrainConfig, images: paddle.Tensor) -> dict[str, float]:
    net.train()
    distillation = Distillation(net, config)
    return {name: float(value) for name, value in distillation(net(images), images).items()}


@pytest.mark.parametrize("name", ["det", "rec"])
def test_the_weights_of_the_parts(name: str) -> None:
    images = paddle.to_tensor(noise(2, 3, 32, 64))
    once, twice = (parts(our_net(name), config(name, output=factor, neck=2 * factor), images) for factor in (1.0, 2.0))
    assert once["loss_output"] > 0
    assert once["loss_neck"] > 0, "batch norm by the batch's own mean gives other maps than that by the running one"
    assert twice == pytest.approx({part: 2 * value for part, value in once.items()}, rel=1e-5)


def test_without_a_neck_factor_only_outputs_are_compared() -> None:
    assert list(parts(our_net("rec"), config("rec", neck=0.0), paddle.to_tensor(noise(1, 3, 32, 64)))) == ["loss_output"]


def test_the_gradient_stays_in_the_student() -> None:
    net = our_net("det")
    net.train()
    distillation = Distillation(net, config("det"))
    images = paddle.to_tensor(noise(1, 3, 32, 64))
    losses = distillation(net(images), images)
    sum(losses.values()).backward()
    assert net.neck.in5_conv.weight.grad is not None
    assert all(parameter.grad is None for parameter in distillation.teacher.parameters())
    assert not distillation.teacher.training


def test_a_pruned_net_learns_from_the_whole_one(tmp_path: Path) -> None:
    write_arrays(tmp_path / "pruned.pdparams", FilterGroups(our_net("det")).pruned_state({EXPAND: 0.5}))
    net = build_model(architecture("det"))
    load_pruned_checkpoint(net, tmp_path / "pruned.pdparams")
    net.train()
    images = paddle.to_tensor(noise(1, 3, 64, 64))
    distillation = Distillation(net, config("det"))
    optimizer = paddle.optimizer.Adam(1e-3, parameters=net.parameters())
    course = []
    for _ in range(8):
        loss = sum(distillation(net(images), images).values())
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        course.append(float(loss))
    assert course[-1] < 0.8 * course[0]


def test_necks_of_different_shapes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    net = our_net("det")
    net.neck.register_forward_post_hook(lambda layer, inputs, output: output[:, :8])
    net.head = paddle.nn.Sequential()
    net.train()
    distillation = Distillation(net, config("det"))
    monkeypatch.setattr(distillation, "output_loss", lambda predicts, answers: paddle.zeros([1]))
    images = paddle.to_tensor(noise(1, 3, 32, 64))
    net(images)
    with pytest.raises(ModelError, match=r"the neck gives \[1, 8, 8, 16\], that of the teacher \[1, 96, 8, 16\]"):
        distillation(None, images)


def test_a_teacher_of_another_architecture_is_refused() -> None:
    other = config("det")
    other = replace(other, Distillation=DistillationConfig(MODELS / "edgeocr_en" / "rec.pdparams"))
    with pytest.raises(ModelError, match=r"rec\.pdparams"):
        Distillation(our_net("det"), other)


def test_the_configuration_refuses_a_negative_factor() -> None:
    with pytest.raises(UsageError, match=r"Distillation\.neck is -1\.0, expected 0 or more"):
        config("det", neck=-1.0)


def test_the_configuration_is_read_back() -> None:
    one = config("det", neck=3.0)
    assert config_of(json.loads(json.dumps(one.document())), source="test", folder=Path.cwd()) == one
