"""The training loop: iterate, record, evaluate, keep the best, checkpoint; resume to the same weights.

On several cards or machines (see __main__.py) every process takes its own batches of one common order, Paddle averages the gradients, and
the first process evaluates and writes. The folder of the run must be one that all of them see, for resuming.
"""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import paddle
from paddle import nn

from edgeocr.errors import DataError, ModelError, UsageError
from edgeocr.files import write_atomically
from edgeocr.train.checkpoint import BEST, Progress, resume, save_checkpoint, save_weights
from edgeocr.train.config import OptimizerConfig, TrainConfig
from edgeocr.train.data_feed import build_feed, prepared
from edgeocr.train.depthwise import fast_depthwise
from edgeocr.train.distillation import Distillation
from edgeocr.train.evaluate import INDICATOR, evaluate
from edgeocr.train.losses import build_loss
from edgeocr.train.schedule import learning_rate

Record = dict[str, Any]

CONFIG, LOG = "config.json", "log.jsonl"


def train(net: nn.Layer, config: TrainConfig, out_dir: Path, *, on_record: Callable[[Record], None] = lambda record: None) -> None:
    """Trains ``net`` in place and leaves checkpoints, ``best.pdparams`` and ``log.jsonl`` in ``out_dir`` (see checkpoint.py).

    ``on_record`` hears what the log gets: {"iteration", "iterations", "loss", "lr", "seconds"} and the loss's parts, means since the last
    record; {"iteration", "eval": {…}}. A run that ``out_dir`` holds is continued, to the weights that it would have had without a stop;
    a finished one is left as it is. SIGINT and SIGTERM write a checkpoint and raise KeyboardInterrupt. Raises UsageError where ``out_dir``
    holds a run by another configuration, ModelError for a loss that is no number.
    """
    paddle.seed(config.Global.seed)
    with fast_depthwise():
        _Run(net, config, out_dir, on_record).go()


@dataclass(frozen=True)
class _Ranks:
    rank: int
    world: int

    @classmethod
    def start(cls) -> _Ranks:
        """As Paddle's launcher says by the environment; alone without it."""
        world = int(os.environ.get("PADDLE_TRAINERS_NUM", "1"))
        if world > 1:
            paddle.distributed.init_parallel_env()
        return cls(int(os.environ.get("PADDLE_TRAINER_ID", "0")) if world > 1 else 0, world)


