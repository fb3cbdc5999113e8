"""Synthetic text: the same seed gives the same pictures, labels say what is in them, evaluation texts are in no training set."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr.data import evaluation
from edgeocr.data.evaluation import evaluation_set
from edgeocr.data.labels import read_det_labels, read_rec_labels
from edgeocr.data.synth import text
from edgeocr.data.synth.dataset import GENERATOR, KINDS, digest, generate, read_description
from edgeocr.data.synth.fonts import PACKAGES, font_files, load_font, plain_fonts
from edgeocr.data.synth.ink import VISIBLE, draw_ink
from edgeocr.data.synth.lines import Level, make_line
from edgeocr.errors import DataError, SetupError, UsageError
from edgeocr.paths import MODELS


def pictures(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted((folder / "images").iterdir())]


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_depends_on_seed_and_number_alone(tmp_path: Path, kind: str) -> None:
    four = generate(kind, tmp_path / "four", count=4, seed=5, page_size=192, workers=2)
    three = generate(kind, tmp_path / "three", count=3, seed=5, page_size=192)
    generate(kind, tmp_path / "other", count=3, seed=6, page_size=192)
    assert pictures(tmp_path / "three") == pictures(tmp_path / "four")[:3] != pictures(tmp_path / "other")
    assert three.sha256 == digest(tmp_path / "three") != four.sha256
    assert read_description(tmp_path / "three") == three


def test_texts_are_of_the_dictionary_and_held_out_ones_apart(tmp_path: Path) -> None:
    dictionary = set((MODELS / "edgeocr_en" / "en_keys.txt").read_text().splitlines()) | {" "}
    texts = []
    for held_out in (False, True):
        folder = tmp_path / str(held_out)
        generate("rec", folder, count=40, seed=1, held_out=held_out)
        texts.append([sample.text for sample in read_rec_labels(folder / "labels.txt")])
    assert set("".join(texts[0] + texts[1])) <= dictionary
    assert not any(map(text.is_held_out, texts[0]))
    assert all(map(text.is_held_out, texts[1]))
    assert all(2 <= len(t) <= 16 for t in texts[1])


def test_lines_have_no_double_spaces_and_keep_their_length() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        line = text.line(rng, 3, 9)
        assert 3 <= len(line) <= 9
        assert line == " ".join(line.split())


@pytest.mark.parametrize("level", list(Level))
def test_a_line_fills_its_height_and_not_more_than_its_width(level: Level) -> None:
    rng = np.random.default_rng(level)
    for _ in range(10):
        line = make_line(rng, level, height=32, most_width=200, lengths=(1, 20), held_out=False)
        height, width, channels = line.picture.shape
        assert (height, channels) == (32, 3)
        assert 8 <= width <= 200
        assert line.picture.std() > 2  # there is ink on it


def test_ink_is_cut_to_the_text() -> None:
    mask = draw_ink("Wide-gap", load_font(plain_fonts()[0], 40), spacing=3)
    assert mask is not None
    assert min(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) > VISIBLE
    assert draw_ink(" ", load_font(plain_fonts()[0], 40)) is None


def test_boxes_hold_text_inside_of_the_page(tmp_path: Path) -> None:
    """Inside of a box the picture varies more than in the same box of the page's smoothed self; boxes do not overlap."""
    generate("det", tmp_path / "det", count=6, seed=2, held_out=True, page_size=320)
    samples = read_det_labels(tmp_path / "det" / "labels.txt")
    assert all(1 <= len(sample.boxes) <= 40 for sample in samples)
    for sample in samples:
        page = cv2.imread(str(sample.image), cv2.IMREAD_GRAYSCALE)
        assert page is not None and page.shape == (320, 320)
        covered = np.zeros(page.shape, np.uint8)
        edges = np.abs(cv2.Laplacian(page, cv2.CV_32F))
        for box in sample.boxes:
            assert (box.points >= 0).all() and (box.points <= 320).all()
            assert cv2.contourArea(box.points, oriented=True) > 0  # clockwise as seen, from the text's top left
            inside = np.zeros(page.shape, np.uint8)
            cv2.fillConvexPoly(inside, np.round(box.points).astype(np.int32), [1])
            assert not (covered & inside).any()
            covered |= inside
            assert edges[inside == 1].max() > 20


def test_directions_are_turned_lines(tmp_path: Path) -> None:
    generate("cls", tmp_path / "cls", count=30, seed=1)
    labels = [sample.text for sample in read_rec_labels(tmp_path / "cls" / "labels.txt")]
    assert set(labels) == {"0", "180"}


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("keep")
    with pytest.raises(UsageError, match="exists"):
        generate("rec", tmp_path / "mine", count=1, seed=1)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_missing_fonts_are_named_by_package(tmp_path: Path) -> None:
    for name in PACKAGES:
        if name != "lato":
            (tmp_path / name).mkdir()
            (tmp_path / name / "x.ttf").touch()
    with pytest.raises(SetupError) as error:
        font_files(tmp_path)
    assert error.value.hint is not None and error.value.hint.endswith("fonts-lato")


def test_the_frozen_sets_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "COUNTS", {"rec": 5})
    made = generate("rec", tmp_path / "model", count=5, seed=evaluation.SEED, held_out=True)
    hashes = tmp_path / "evaluation.json"
    monkeypatch.setattr(evaluation, "HASHES", hashes)
    hashes.write_text(json.dumps({"generator": GENERATOR, "sha256": {"rec": made.sha256}}))
    folder = evaluation_set("rec", folder=tmp_path / "sets")
    assert evaluation_set("rec", folder=tmp_path / "sets") == folder
    (folder / "labels.txt").write_text((folder / "labels.txt").read_text().replace("\t", "\tx", 1))
    with pytest.raises(DataError, match="is not the frozen"):
        evaluation_set("rec", folder=tmp_path / "sets")
    hashes.write_text(json.dumps({"generator": GENERATOR, "sha256": {"rec": "0" * 64}}))
    with pytest.raises(DataError, match="that this machine draws is not the frozen one"):
        evaluation_set("rec", folder=tmp_path / "again")
    assert not (tmp_path / "again" / "rec").exists()
    hashes.write_text(json.dumps({"generator": GENERATOR + 1, "sha256": {"rec": made.sha256}}))
    with pytest.raises(DataError, match=f"generator {GENERATOR + 1}"):
        evaluation_set("rec", folder=tmp_path / "again")


def test_the_frozen_lines_keep_their_texts(tmp_path: Path) -> None:
    """Another text under the committed seed means another generator: its number in dataset.py and the hashes must change with it."""
    generate("rec", tmp_path / "rec", count=3, seed=evaluation.SEED, held_out=True)
    texts = [sample.text for sample in read_rec_labels(tmp_path / "rec" / "labels.txt")]
    assert texts == ["4325 Bich", 'Bela x^-" ST', "Jeacai me"]
