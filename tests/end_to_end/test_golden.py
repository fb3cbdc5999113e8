"""Photographs read with the official int8 models, against the readings of real Paddle-Lite; the phone's program against the host's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import golden
import numpy as np
import pytest
from runner_process import Finished, Runner, host, phone

pytestmark = pytest.mark.data


def read_set(runner: Runner, data: Path, name: str, *options: str | Path) -> Finished:
    pictures = [picture.path for picture in golden.pictures(data, name)]
    done = runner.run("ocr", *golden.models(data, name), *options, *pictures, timeout=1800)
    assert (done.code, done.stderr) == (0, "")
    return done


@pytest.fixture(scope="module", params=golden.SETS)
def set_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("maps")


@pytest.fixture(scope="module")
def readings(set_name: str, host_runner: Path, test_data: Path, maps: Path) -> list[dict[str, Any]]:
    """The host's records of a set's pictures; the maps of each are in `maps`."""
    return read_set(host(), test_data, set_name, "--threads", "2", "--dump-map", maps).of_type("picture")


def test_every_golden_line_is_read_and_nothing_else(readings: list[dict[str, Any]], set_name: str, test_data: Path) -> None:
    pictures = golden.pictures(test_data, set_name)
    assert sum(len(picture.kept()) for picture in pictures) == golden.KEPT_LINES[set_name]
    wrong = [text for picture, record in zip(pictures, readings, strict=True) for text in golden.mismatches(picture, record)]
    assert not wrong, "\n".join(wrong)


def test_lines_stand_in_the_golden_order(readings: list[dict[str, Any]], set_name: str, test_data: Path) -> None:
    for picture, record in zip(golden.pictures(test_data, set_name), readings, strict=True):
        assert [line["text"] for line in record["lines"] if line["kept"]] == [line["text"] for line in picture.kept()], picture.path.name


def test_steps_before_the_text_agree(readings: list[dict[str, Any]], set_name: str, test_data: Path) -> None:
    for picture, record in zip(golden.pictures(test_data, set_name), readings, strict=True):
        height, width = picture.reading["size"]
        assert record["size"] == [width, height]
        assert record["det_input"] == picture.reading["det_input"]
        assert record["det_sum"] == pytest.approx(picture.reading["det_sum"], rel=1e-4), picture.path.name


def test_scores_agree(readings: list[dict[str, Any]], set_name: str, test_data: Path) -> None:
    for picture, record in zip(golden.pictures(test_data, set_name), readings, strict=True):
        for line, ours in zip(picture.kept(), (line for line in record["lines"] if line["kept"]), strict=True):
            assert ours["score"] == pytest.approx(line["score"], abs=1e-3), line["text"]
            assert ours["cls_score"] == pytest.approx(max(line["cls"]), abs=1e-3), line["text"]
            assert (ours["turned"], ours["rec_width"]) == (line["turned"], line["rec_width"])


def test_maps_agree_at_every_pixel(readings: list[dict[str, Any]], set_name: str, test_data: Path, maps: Path) -> None:
    pictures = [picture for picture in golden.pictures(test_data, set_name) if picture.map.is_file()]
    assert len(pictures) == (8 if set_name == "ppocr_mobile_v2.0_slim" else 0)
    for picture in pictures:
        with np.load(picture.map) as archive:
            expected = archive[archive.files[0]].astype(np.float32).reshape(-1)
        ours = np.fromfile(maps / f"{picture.path.stem}.map.f32", "<f4")
        assert np.abs(ours - expected).max() <= 1e-3, picture.path.name


@pytest.mark.emulated
def test_the_phones_program_agrees_to_the_bit(
    readings: list[dict[str, Any]], set_name: str, test_data: Path, maps: Path, tmp_path: Path
) -> None:
    """The smallest of the set's pictures, by the model of the A76. The records' floats are the shortest text that reads back the same."""
    picture = min(golden.pictures(test_data, set_name), key=lambda picture: np.prod(picture.reading["det_input"]))
    done = phone("cortex-a76").run("ocr", *golden.models(test_data, set_name), "--dump-map", tmp_path, picture.path, timeout=1800)
    assert (done.code, done.stderr) == (0, "")
    assert (tmp_path / f"{picture.path.stem}.map.f32").read_bytes() == (maps / f"{picture.path.stem}.map.f32").read_bytes()
    theirs = done.of_type("picture")[0]
    ours = next(record for record in readings if record["picture"] == str(picture.path))
    for field in ("size", "det_input", "det_sum", "lines"):
        assert theirs[field] == ours[field], field
