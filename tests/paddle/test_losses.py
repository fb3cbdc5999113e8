"""Each loss and its gradient against a plain NumPy statement of it."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import paddle
import pytest
from gradients import check, value_and_gradient
from numpy.typing import NDArray

from edgeocr.train.config import LossConfig
from edgeocr.train.losses import ClsLoss, CTCLoss, DBLoss, build_loss

pytestmark = pytest.mark.paddle

Array = NDArray[Any]


class Page:
    """A small map with text, background and an area that does not count."""

    def __init__(self, seed: int, text: float = 0.2) -> None:
        rng = np.random.default_rng(seed)
        shape = (2, 6, 7)
        self.maps = rng.uniform(0.05, 0.95, (2, 3, 6, 7))
        self.shrink = (rng.random(shape) < text).astype(np.float64)
        self.shrink_mask = (rng.random(shape) < 0.8).astype(np.float64)
        self.threshold = rng.uniform(0.3, 0.7, shape)
        self.threshold_mask = (rng.random(shape) < 0.5).astype(np.float64)

    def targets(self) -> tuple[paddle.Tensor, ...]:
        maps = (self.shrink, self.shrink_mask, self.threshold, self.threshold_mask)
        return tuple(paddle.to_tensor(m.astype(np.float32)) for m in maps)

    def loss(self, maps: Array, loss: DBLoss) -> dict[str, float]:
        """DB's paper, pixel by pixel."""
        shrink, threshold, binary = maps[:, 0], maps[:, 1], maps[:, 2]
        entropy = -(self.shrink * np.log(shrink) + (1 - self.shrink) * np.log(1 - shrink))
        text = (self.shrink * self.shrink_mask).sum()
        background = np.sort((entropy)[(self.shrink == 0) & (self.shrink_mask == 1)])[::-1]
        worst = background[: max(int(text * loss.ohem_ratio), loss.min_negatives)]
        bce = ((entropy * self.shrink * self.shrink_mask).sum() + worst.sum()) / (text + len(worst) + loss.eps)
        l1 = (np.abs(threshold - self.threshold) * self.threshold_mask).sum() / (self.threshold_mask.sum() + loss.eps)
        both = (binary * self.shrink * self.shrink_mask).sum()
        dice = 1 - 2 * both / ((binary * self.shrink_mask).sum() + text + loss.eps)
        return {
            "loss_shrink_maps": loss.alpha * bce,
            "loss_threshold_maps": loss.beta * l1,
            "loss_binary_maps": dice,
            "loss": loss.alpha * bce + loss.beta * l1 + dice,
        }


@pytest.mark.parametrize("part", ["loss", "loss_shrink_maps", "loss_threshold_maps", "loss_binary_maps"])
@pytest.mark.parametrize(("ohem_ratio", "min_negatives"), [(3.0, 0), (1.0, 0), (1.0, 30), (3.0, 1000)])
def test_db_loss(part: str, ohem_ratio: float, min_negatives: int) -> None:
    page = Page(seed=1)
    loss = DBLoss(ohem_ratio=ohem_ratio, min_negatives=min_negatives)
    check(lambda maps: loss({"maps": maps}, page.targets())[part], lambda maps: page.loss(maps, loss)[part], page.maps)


def test_the_ohem_ratio_decides_which_background_counts() -> None:
    page = Page(seed=2)
    few, many = (float(DBLoss(ohem_ratio=r, min_negatives=0)(
        {"maps": paddle.to_tensor(page.maps.astype(np.float32))}, page.targets())["loss_shrink_maps"]) for r in (0.5, 3.0))  # fmt: skip
    assert few > many, "the worst background alone is worse than the mean of more of it"


def test_a_crop_without_text_teaches_background() -> None:
    page = Page(seed=3, text=0.0)
    loss = DBLoss(min_negatives=5)
    check(lambda maps: loss({"maps": maps}, page.targets())["loss"], lambda maps: page.loss(maps, loss)["loss"], page.maps)


def test_what_the_masks_hide_has_no_gradient() -> None:
    page = Page(seed=4)
    loss = DBLoss()
    _, gradient = value_and_gradient(lambda maps: loss({"maps": maps}, page.targets())["loss"], page.maps)
    hidden = page.shrink_mask == 0
    assert hidden.any()
    assert not gradient[:, 0][hidden].any()
    assert not gradient[:, 2][hidden].any()
    assert not gradient[:, 1][page.threshold_mask == 0].any()


def test_a_saturated_map_gives_finite_values() -> None:
    page = Page(seed=5)
    wrong = np.stack([1 - page.shrink, page.threshold, 1 - page.shrink], axis=1)
    value, gradient = value_and_gradient(lambda maps: DBLoss()({"maps": maps}, page.targets())["loss"], wrong)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def log_softmax(x: Array) -> Array:
    shifted = x - x.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(c for i, c in enumerate(path) if c != 0 and (i == 0 or path[i - 1] != c))


def ctc_by_enumeration(logits: Array, texts: list[tuple[int, ...]]) -> float:
    """Every path over the classes that collapses to the text adds its probability."""
    losses = []
    for row, text in zip(log_softmax(logits), texts, strict=True):
        steps, classes = row.shape
        paths = [p for p in product(range(classes), repeat=steps) if collapsed(p) == text]
        losses.append(-np.log(sum(np.exp(sum(row[t, c] for t, c in enumerate(p))) for p in paths)))
    return float(np.mean(losses))


def ctc_targets(texts: list[tuple[int, ...]]) -> tuple[paddle.Tensor, ...]:
    labels = np.zeros((len(texts), max(map(len, texts))), np.int32)
    for row, text in zip(labels, texts, strict=True):
        row[: len(text)] = text
    return paddle.to_tensor(labels), paddle.to_tensor(np.array([len(t) for t in texts], np.int64))


@pytest.mark.parametrize("texts", [[(1,), (2, 1)], [(1, 1), (2,)], [(1, 2, 1), (2, 2)]])
def test_ctc_loss(texts: list[tuple[int, ...]]) -> None:
    logits = np.random.default_rng(6).normal(size=(2, 4, 3))
    loss = CTCLoss()
    check(lambda x: loss(x, ctc_targets(texts))["loss"], lambda x: ctc_by_enumeration(x, texts), logits)


def test_cls_loss() -> None:
    logits = np.random.default_rng(7).normal(size=(5, 2))
    classes = np.array([0, 1, 1, 0, 1])
    loss = ClsLoss()
    check(
        lambda x: loss(x, (paddle.to_tensor(classes),))["loss"],
        lambda x: -float(log_softmax(x)[np.arange(5), classes].mean()),
        logits,
    )


def test_the_configuration_names_the_loss() -> None:
    loss = build_loss(LossConfig("DBLoss", alpha=2, beta=3, ohem_ratio=4, min_negatives=5, eps=1e-5))
    assert isinstance(loss, DBLoss)
    assert (loss.alpha, loss.beta, loss.ohem_ratio, loss.min_negatives, loss.eps) == (2, 3, 4, 5, 1e-5)
    assert isinstance(build_loss(LossConfig("CTCLoss")), CTCLoss)
    assert isinstance(build_loss(LossConfig("ClsLoss")), ClsLoss)
