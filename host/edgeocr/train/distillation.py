"""A net learns from another one of the same architecture, its teacher, besides from the labels.

What is compared is what both have in the same shape however many channels the student has lost inside: the neck's output (Romero et al.:
FitNets, ICLR 2015) and the net's own (Hinton et al., 2015).
"""

from __future__ import annotations

from typing import Any

import paddle
import paddle.nn.functional as F
from paddle import Tensor, nn

from edgeocr.errors import ModelError
from edgeocr.nets.base_model import BaseModel
from edgeocr.train.config import TrainConfig
from edgeocr.train.described_net import described_net
from edgeocr.train.losses import Losses

EPS = 1e-6
LEAST_TEXT = 0.01  # of a batch's pixels: where the teacher sees less, the divergence is shared out over so many


class Distillation:
    """The losses of ``net`` against the teacher that ``config.Distillation`` names. Raises ModelError for one that does not fit."""

    def __init__(self, net: BaseModel, config: TrainConfig) -> None:
        assert config.Distillation is not None
        self.factors = config.Distillation
        self.teacher = described_net(config, config.Distillation.pretrained_model)
        self.teacher.eval()
        self.compares_necks = self.factors.neck > 0 and net.use_neck
        self._neck_of: dict[str, Tensor] = {}
        if self.compares_necks:
            for name, one in (("net", net), ("teacher", self.teacher)):
                one.neck.register_forward_post_hook(self._note_neck(name))
        self.output_loss = kl_of_maps if net.model_type == "det" else kl_of_classes

    def __call__(self, predicts: Any, images: Tensor) -> Losses:
        """Right after the net's forward pass over ``images``, in training, that gave ``predicts``: parts by name, weighted."""
        with paddle.no_grad():
            answers = self.teacher(images)
        parts = {"loss_output": self.factors.output * self.output_loss(predicts, answers)}
        if self.compares_necks:
            student, taught = self._neck_of.pop("net"), self._neck_of.pop("teacher")
            if student.shape != taught.shape:
                raise ModelError(
                    f"the neck gives {list(student.shape)}, that of the teacher {list(taught.shape)}", "set Distillation.neck to 0"
                )
            parts["loss_neck"] = self.factors.neck * relative_error(student, taught)
        return parts

    def _note_neck(self, name: str) -> Any:
        def note(layer: nn.Layer, inputs: Any, output: Tensor) -> None:
            self._neck_of[name] = output

        return note


def relative_error(student: Tensor, taught: Tensor) -> Tensor:
    """Mean squared difference, as a share of the teacher's mean square: maps of any range weigh the same."""
    return (student - taught).square().mean() / (taught.square().mean() + EPS)


def kl_of_maps(predicts: dict[str, Tensor], answers: Tensor) -> Tensor:
    """Divergence of the shrink maps [N,·,H,W] from those of the teacher [N,1,H,W], each pixel an event, per pixel of text."""
    shrink, taught = predicts["maps"][:, :1], answers
    entropy = F.binary_cross_entropy(taught, taught, reduction="sum")
    divergence = F.binary_cross_entropy(shrink, taught, reduction="sum") - entropy
    return divergence / paddle.clip(taught.sum() + 1, min=LEAST_TEXT * taught.size)


def kl_of_classes(logits: Tensor, answers: Tensor) -> Tensor:
    """Divergence of the classes of ``logits`` [..., classes] from the teacher's probabilities, the mean over lines and steps."""
    divergence = answers * (paddle.log(answers + EPS) - F.log_softmax(logits, axis=-1))
    return divergence.sum(axis=-1).mean()
