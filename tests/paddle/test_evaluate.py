"""Evaluation with nets whose answers are drawn on the pictures themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paddle
import pytest
from paddle import nn

from edgeocr.data.db_targets import db_targets
from edgeocr.data.labels import TextBox
from edgeocr.errors import UsageError
from edgeocr.train.config import TrainConfig, config_of
from edgeocr.train.evaluate import evaluate

pytestmark = pytest.mark.paddle

LOSSES = {"det": "DBLoss", "rec": "CTCLoss", "cls": "ClsLoss"}


def config(folder: Path, model_type: str, limit: int | None = None) -> TrainConfig:
    document: dict[str, Any] = {
        "Global": {"iterations": 1, "character_dict_path": "keys.txt", "use_space_char": True},
        "Architecture": {"model_type": model_type},
        "Loss": {"name": LOSSES[model_type]},
        "Train": {"label_file_list": ["train.txt"], "image_shape": [3, 32, 96], "batch_size_per_card": 1},
        "Eval": {"label_file_list": ["labels.txt"], "limit": limit},
    }
    return config_of(document, source="test", folder=folder)


class Seer(nn.Layer):
    """Answers what ``look`` makes of the first plane, in 0…1."""

    def __init__(self, look: Callable[[np.ndarray], np.ndarray], mean: float = 0.5, std: float = 0.5) -> None:
        super().__init__()
        self.look, self.mean, self.std = look, mean, std
        self.widths: list[int] = []

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        assert not self.training
        self.widths.append(x.shape[3])
        return paddle.to_tensor(self.look(x.numpy()[:, 0] * self.std + self.mean).astype(np.float32))


def test_det_scores(tmp_path: Path) -> None:
    """Pages that show their own shrink map; the second's label lies elsewhere, the third's is ignored."""

    def box(x: int, y: int, text: str = "a") -> TextBox:
        return TextBox(np.array([[x, y], [x + 120, y], [x + 120, y + 30], [x, y + 30]], np.float32), text)

    drawn = [[box(20, 20), box(20, 100)], [box(20, 20)], [box(20, 20)]]
    labelled = [drawn[0], [box(20, 150)], [box(20, 20, "###")]]
    lines = []
    for k, (shown, said) in enumerate(zip(drawn, labelled, strict=True)):
        page = (db_targets(shown, 200, 180).shrink_map * 255).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"{k}.png"), cv2.cvtColor(page, cv2.COLOR_GRAY2BGR))
        boxes = [{"transcription": b.transcription, "points": b.points.tolist()} for b in said]
        lines.append(f"{k}.png\t{json.dumps(boxes)}\n")
    (tmp_path / "labels.txt").write_text("".join(lines))
    net = Seer(lambda x: x[:, None], mean=0.485, std=0.229)
    scores = evaluate(net, config(tmp_path, "det"))
    assert scores == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "hmean": 2 / 3})
    assert net.widths == [192, 192, 192], "to the nearest multiple of 32"
    assert evaluate(net, config(tmp_path, "det", limit=1))["hmean"] == 1


def grey_line(folder: Path, name: str, classes: list[int]) -> None:
    """A line whose grey levels are ten times the class, in steps of 4 columns."""
    row = np.repeat(np.array(classes, np.uint8) * 10, 4)
    cv2.imwrite(str(folder / name), np.broadcast_to(row[None, :, None], (32, len(row), 3)))


def test_rec_scores(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text("a\nb\n")
    grey_line(tmp_path, "0.png", [1, 1, 2, 0, 2])
    grey_line(tmp_path, "1.png", [1, 2] * 50)
    grey_line(tmp_path, "2.png", [1, 0, 3])
    (tmp_path / "labels.txt").write_text("0.png\tabb\n1.png\t" + "ab" * 50 + "\n2.png\tb\n")

    def classes(x: np.ndarray) -> np.ndarray:
        found = np.round(x[:, 16, 2::4] * 255 / 10).astype(int)
        return np.eye(13)[np.where(found > 3, 0, found)]  # the padding's grey is no class

    net = Seer(classes)
    net.train()
    scores = evaluate(net, config(tmp_path, "rec"))
    assert scores == pytest.approx({"exact": 2 / 3, "characters": 1 - 1 / 104})
    assert net.widths == [400], "a batch's lines have the width of its longest, however long"
    assert net.training


def test_cls_scores(tmp_path: Path) -> None:
    for k, level in enumerate((0, 255, 255)):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((32, 96, 3), level, np.uint8))
    (tmp_path / "labels.txt").write_text("0.png\t0\n1.png\t180\n2.png\t0\n")
    net = Seer(lambda x: np.eye(2)[(x[:, 0, 0] > 0.5).astype(int)])
    assert evaluate(net, config(tmp_path, "cls")) == pytest.approx({"accuracy": 2 / 3})


def test_without_an_eval_section_there_is_nothing_to_score(tmp_path: Path) -> None:
    document = config(tmp_path, "cls").document()
    del document["Eval"]
    with pytest.raises(UsageError, match="the configuration has no Eval section"):
        evaluate(Seer(lambda x: x), config_of(document, source="test", folder=tmp_path))
