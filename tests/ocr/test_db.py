"""DB decoding equals PaddleOCR's on OpenCV and pyclipper, step by step and as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import paddle_ocr
import pytest
from numpy.typing import NDArray
from ocr_steps import Floats, Steps

Quad = NDArray[np.float32]


def rotated_rect(rng: np.random.Generator, extent: float, shortest: float, longest: float) -> Quad:
    width, height = np.exp(rng.uniform(np.log(shortest), np.log(longest), 2))
    angle = float(rng.choice([0, 45, 90, rng.uniform(-2, 2), rng.uniform(-90, 90)]))
    centre = rng.uniform(0, extent, 2)
    return np.asarray(cv2.boxPoints(((centre[0], centre[1]), (width, height), angle)), np.float32)


def random_map(rng: np.random.Generator) -> Floats:
    """Slanted bars as a detector draws them, some too faint, too small, touching or over the border."""
    height, width = 32 * int(rng.integers(2, 9)), 32 * int(rng.integers(2, 9))
    drawn = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 25))):
        centre, slant = rng.uniform(0, 1, 2) * (width, height), float(rng.choice([0, 90, rng.uniform(0, 90)]))
        bar = cv2.boxPoints(((centre[0], centre[1]), (float(rng.uniform(4, 60)), float(rng.uniform(2, 14))), slant))
        cv2.fillPoly(drawn, [bar.astype(np.int32)], [float(rng.uniform(0.4, 1))])
    return np.ascontiguousarray(cv2.blur(drawn, (3, 3)) * rng.uniform(0.95, 1, (height, width)), dtype=np.float32)


def test_mini_boxes_equal_opencv(steps: Steps, rng: np.random.Generator) -> None:
    for i in range(3000):
        extent = int(rng.integers(1, 5 if i % 2 else 200))  # few positions make many ties
        points = rng.integers(0, extent, (int(rng.integers(1, 30)), 2)).astype(np.int32)
        quad, short_side = steps.mini_box(points)
        expected, expected_side = paddle_ocr.get_mini_boxes(points)
        assert np.array_equal(quad, expected), points.tolist()
        assert short_side == np.float32(expected_side)


def test_unclip_equals_pyclipper(steps: Steps, rng: np.random.Generator) -> None:
    for _ in range(3000):
        corners = rotated_rect(rng, 400, 3, 300)
        quad, _ = paddle_ocr.get_mini_boxes(corners)
        ratio = float(rng.choice([0.5, 1.0, 1.5, 1.5, 2.0]))
        expected = paddle_ocr.unclip(quad, ratio)
        assert len(expected) == 1
        assert steps.unclip(quad, ratio).tolist() == expected[0].tolist(), quad.tolist()


@pytest.mark.parametrize("quad", [
    [[0, 0], [0, 0], [0, 0], [0, 0]],
    [[0, 0], [9, 0], [9, 0], [0, 0]],
    [[0, 0], [9, 9], [9, 0], [0, 9]],  # crosses itself
    [[0, 0], [9, 0], [4, 1], [0, 9]],  # hollow
    [[np.nan, 0], [9, 0], [9, 9], [0, 9]],
    [[0, 0], [np.inf, 0], [9, 9], [0, 9]],
])  # fmt: skip
def test_unclip_of_what_is_not_convex_is_empty(steps: Steps, quad: list[list[float]]) -> None:
    assert len(steps.unclip(np.array(quad, np.float32), 1.5)) == 0


def test_scores_equal_fill_poly(steps: Steps, rng: np.random.Generator) -> None:
    for i in range(3000):
        height, width = (int(side) for side in rng.integers(1, 80, 2))
        probabilities = rng.random((height, width), dtype=np.float32)
        if i % 3 == 0:
            quad = rng.uniform(-10, 90, (4, 2)).astype(np.float32)
        elif i % 3 == 1:
            quad = rotated_rect(rng, 80, 1, 80)
        else:
            quad = rng.integers(-3, 90, (4, 2)).astype(np.float32)
        assert abs(steps.box_score(probabilities, quad) - paddle_ocr.box_score_fast(probabilities, quad)) <= 1e-6, (
            width,
            height,
            quad.tolist(),
        )


def test_scores_of_endless_boxes(steps: Steps) -> None:
    ones = np.ones((8, 8), np.float32)
    assert steps.box_score(ones, np.array([[-1e9, -1e9], [1e9, -1e9], [1e9, 1e9], [-1e9, 1e9]], np.float32)) == 1
    assert steps.box_score(ones, np.array([[0, 0], [np.nan, 0], [5, 5], [0, 5]], np.float32)) == 0


def test_order_filter_and_sort_equal_paddle_ocr(steps: Steps, rng: np.random.Generator) -> None:
    for i in range(1000):
        side = int(rng.integers(3, 60 if i % 2 else 400))  # small pictures make ties and crowded lines
        boxes = rng.integers(-3, side + 4, (int(rng.integers(0, 20)), 4, 2)).astype(np.float32)
        kept = paddle_ocr.sorted_boxes(paddle_ocr.filter_tag_det_res(list(boxes), side, side))
        assert steps.filter_and_sort(boxes, side, side).tolist() == [box.tolist() for box in kept]


def test_boxes_of_random_maps_equal_paddle_ocr(steps: Steps, rng: np.random.Generator) -> None:
    total = 0
    for _ in range(500):
        probabilities = random_map(rng)
        picture_width, picture_height = (int(side) for side in rng.integers(20, 1500, 2))
        boxes, _ = steps.decode_db(probabilities, picture_width, picture_height)
        expected = paddle_ocr.detect(probabilities, picture_width, picture_height)
        assert boxes.tolist() == [box.tolist() for box in expected]
        total += len(expected)
    assert total >= 1000


@pytest.mark.data
def test_boxes_of_the_golden_maps(steps: Steps, test_data: Path) -> None:
    maps = sorted((test_data / "golden" / "ppocr_mobile_v2.0_slim").glob("*.det.npz"))
    assert maps
    for path in maps:
        with np.load(path) as archive:
            probabilities = np.ascontiguousarray(np.squeeze(archive[archive.files[0]]), dtype=np.float32)
        golden = json.loads(path.with_name(path.name.replace(".det.npz", ".json")).read_text())
        height, width = golden["size"]
        boxes, scores = steps.decode_db(probabilities, width, height)
        expected = np.array([line["box"] for line in golden["lines"]], np.float32)
        assert boxes.shape == expected.shape, path.name
        assert np.abs(boxes - expected).max() <= 2, path.name
        assert scores.min() >= paddle_ocr.BOX_THRESH


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (32, 32)])
@pytest.mark.parametrize("value", [0.0, 1.0, np.nan])
def test_flat_maps(steps: Steps, shape: tuple[int, int], value: float) -> None:
    boxes, _ = steps.decode_db(np.full(shape, value, np.float32), 100, 100)
    whole = [[0, 0], [99, 0], [99, 99], [0, 99]]
    assert boxes.tolist() == ([whole] if value == 1 and min(shape) > 1 else [])


def test_nan_counts_as_below_the_threshold(steps: Steps) -> None:
    probabilities = np.full((64, 64), np.nan, np.float32)
    probabilities[20:40, 10:50] = 0.9
    zeros = np.nan_to_num(probabilities)
    assert steps.find_contours((probabilities > 0.3).astype(np.uint8))
    assert len(steps.decode_db(zeros, 64, 64)[0]) == 1
    assert steps.decode_db(probabilities, 64, 64)[0].tolist() == steps.decode_db(zeros, 64, 64)[0].tolist()


def test_a_million_specks_are_no_text(steps: Steps) -> None:
    specks = np.zeros((2048, 2048), np.float32)
    specks[::2, ::2] = 1
    assert len(steps.decode_db(specks, 2048, 2048)[0]) == 0
