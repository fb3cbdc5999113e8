"""What PaddleOCR 2.10's Python does around its nets, on OpenCV and pyclipper: the truth that the runtime's steps are compared with.

Sources of the rules: ppocr/postprocess/db_postprocess.py, ppocr/data/imaug/operators.py, tools/infer/{predict_det,predict_rec,predict_cls,
predict_system,utility}.py. Quads are float32 4 x 2, clockwise from the top left corner.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pyclipper  # type: ignore[import-untyped]
from numpy.typing import NDArray

Array = NDArray[Any]

THRESH, BOX_THRESH, MAX_CANDIDATES, UNCLIP_RATIO, MIN_SIZE = 0.3, 0.6, 1000, 1.5, 3


def get_mini_boxes(contour: Array) -> tuple[Array, float]:
    rect = cv2.minAreaRect(contour)
    by_x = sorted(cv2.boxPoints(rect), key=lambda point: float(point[0]))
    left = by_x[:2] if by_x[1][1] > by_x[0][1] else by_x[1::-1]
    right = by_x[2:] if by_x[3][1] > by_x[2][1] else by_x[:1:-1]
    return np.array([left[0], right[0], right[1], left[1]], np.float32), min(rect[1])


def offset_distance(quad: Array, ratio: float) -> float:
    """area * ratio / perimeter, in double from the float corners, as shapely computes them."""
    x, y = quad.astype(np.float64).T
    area = abs(float(np.dot(x - x[0], np.roll(y, -1) - np.roll(y, 1)))) / 2
    return area * ratio / float(np.hypot(np.roll(x, -1) - x, np.roll(y, -1) - y).sum())


def unclip(quad: Array, ratio: float) -> list[Array]:
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(quad, pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    return [np.array(path, np.int32) for path in offset.Execute(offset_distance(quad, ratio))]


def box_score_fast(probabilities: Array, quad: Array) -> float:
    height, width = probabilities.shape
    x0, y0 = (int(np.clip(np.floor(quad[:, k].min()), 0, side - 1)) for k, side in enumerate((width, height)))
    x1, y1 = (int(np.clip(np.ceil(quad[:, k].max()), 0, side - 1)) for k, side in enumerate((width, height)))
    mask = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
    inside = quad - np.array([x0, y0], np.float32)
    cv2.fillPoly(mask, [inside.astype(np.int32)], [1])
    return float(cv2.mean(probabilities[y0 : y1 + 1, x0 : x1 + 1], mask)[0])


def boxes_from_bitmap(probabilities: Array, picture_width: int, picture_height: int) -> tuple[list[Array], list[float]]:
    height, width = probabilities.shape
    bitmap = (probabilities > THRESH).astype(np.uint8) * 255
    contours, _ = cv2.findContours(bitmap, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    boxes, scores = [], []
    for contour in contours[:MAX_CANDIDATES]:
        quad, short_side = get_mini_boxes(contour)
        if short_side < MIN_SIZE:
            continue
        score = box_score_fast(probabilities, quad)
        if score < BOX_THRESH:
            continue
        expanded = unclip(quad, UNCLIP_RATIO)
        if len(expanded) != 1:
            continue
        box, short_side = get_mini_boxes(expanded[0].reshape(-1, 1, 2))
        if short_side < MIN_SIZE + 2:
            continue
        box[:, 0] = np.clip(np.round(box[:, 0] / width * np.float32(picture_width)), 0, picture_width)
        box[:, 1] = np.clip(np.round(box[:, 1] / height * np.float32(picture_height)), 0, picture_height)
        boxes.append(box.astype(np.int32))
        scores.append(score)
    return boxes, scores


def order_points_clockwise(points: Array) -> Array:
    sums = points.sum(axis=1)
    first, last = int(np.argmin(sums)), int(np.argmax(sums))
    others = np.delete(points, (first, last), axis=0)
    differences = np.diff(others, axis=1)
    return np.array([points[first], others[np.argmin(differences)], points[last], others[np.argmax(differences)]], np.float32)


def filter_tag_det_res(boxes: list[Array], picture_width: int, picture_height: int) -> list[Array]:
    kept = []
    for box in boxes:
        ordered = order_points_clockwise(box)
        for corner in ordered:
            corner[0] = int(min(max(corner[0], 0), picture_width - 1))
            corner[1] = int(min(max(corner[1], 0), picture_height - 1))
        if min(int(np.linalg.norm(ordered[0] - ordered[1])), int(np.linalg.norm(ordered[0] - ordered[3]))) > 3:
            kept.append(ordered)
    return kept


def sorted_boxes(boxes: list[Array]) -> list[Array]:
    ordered = sorted(boxes, key=lambda box: (float(box[0][1]), float(box[0][0])))
    for i in range(len(ordered) - 1):
        for j in range(i, -1, -1):
            upper, lower = ordered[j][0], ordered[j + 1][0]
            if not (abs(lower[1] - upper[1]) < 10 and lower[0] < upper[0]):
                break
            ordered[j], ordered[j + 1] = ordered[j + 1], ordered[j]
    return ordered


def detect(probabilities: Array, picture_width: int, picture_height: int) -> list[Array]:
    """Probability map → boxes in reading order."""
    boxes, _ = boxes_from_bitmap(probabilities, picture_width, picture_height)
    return sorted_boxes(filter_tag_det_res(boxes, picture_width, picture_height))


def get_rotate_crop_image(picture: Array, quad: Array) -> Array:
    width = int(max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[2] - quad[3])))
    height = int(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2])))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, target)
    crop = cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.rot90(crop)) if height / width >= 1.5 else crop


def detector_size(width: int, height: int, limit_side_len: int) -> tuple[int, int]:
    ratio = limit_side_len / max(width, height) if max(width, height) > limit_side_len else 1.0
    return max(round(int(width * ratio) / 32) * 32, 32), max(round(int(height * ratio) / 32) * 32, 32)


def line_size(width: int, height: int, net_height: int, net_width: int, *, grows: bool) -> tuple[int, int]:
    """Net width and content width; the recogniser's input grows with the line, the classifier's does not."""
    ratio = width / height
    if grows:
        net_width = int(net_height * max(net_width / net_height, ratio))
    return net_width, min(net_width, math.ceil(net_height * ratio))


def normalise_detector_input(picture: Array) -> Array:
    mean, std = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
    return np.asarray((picture.astype(np.float32) * np.float32(1 / 255) - mean) / std)


def normalise_line(picture: Array) -> Array:
    return np.asarray((picture.astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5))


def ctc_text(keys: list[str], classes: list[int], probabilities: list[float]) -> tuple[str, float]:
    characters = ["", *keys, " "]
    kept = [i for i, klass in enumerate(classes) if klass != 0 and (i == 0 or classes[i - 1] != klass)]
    score = float(np.mean([probabilities[i] for i in kept])) if kept else 0.0
    return "".join(characters[classes[i]] for i in kept), score
