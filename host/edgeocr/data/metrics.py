"""How well boxes, texts and directions were found, by the rules that PaddleOCR scores with.

Everything here counts over a whole set: add up what each picture gives, then take the score of the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr.data.labels import TextBox

Quad = NDArray[np.float32]

MIN_IOU = 0.5
MIN_SHARE_IN_IGNORED = 0.5  # of a predicted box, for it to be neither right nor wrong


@dataclass(frozen=True)
class BoxMatches:
    """Of one picture or, added up, of many: boxes found right, boxes predicted, boxes labelled; ignored ones do not count."""

    matched: int = 0
    predicted: int = 0
    labelled: int = 0

    def __add__(self, other: BoxMatches) -> BoxMatches:
        return BoxMatches(self.matched + other.matched, self.predicted + other.predicted, self.labelled + other.labelled)


@dataclass(frozen=True)
class DetScore:
    """Shares in 0…1: of the predicted boxes that are right, of the labelled boxes that were found, their harmonic mean."""

    precision: float
    recall: float
    hmean: float

    @classmethod
    def of(cls, matches: Iterable[BoxMatches]) -> DetScore:
        total = sum(matches, BoxMatches())
        precision = _share(total.matched, total.predicted)
        recall = _share(total.matched, total.labelled)
        return cls(precision, recall, 2 * precision * recall / (precision + recall) if total.matched else 0.0)


@dataclass(frozen=True)
class RecScore:
    """Shares in 0…1: of the lines read letter by letter; 1 − edit distance / length over all lines together."""

    exact: float
    characters: float

    @classmethod
    def of(cls, predicted: Sequence[str], labels: Sequence[str]) -> RecScore:
        """Raises ValueError where the numbers of lines differ."""
        pairs = list(zip(predicted, labels, strict=True))
        exact = sum(text == label for text, label in pairs)
        wrong = sum(edit_distance(text, label) for text, label in pairs)
        length = sum(map(len, labels))
        return cls(_share(exact, len(pairs)), max(0.0, 1 - wrong / length) if length else 0.0)


def cls_accuracy(predicted: Sequence[Any], labels: Sequence[Any]) -> float:
    """The share of equal pairs, in 0…1."""
    return _share(sum(p == label for p, label in zip(predicted, labels, strict=True)), len(labels))


def match_boxes(predicted: Sequence[Quad], labels: Sequence[TextBox]) -> BoxMatches:
    """Counts one picture's boxes by the rule of PaddleOCR's ``DetectionIoUEvaluator``, which is ICDAR 2015's.

    A predicted box that lies by more than half in an ignored label is left out. Of the others each label takes the first free one whose
    intersection over union with it is above 0.5. Quads are [4,2], corners in order round the box.
    """
    wanted = [_outline(label.points) for label in labels if not label.ignored]
    ignored = [_outline(label.points) for label in labels if label.ignored]
    found = [quad for quad in map(_outline, predicted) if not any(_lies_in(quad, area) for area in ignored)]
    free = list(found)
    for label in wanted:
        hit = next((k for k, quad in enumerate(free) if _iou(quad, label) > MIN_IOU), None)
        if hit is not None:
            del free[hit]
    return BoxMatches(len(found) - len(free), len(found), len(wanted))


def iou(first: Quad, second: Quad) -> float:
    """Intersection over union of two quads, taken as their convex hulls."""
    return _iou(_outline(first), _outline(second))


def edit_distance(text: str, label: str) -> int:
    """Levenshtein's: the fewest characters to insert, delete or replace."""
    previous = list(range(len(label) + 1))
    for i, character in enumerate(text, start=1):
        row = [i]
        for j, wanted in enumerate(label, start=1):
            row.append(min(row[-1] + 1, previous[j] + 1, previous[j - 1] + (character != wanted)))
        previous = row
    return previous[-1]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _outline(quad: Quad) -> Quad:
    """Convex, whatever a label file says: OpenCV's intersection asks for that."""
    return np.asarray(cv2.convexHull(np.asarray(quad, dtype=np.float32)), dtype=np.float32).reshape(-1, 2)


def _intersection(first: Quad, second: Quad) -> float:
    if (first.max(axis=0) <= second.min(axis=0)).any() or (second.max(axis=0) <= first.min(axis=0)).any():
        return 0.0
    return float(cv2.intersectConvexConvex(first, second)[0])


def _iou(first: Quad, second: Quad) -> float:
    common = _intersection(first, second)
    union = cv2.contourArea(first) + cv2.contourArea(second) - common
    return common / union if union > 0 else 0.0


def _lies_in(quad: Quad, area: Quad) -> bool:
    own = cv2.contourArea(quad)
    return own > 0 and _intersection(quad, area) / own > MIN_SHARE_IN_IGNORED
