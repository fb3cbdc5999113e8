"""A training that was stopped goes on to the weights that it would have had without the stop."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paddle
import pytest
from paddle import nn

from edgeocr.errors import DataError, ModelError, UsageError
from edgeocr.train.config import TrainConfig, config_of
from edgeocr.train.loop import train

pytestmark = pytest.mark.paddle

SIZE = 32


class TinyDetector(nn.Layer):
    """Convolution, batch norm and the three maps of a detector."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2D(3, 4, 3, padding=1)
        self.bn = nn.BatchNorm(4, act="relu")
        self.maps = nn.Conv2D(4, 2, 1)

    def forward(self, x: paddle.Tensor) -> dict[str, paddle.Tensor] | paddle.Tensor:
        y = nn.functional.sigmoid(self.maps(self.bn(self.conv(x))))
        shrink, threshold = y[:, :1], y[:, 1:]
        if not self.training:
            return shrink
        return {"maps": paddle.concat([shrink, threshold, nn.functional.sigmoid(50 * (shrink - threshold))], axis=1)}


class TinyRecogniser(nn.Layer):
    """A convolution, then an LSTM, whose tensors have two names each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2D(3, 8, (SIZE, 4), stride=(SIZE, 4))
        self.lstm = nn.LSTM(8, 6, direction="bidirectional")
        self.fc = nn.Linear(12, 4)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y, _ = self.lstm(self.conv(x).squeeze(2).transpose([0, 2, 1]))
        return self.fc(y) if self.training else nn.functional.softmax(self.fc(y), axis=2)


class TinyClassifier(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3 * 4 * 4, 2)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        logits = self.fc(nn.functional.adaptive_avg_pool2d(x, 4).flatten(1))
        return logits if self.training else nn.functional.softmax(logits)


NETS: dict[str, Callable[[], nn.Layer]] = {"det": TinyDetector, "rec": TinyRecogniser, "cls": TinyClassifier}
LOSSES = {"det": "DBLoss", "rec": "CTCLoss", "cls": "ClsLoss"}


def tiny_net(model_type: str, seed: int = 1) -> nn.Layer:
    paddle.seed(seed)
    return NETS[model_type]()


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[[str], Path]:
    """A label file of 7 noisy pictures."""

    def make(model_type: str) -> Path:
        rng = np.random.default_rng(0)
        lines = []
        for k in range(7):
            height, width = (48, 60) if model_type == "det" else (SIZE, 40 + 7 * k)
            cv2.imwrite(str(tmp_path / f"{k}.png"), rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
            box = [[5, 5], [30 + k, 5], [30 + k, 20], [5, 20]]
            labels = {"det": json.dumps([{"transcription": "ab", "points": box}]), "rec": "abc"[: k % 3 + 1], "cls": ("0", "180")[k % 2]}
            lines.append(f"{k}.png\t{labels[model_type]}\n")
        file = tmp_path / "labels.txt"
        file.write_text("".join(lines))
        (tmp_path / "keys.txt").write_text("a\nb\nc\n")
        return file

    return make


def config(labels: Path, model_type: str, **changes: dict[str, Any]) -> TrainConfig:
    every = {"print_batch_step": 2, "save_batch_step": 100, "eval_batch_step": 3}
    document: dict[str, Any] = {
        "Global": {"iterations": 6, "seed": 3, "character_dict_path": "keys.txt", "use_space_char": False, **every},
        "Architecture": {"model_type": model_type},
        "Optimizer": {"lr": {"warmup_iterations": 2}, "regularizer": {"factor": 1e-4}, "clip_norm_global": 5.0},
        "Loss": {"name": LOSSES[model_type]},
        "Train": {
            "label_file_list": [labels.name],
            "image_shape": [3, SIZE, SIZE if model_type == "det" else 96],
            "batch_size_per_card": 3,
            "transforms": [{"ColorJitter": None}] + ([{"Fliplr": None}] if model_type == "det" else []),
        },
        "Eval": {"label_file_list": [labels.name]},
    }
    for section, values in changes.items():
        document[section] |= values
    return config_of(document, source="test", folder=labels.parent)


class Stopper:
    """Sends this process a signal once iteration ``at`` has been recorded; keeps all records."""

    def __init__(self, at: int | None = None, number: int = signal.SIGINT) -> None:
        self.at, self.number = at, number
        self.records: list[dict[str, Any]] = []

    def __call__(self, record: dict[str, Any]) -> None:
        self.records.append(record)
        if self.at is not None and record["iteration"] >= self.at:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("model_type", ["det", "rec", "cls"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_training_resumes_to_the_same_bytes(model_type: str, number: int, dataset: Callable[[str], Path], tmp_path: Path) -> None:
    run = config(dataset(model_type), model_type)
    train(tiny_net(model_type), run, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        train(tiny_net(model_type), run, tmp_path / "stopped", on_record=Stopper(at=3, number=number))
    stopped = json.loads((tmp_path / "stopped" / "state.json").read_text())
    assert stopped["iteration"] == 3
    train(tiny_net(model_type, seed=99), run, tmp_path / "stopped")
    for name in ("latest.pdparams", "best.pdparams"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()
    assert without_times(tmp_path / "stopped") == without_times(tmp_path / "straight")


def without_times(run: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in record.items() if name != "seconds"} for record in records if "loss" not in record]


def test_training_changes_the_weights_and_lowers_the_loss(dataset: Callable[[str], Path], tmp_path: Path) -> None:
    steps = {"iterations": 60, "print_batch_step": 10, "eval_batch_step": 60}
    run = config(dataset("rec"), "rec", Global=steps, Train={"transforms": []}, Optimizer={"lr": {"learning_rate": 0.02}})
    records = Stopper()
    train(tiny_net("rec"), run, tmp_path / "run", on_record=records)
    losses = [record["loss"] for record in records.records if "loss" in record]
    assert len(losses) == 6
    assert losses[-1] < losses[0] / 2


def test_records_are_those_of_the_log(dataset: Callable[[str], Path], tmp_path: Path) -> None:
    records = Stopper()
    train(tiny_net("det"), config(dataset("det"), "det"), tmp_path / "run", on_record=records)
    assert [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()] == records.records
    first = records.records[0]
    assert {"iteration", "iterations", "loss", "lr", "seconds", "loss_shrink_maps"} <= set(first)
    assert (first["iteration"], first["iterations"], first["lr"]) == (2, 6, 1e-3)
    assert [set(r["eval"]) for r in records.records if "eval" in r] == [{"precision", "recall", "hmean"}] * 2


def test_a_finished_training_is_left_alone(dataset: Callable[[str], Path], tmp_path: Path) -> None:
    run = config(dataset("cls"), "cls")
    train(tiny_net("cls"), run, tmp_path / "run")
    before = {file.name: file.read_bytes() for file in (tmp_path / "run").iterdir()}
    net = tiny_net("cls", seed=2)
    train(net, run, tmp_path / "run")
    assert {file.name: file.read_bytes() for file in (tmp_path / "run").iterdir()} == before
    finished = tiny_net("cls")
    finished.set_state_dict(paddle.load(str(tmp_path / "run" / "latest.pdparams")))
    np.testing.assert_array_equal(net.state_dict()["fc.weight"].numpy(), finished.state_dict()["fc.weight"].numpy())


def test_a_folder_of_another_run_is_refused(dataset: Callable[[str], Path], tmp_path: Path) -> None:
    labels = dataset("cls")
    train(tiny_net("cls"), config(labels, "cls"), tmp_path / "run")
    with pytest.raises(UsageError, match=r"run: holds a run by another configuration; Global, Optimizer differ"):
        other = config(labels, "cls", Global={"seed": 4}, Optimizer={"beta1": 0.5})
        train(tiny_net("cls"), other, tmp_path / "run")


def test_a_loss_that_is_no_number_ends_the_run(dataset: Callable[[str], Path], tmp_path: Path) -> None:
    net = tiny_net("cls")
    net.fc.weight.set_value(np.full(net.fc.weight.shape, np.nan, np.float32))
    with pytest.raises(ModelError, match="the loss of iteration 0 is nan") as error:
        train(net, config(dataset("cls"), "cls"), tmp_path / "run")
    assert error.value.hint is not None
    assert not (tmp_path / "run" / "latest.pdparams").exists()


def test_a_broken_picture_is_named(dataset: Callable[[str], Path], tmp_path: Path) -> None:
    labels = dataset("det")
    (tmp_path / "3.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"3\.png: is no picture that can be read"):
        train(tiny_net("det"), config(labels, "det"), tmp_path / "run")


def test_lines_that_cannot_be_trained_on_are_counted(dataset: Callable[[str], Path], tmp_path: Path) -> None:
    labels = dataset("rec")
    labels.write_text(labels.read_text() + "0.png\tabd\n1.png\t" + "aab" * 9 + "\n")
    records = Stopper()
    train(tiny_net("rec"), config(labels, "rec"), tmp_path / "run", on_record=records)
    assert records.records[0] == {"iteration": 0, "left_out": 2}
