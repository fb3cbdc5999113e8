"""Augmentations: the same generator gives the same sample, boxes follow their pixels, and what is off changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeocr.data.augment.bda import bda
from edgeocr.data.augment.colour import colour_jitter
from edgeocr.data.augment.copy_paste import copy_paste
from edgeocr.data.augment.flip import fliplr
from edgeocr.data.augment.randaugment import OPERATIONS, randaugment
from edgeocr.data.augment.sample import Sample, Transform, affine_about_centre, rotation, warp
from edgeocr.data.augment.tia import deform, distort, fiducials, moving_least_squares, perspective, stretch, tia
from edgeocr.data.labels import TextBox

RED = (0, 0, 255)


def noise(height: int = 32, width: int = 120, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def box(x0: float, y0: float, x1: float, y1: float, text: str = "text") -> TextBox:
    return TextBox(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32), text)


def page(height: int = 200, width: int = 240) -> Sample:
    """Grey, with one red rectangle that its box encloses."""
    picture = np.full((height, width, 3), 128, np.uint8)
    picture[80:120, 70:170] = RED
    return Sample(picture, (box(69.5, 79.5, 169.5, 119.5),))


def red_box(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """x0, y0, x1, y1 of the red pixels."""
    y, x = np.nonzero((picture[..., 2] > 190) & (picture[..., 0] < 65))
    return np.array([x.min(), y.min(), x.max(), y.max()], np.float64)


def bounds(points: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.concatenate([points.min(0), points.max(0)]).astype(np.float64)


LINE_TRANSFORMS: list[Callable[[], Transform]] = [
    lambda: bda(p=1),
    lambda: tia(p=1),
    lambda: randaugment(3, 7),
    lambda: colour_jitter(),
]


@pytest.mark.parametrize("make", LINE_TRANSFORMS)
@pytest.mark.parametrize("size", [(32, 120), (32, 9), (48, 320), (5, 33)])
def test_lines_keep_their_size_and_depend_on_the_generator_alone(make: Callable[[], Transform], size: tuple[int, int]) -> None:
    sample = Sample(noise(*size))
    before = sample.picture.copy()
    first, second = (make()(np.random.default_rng(4), sample).picture for _ in range(2))
    assert first.shape == (*size, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(sample.picture, before)
    assert any((make()(np.random.default_rng(seed), sample).picture != before).any() for seed in range(5))


@pytest.mark.parametrize("transform", [bda(p=0), tia(p=0), randaugment(0), fliplr(0), copy_paste(lambda rng: page(), p=0)])
def test_what_is_off_changes_nothing(transform: Transform) -> None:
    sample = page()
    result = transform(np.random.default_rng(1), sample)
    np.testing.assert_array_equal(result.picture, sample.picture)
    assert result.boxes == sample.boxes


@pytest.mark.parametrize("degrees", [-20, 0, 7, 90])
def test_boxes_turn_with_their_pixels(degrees: float) -> None:
    turned = warp(page(), affine_about_centre(page(), rotation(degrees)))
    np.testing.assert_allclose(bounds(turned.boxes[0].points), red_box(turned.picture), atol=1.5)


@pytest.mark.parametrize("name", ["shearX", "shearY", "translateX", "translateY", "rotate"])
@pytest.mark.parametrize("strength", [-0.6, 0.6])
def test_geometry_of_randaugment_moves_boxes_too(name: str, strength: float) -> None:
    moved = OPERATIONS[name](page(), strength)
    np.testing.assert_allclose(bounds(moved.boxes[0].points), red_box(moved.picture), atol=1.5)
    assert abs(bounds(moved.boxes[0].points) - bounds(page().boxes[0].points)).max() > 2


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_no_strength_changes_no_box(name: str) -> None:
    np.testing.assert_allclose(OPERATIONS[name](page(), 0.0).boxes[0].points, page().boxes[0].points, atol=1e-3)


def test_magnitudes_have_a_limit() -> None:
    with pytest.raises(TypeError, match="m is 11"):
        randaugment(2, 11)


def test_bda_moves_boxes_with_their_pixels() -> None:
    for seed in range(10):
        sample = bda(p=1, most_blur=3, most_noise=0)(np.random.default_rng(seed), page())
        np.testing.assert_allclose(bounds(sample.boxes[0].points), red_box(sample.picture), atol=3)


def test_least_squares_reproduce_an_affine_map_and_meet_their_points() -> None:
    rng = np.random.default_rng(2)
    p, v = rng.uniform(0, 100, (8, 2)), rng.uniform(0, 100, (50, 2))
    linear, shift = np.array([[1.1, 0.2], [-0.3, 0.9]]), np.array([5.0, -2.0])
    np.testing.assert_allclose(moving_least_squares(v, p, p @ linear + shift), v @ linear + shift, atol=1e-6)
    q = p + rng.uniform(-3, 3, p.shape)
    np.testing.assert_allclose(moving_least_squares(p, p, q), q, atol=1e-3)


@pytest.mark.parametrize("move", [distort, stretch, perspective])
def test_tia_brings_pixels_to_the_moved_points(move: Callable[..., NDArray[np.float64]]) -> None:
    height, width = 48, 240
    at = fiducials(height, width, 3)
    to = move(np.random.default_rng(3), at, height, width / 3, 0.3)
    assert abs(to - at).max() > 1
    inner = np.array([[80.0, 24.0]])
    picture = np.zeros((height, width, 3), np.uint8)
    cv2.circle(picture, (80, 24), 3, (255, 255, 255), -1)
    moved = deform(picture, at, to)
    y, x = np.nonzero(moved[..., 0] > 128)
    # The deformation of the inverse is not the exact inverse: two pixels.
    np.testing.assert_allclose([x.mean(), y.mean()], moving_least_squares(inner, at, to)[0], atol=2)


def test_tia_without_movement_is_the_picture() -> None:
    picture = cv2.GaussianBlur(noise(32, 100), (0, 0), 1.5)
    at = fiducials(32, 100, 3)
    assert abs(deform(np.asarray(picture, np.uint8), at, at).astype(int) - picture).max() <= 1


def test_pages_are_no_lines_for_tia() -> None:
    sample = page()
    assert tia(p=1)(np.random.default_rng(0), sample) is sample


def test_text_is_pasted_where_there_is_room() -> None:
    empty = Sample(np.full((300, 300, 3), 128, np.uint8), (box(10, 10, 60, 30, "own"),))
    pasted = copy_paste(lambda rng: page(), p=1)(np.random.default_rng(5), empty)
    assert [b.transcription for b in pasted.boxes] == ["own", "text"]
    np.testing.assert_allclose(bounds(pasted.boxes[1].points), red_box(pasted.picture), atol=1)
    assert (empty.picture == 128).all()
    full = Sample(np.full((130, 180, 3), 128, np.uint8), (box(0, 0, 179, 129, "own"),))
    unchanged = copy_paste(lambda rng: page(), p=1)(np.random.default_rng(5), full)
    assert [b.transcription for b in unchanged.boxes] == ["own"]
    np.testing.assert_array_equal(unchanged.picture, full.picture)


def test_ignored_and_too_large_text_is_not_pasted() -> None:
    def others(rng: np.random.Generator) -> Sample:
        return Sample(page().picture, (box(70, 80, 169, 119, "###"), box(0, 0, 239, 199, "large")))

    small = Sample(np.zeros((100, 100, 3), np.uint8))
    assert copy_paste(others, p=1)(np.random.default_rng(0), small).boxes == ()