class _Run:
    def __init__(self, net: nn.Layer, config: TrainConfig, out_dir: Path, on_record: Callable[[Record], None]) -> None:
        self.net, self.config, self.out_dir, self.on_record = net, config, out_dir, on_record
        self.ranks = _Ranks.start()
        self.writes = self.ranks.rank == 0
        self.loss = build_loss(config.Loss)
        self.distillation = Distillation(net, config) if config.Distillation else None
        self.optimizer = _adam(config.Optimizer, net)
        self.stop_asked = False
        if self.writes:
            _claim(out_dir, config)
        self.progress = resume(out_dir, net, self.optimizer) or Progress()
        self.sums: dict[str, float] = {}
        self.summed = 0

    def go(self) -> None:
        config, first = self.config.Global, self.progress.iteration
        if first >= config.iterations:
            return
        feed = build_feed(self.config)
        log = _Log(self.out_dir / LOG, first) if self.writes else None
        model = paddle.DataParallel(self.net) if self.ranks.world > 1 else self.net
        numbers = range(first * self.ranks.world + self.ranks.rank, config.iterations * self.ranks.world, self.ranks.world)
        started, before = time.monotonic(), self.progress.seconds
        self.net.train()
        with prepared(feed, numbers) as batches, self._stopping_softly():
            if log and feed.left_out:
                self._tell(log, {"iteration": first, "left_out": feed.left_out})
            for iteration, batch in enumerate(batches, start=first):
                self._step(model, batch.images, batch.targets, iteration)
                done = iteration + 1
                self.progress = replace(self.progress, iteration=done, seconds=before + time.monotonic() - started)
                if log:
                    self._report(log, done)
                stop = self.stop_asked
                if log and (stop or done == config.iterations or done % config.save_batch_step == 0):
                    save_checkpoint(self.out_dir, self.net, self.optimizer, self.progress)
                if stop:
                    raise KeyboardInterrupt

    def _step(self, model: nn.Layer, images: Any, targets: tuple[Any, ...], iteration: int) -> None:
        self.optimizer.set_lr(self._rate(iteration))
        inputs = paddle.to_tensor(images)
        predicts = model(inputs)
        losses = self.loss(predicts, tuple(map(paddle.to_tensor, targets)))
        if self.distillation is not None:
            taught = self.distillation(predicts, inputs)
            losses = {**losses, **taught, "loss": sum(taught.values(), losses["loss"])}
        values = {name: float(value) for name, value in losses.items()}
        if not math.isfinite(values["loss"]):
            raise ModelError(
                f"the loss of iteration {iteration} is {values['loss']}",
                "lower Optimizer.lr.learning_rate or set Optimizer.clip_norm_global; the checkpoint before it is kept",
            )
        losses["loss"].backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.summed += 1

    def _report(self, log: _Log, done: int) -> None:
        config = self.config.Global
        last = done == config.iterations
        if last or done % config.print_batch_step == 0:
            self._tell(log, self._record(done))
        if self.config.Eval is not None and (last or done % config.eval_batch_step == 0):
            self._evaluate(log, done)

    def _record(self, done: int) -> Record:
        means = {name: round(total / self.summed, 6) for name, total in self.sums.items()}
        self.sums, self.summed = {}, 0
        rate = float(f"{self._rate(done - 1):.6g}")
        seconds = round(self.progress.seconds, 2)
        return {"iteration": done, "iterations": self.config.Global.iterations, **means, "lr": rate, "seconds": seconds}

    def _evaluate(self, log: _Log, done: int) -> None:
        scores = evaluate(self.net, self.config)
        self._tell(log, {"iteration": done, "eval": {name: round(value, 6) for name, value in scores.items()}})
        indicator = scores[INDICATOR[self.config.model_type]]
        if self.progress.best is None or indicator > self.progress.best:
            self.progress = replace(self.progress, best=indicator, best_iteration=done)
            save_weights(self.net, self.out_dir / BEST)

    def _rate(self, iteration: int) -> float:
        return learning_rate(self.config.Optimizer.lr, iteration, self.config.Global.iterations)

    def _tell(self, log: _Log, record: Record) -> None:
        log.add(record)
        self.on_record(record)

    @contextmanager
    def _stopping_softly(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the run after the iteration that is being computed."""

        def ask(number: int, frame: FrameType | None) -> None:
            self.stop_asked = True

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Log:
    """``log.jsonl``: a line a record. What a run wrote after its last checkpoint is dropped when it resumes."""

    def __init__(self, file: Path, iteration: int) -> None:
        self.file = file
        self.lines: list[str] = []
        if iteration and file.is_file():
            self.lines = [line for line in file.read_text().splitlines() if json.loads(line)["iteration"] <= iteration]
        self._write()

    def add(self, record: Record) -> None:
        self.lines.append(json.dumps(record))
        self._write()

    def _write(self) -> None:
        write_atomically(self.file, "".join(line + "\n" for line in self.lines).encode())


def _adam(config: OptimizerConfig, net: nn.Layer) -> paddle.optimizer.Optimizer:
    return paddle.optimizer.Adam(
        learning_rate=0.0,  # set for every iteration
        beta1=config.beta1,
        beta2=config.beta2,
        parameters=net.parameters(),
        weight_decay=paddle.regularizer.L2Decay(config.regularizer.factor) if config.regularizer else None,
        grad_clip=nn.ClipGradByGlobalNorm(config.clip_norm_global) if config.clip_norm_global else None,
    )


def _claim(out_dir: Path, config: TrainConfig) -> None:
    """Makes the folder and notes the configuration there, or finds it noted."""
    document = config.document()
    file = out_dir / CONFIG
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise DataError(f"{out_dir}: cannot be made: {e.strerror}") from e
    if not file.is_file():
        write_atomically(file, (json.dumps(document, indent=2) + "\n").encode())
        return
    there = json.loads(file.read_text())
    changed = [section for section in document if document[section] != there.get(section)]
    if changed:
        raise UsageError(
            f"{out_dir}: holds a run by another configuration; {', '.join(changed)} differ", "give another folder, or remove this one"
        )
