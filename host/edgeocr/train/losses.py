"""The losses, with PaddleOCR's names and parameters. Each gives {"loss": scalar to minimise, parts by name}."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import paddle
import paddle.nn.functional as F
from numpy.typing import NDArray
from paddle import Tensor

from edgeocr.train.config import LossConfig

Losses = dict[str, Tensor]
Array = NDArray[np.float32]


class Loss(Protocol):
    """Of a net's output in training and of `data_feed.Batch.targets` as tensors."""

    def __call__(self, predicts: Any, targets: tuple[Tensor, ...], /) -> Losses: ...


def build_loss(config: LossConfig) -> Loss:
    if config.name == "DBLoss":
        return DBLoss(config.alpha, config.beta, config.ohem_ratio, config.min_negatives, config.eps)
    return CTCLoss() if config.name == "CTCLoss" else ClsLoss()


class DBLoss:
    """alpha · cross entropy of the shrink map + beta · L1 of the threshold map + dice of the binary map.

    The cross entropy counts all text and the ``ohem_ratio`` times as many background pixels that are worst, at least ``min_negatives``: a
    crop without text teaches too.
    """

    def __init__(
        self, alpha: float = 5.0, beta: float = 10.0, ohem_ratio: float = 3.0, min_negatives: int = 1000, eps: float = 1e-6
    ) -> None:
        self.alpha, self.beta = alpha, beta
        self.ohem_ratio, self.min_negatives = ohem_ratio, min_negatives
        self.eps = eps

    def __call__(self, predicts: dict[str, Tensor], targets: tuple[Tensor, ...]) -> Losses:
        """``predicts["maps"]`` [N,3,H,W]: shrink, threshold, binary; ``targets``: DbTargets, [N,H,W] each."""
        shrink_map, shrink_mask, threshold_map, threshold_mask = targets
        maps = predicts["maps"]
        shrink, threshold, binary = maps[:, 0], maps[:, 1], maps[:, 2]
        loss_shrink = self.alpha * self.balanced_cross_entropy(shrink, shrink_map, shrink_mask)
        loss_threshold = self.beta * masked_l1(threshold, threshold_map, threshold_mask, self.eps)
        loss_binary = dice(binary, shrink_map, shrink_mask, self.eps)
        return {
            "loss": loss_shrink + loss_threshold + loss_binary,
            "loss_shrink_maps": loss_shrink,
            "loss_threshold_maps": loss_threshold,
            "loss_binary_maps": loss_binary,
        }

    def balanced_cross_entropy(self, predicted: Tensor, label: Tensor, mask: Tensor) -> Tensor:
        loss = F.binary_cross_entropy(predicted, label, reduction="none")
        counted = paddle.to_tensor(self.hard_mask(loss.numpy(), label.numpy(), mask.numpy()))
        return (loss * counted).sum() / (counted.sum() + self.eps)

    def hard_mask(self, loss: Array, label: Array, mask: Array) -> Array:
        """1 at the pixels that count, float32 of the same shape. A choice, so nothing flows back through it."""
        positive, negative = (label * mask).ravel() > 0, ((1 - label) * mask).ravel() > 0
        wanted = max(int(positive.sum() * self.ohem_ratio), self.min_negatives)
        counted = positive.copy()
        candidates = np.flatnonzero(negative)
        if wanted < len(candidates):
            candidates = candidates[np.argpartition(-loss.ravel()[candidates], wanted)[:wanted]]
        counted[candidates] = True
        return np.asarray(counted.reshape(label.shape), np.float32)


def masked_l1(predicted: Tensor, label: Tensor, mask: Tensor, eps: float) -> Tensor:
    return ((predicted - label).abs() * mask).sum() / (mask.sum() + eps)


def dice(predicted: Tensor, label: Tensor, mask: Tensor, eps: float) -> Tensor:
    """1 − 2·|both| / (|predicted| + |label|), over what the mask leaves."""
    both = (predicted * label * mask).sum()
    return 1 - 2 * both / ((predicted * mask).sum() + (label * mask).sum() + eps)


class CTCLoss:
    """−log of the probability of the text over all its alignments, the blank being class 0; the mean over the lines."""

    def __call__(self, logits: Tensor, targets: tuple[Tensor, ...]) -> Losses:
        """``logits`` [N,T,classes]; ``targets``: classes int32 [N,longest], filled up with 0, and lengths int64 [N]."""
        labels, lengths = targets
        count, steps, _ = logits.shape
        all_steps = paddle.full([count], steps, "int64")
        loss = F.ctc_loss(logits.transpose([1, 0, 2]), labels, all_steps, lengths, blank=0, reduction="none")
        return {"loss": loss.mean()}


class ClsLoss:
    """Cross entropy of the logits [N,classes] with the classes int64 [N], the mean over the lines."""

    def __call__(self, logits: Tensor, targets: tuple[Tensor, ...]) -> Losses:
        (labels,) = targets
        return {"loss": F.cross_entropy(logits, labels)}
