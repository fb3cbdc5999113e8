"""A net's scores on labelled pictures, in Paddle: what a training watches. Figures to publish come from the runtime, not from here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import paddle
from paddle import nn

from edgeocr.data.augment.sample import Picture
from edgeocr.data.labels import direction_of
from edgeocr.data.metrics import BoxMatches, DetScore, RecScore, cls_accuracy, match_boxes
from edgeocr.errors import UsageError
from edgeocr.train.config import EvalDataConfig, TrainConfig
from edgeocr.train.ctc_decode import CtcLabels
from edgeocr.train.data_feed import det_samples, rec_samples, scale_line
from edgeocr.train.db_postprocess import DbPostProcess
from edgeocr.train.depthwise import fast_depthwise
from edgeocr.train.pictures import decode, det_planes, det_size, line_planes, padded_width, read_bytes

BATCH = 50  # lines
LIMIT_SIDE_LEN = 960  # of a page, as PaddleOCR reads
INDICATOR = {"det": "hmean", "rec": "exact", "cls": "accuracy"}  # what "best" means, by model_type

T = TypeVar("T")


def evaluate(net: nn.Layer, config: TrainConfig) -> dict[str, float]:
    """Scores in 0…1 on ``config.Eval``: det precision, recall, hmean; rec exact, characters; cls accuracy.

    The net's mode is as before afterwards. Raises UsageError without an Eval section, DataError for data that cannot be used.
    """
    if config.Eval is None:
        raise UsageError("the configuration has no Eval section", "name label files to evaluate on")
    training = net.training
    net.eval()
    try:
        with paddle.no_grad(), fast_depthwise():
            if config.model_type == "det":
                return _evaluate_det(net, config.Eval)
            if config.model_type == "rec":
                return _evaluate_rec(net, config, config.Eval)
            return _evaluate_cls(net, config, config.Eval)
    finally:
        if training:
            net.train()


def _evaluate_det(net: nn.Layer, data: EvalDataConfig) -> dict[str, float]:
    post_process = DbPostProcess()
    matches: list[BoxMatches] = []
    for sample in _some(det_samples(data.label_file_list, data.data_dir), data.limit):
        picture = _read(sample.image)
        height, width = picture.shape[:2]
        net_width, net_height = det_size(width, height, LIMIT_SIDE_LEN)
        scaled = np.asarray(cv2.resize(picture, (net_width, net_height)), np.uint8)
        maps = net(paddle.to_tensor(det_planes(scaled)[None])).numpy()
        to_picture = np.array([width / net_width, height / net_height], np.float32)
        matches.append(match_boxes([quad * to_picture for quad in post_process.boxes(maps[0, 0])], sample.boxes))
    score = DetScore.of(matches)
    return {"precision": score.precision, "recall": score.recall, "hmean": score.hmean}


def _evaluate_rec(net: nn.Layer, config: TrainConfig, data: EvalDataConfig) -> dict[str, float]:
    assert config.Global.character_dict_path is not None  # refused by the configuration's reader
    labels = CtcLabels.read(config.Global.character_dict_path, use_space_char=config.Global.use_space_char)
    _, height, least = config.Train.image_shape  # narrower lines are padded to the full width, as they are when they are read
    samples = _some(rec_samples(data.label_file_list, data.data_dir), data.limit)
    lines = [scale_line(_read(sample.image), height, None) for sample in samples]
    texts = [""] * len(lines)
    by_width = sorted(range(len(lines)), key=lambda k: lines[k].shape[1])
    for at in range(0, len(by_width), BATCH):
        chosen = by_width[at : at + BATCH]
        width = padded_width(max(least, lines[chosen[-1]].shape[1]))
        probabilities = net(paddle.to_tensor(line_planes([lines[k] for k in chosen], height, width))).numpy()
        for k, text in zip(chosen, labels.decode(probabilities), strict=True):
            texts[k] = text
    score = RecScore.of([text.strip() for text in texts], [sample.text for sample in samples])
    return {"exact": score.exact, "characters": score.characters}


def _evaluate_cls(net: nn.Layer, config: TrainConfig, data: EvalDataConfig) -> dict[str, float]:
    _, height, width = config.Train.image_shape
    samples = _some(rec_samples(data.label_file_list, data.data_dir), data.limit)
    found: list[int] = []
    for at in range(0, len(samples), BATCH):
        lines = [scale_line(_read(sample.image), height, width) for sample in samples[at : at + BATCH]]
        found += net(paddle.to_tensor(line_planes(lines, height, width))).numpy().argmax(axis=1).tolist()
    return {"accuracy": cls_accuracy(found, [direction_of(sample) for sample in samples])}


def _read(image: Path) -> Picture:
    return decode(read_bytes(image), image)


def _some(samples: Sequence[T], limit: int | None) -> list[T]:
    if limit is None or limit >= len(samples):
        return list(samples)
    return [samples[i * len(samples) // limit] for i in range(limit)]
