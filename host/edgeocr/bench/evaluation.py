"""Accuracy of a model set as a device computes it: boxes on pages, texts and directions on single lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeocr.bench.result import BoundFile
from edgeocr.data.labels import direction_of, read_det_labels, read_rec_labels
from edgeocr.data.metrics import DetScore, RecScore, cls_accuracy, match_boxes
from edgeocr.device.device import Device
from edgeocr.device.records import PictureRecord, Record
from edgeocr.device.runner import OcrOptions, run_ocr
from edgeocr.errors import UsageError
from edgeocr.zoo.model_files import ModelFiles

ROLES = {"det": "detector", "rec": "recogniser", "cls": "classifier"}


@dataclass(frozen=True)
class Evaluation:
    """One net on one set of labelled pictures."""

    set: str
    variant: str
    net: str  # det, rec or cls
    device: str  # its kind: host, emulated or phone
    model: BoundFile
    labels: BoundFile
    pictures: int
    scores: dict[str, float]  # shares in 0…1: det precision, recall, hmean; rec exact, characters; cls accuracy

    def document(self) -> dict[str, Any]:
        return asdict(self)


def evaluate(
    device: Device,
    models: ModelFiles,
    options: OcrOptions,
    net: str,
    label_file: Path,
    *,
    threads: int = 1,
    limit: int | None = None,
    on_picture: Callable[[], None] = lambda: None,
) -> Evaluation:
    """``net`` alone on the pictures of a PaddleOCR label file, at most ``limit`` of them.

    The other nets do not run, but for the recogniser beside the classifier. Raises UsageError for a set without the net, DataError for
    labels that cannot be used, and what `run_ocr` raises.
    """
    model = getattr(models, ROLES[net])
    if model is None:
        raise UsageError(f"{models.name} {models.variant} has no {ROLES[net]}")
    run = _Run(device, models, options, threads, on_picture)
    scores, pictures = {"det": _boxes, "rec": _texts, "cls": _directions}[net](run, label_file, limit)
    return Evaluation(models.name, models.variant, net, device.kind, BoundFile.of(model), BoundFile.of(label_file), pictures, scores)


@dataclass(frozen=True)
class _Run:
    device: Device
    models: ModelFiles
    options: OcrOptions
    threads: int
    on_picture: Callable[[], None]

    def read(self, pictures: Sequence[Path], *, models: ModelFiles | None = None, **options: Any) -> list[PictureRecord]:
        def on_record(record: Record) -> None:
            if isinstance(record, PictureRecord):
                self.on_picture()

        nets = models or self.models
        return run_ocr(self.device, nets, pictures, threads=self.threads, options=self.options, on_record=on_record, **options)


def _boxes(run: _Run, label_file: Path, limit: int | None) -> tuple[dict[str, float], int]:
    samples = read_det_labels(label_file)[:limit]
    records = run.read([sample.image for sample in samples], rec=False)
    matches = [
        match_boxes([np.array(line.box, np.float32) for line in record.lines], sample.boxes)
        for record, sample in zip(records, samples, strict=True)
    ]
    return asdict(DetScore.of(matches)), len(samples)


def _texts(run: _Run, label_file: Path, limit: int | None) -> tuple[dict[str, float], int]:
    """Every line counts, those with scores below drop_score too; none is turned."""
    samples = read_rec_labels(label_file)[:limit]
    records = run.read([sample.image for sample in samples], models=replace(run.models, classifier=None), det=False)
    texts = [record.lines[0].text.strip() for record in records]
    return asdict(RecScore.of(texts, [sample.text for sample in samples])), len(samples)


def _directions(run: _Run, label_file: Path, limit: int | None) -> tuple[dict[str, float], int]:
    """What the classifier says, however sure it is."""
    samples = read_rec_labels(label_file)[:limit]
    labels = [direction_of(sample) for sample in samples]
    undecided = replace(run, options=replace(run.options, cls_thresh=0.0))
    records = undecided.read([sample.image for sample in samples], det=False, rec=False)
    found = [int(record.lines[0].turned) for record in records]
    return {"accuracy": cls_accuracy(found, labels)}, len(samples)
