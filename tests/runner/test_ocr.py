"""`edgeocr_run ocr` with our own models and pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from runner_process import Models, Runner, model_arguments, phone

STAGES = ["decode", "det_pre", "det", "det_post", "crop", "cls", "rec", "rec_per_box", "total"]


def texts(record: dict[str, Any]) -> list[str]:
    return [line["text"] for line in record["lines"] if line["kept"]]


def without_times(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key != "ms"} for record in records]


def test_reads_our_page_as_labelled(native: Runner, own_models: Models, sign: Path) -> None:
    done = native.run("ocr", *own_models, sign)
    assert (done.code, done.stderr) == (0, "")
    hello, picture = done.records
    assert hello["type"] == "hello"
    assert sorted(texts(picture)) == sorted(line["text"] for line in json.loads(sign.with_suffix(".json").read_text()))


def test_record_holds_what_the_protocol_says(native: Runner, own_models: Models, sign: Path) -> None:
    picture = native.run("ocr", *own_models, sign).records[1]
    assert picture["picture"] == str(sign)
    assert picture["repeat"] == 0
    assert picture["size"] == [640, 480]
    assert picture["det_input"] == [1, 3, 480, 640]
    assert picture["det_sum"] > 0
    assert list(picture["ms"]) == STAGES
    ms = picture["ms"]
    assert ms["rec_per_box"] == pytest.approx(ms["rec"] / len(picture["lines"]))
    parts = sum(ms[stage] for stage in ("det_pre", "det", "det_post", "crop", "cls", "rec"))
    assert 0 < parts <= ms["total"]
    for line in picture["lines"]:
        assert all(0 <= x < 640 and 0 <= y < 480 for x, y in line["box"])
        assert line["kept"] == (line["score"] >= 0.5 and line["text"] != "")
        assert 0.6 <= line["box_score"] <= 1
        assert (line["cls_score"], line["turned"]) == (0, False)  # no classifier
        assert line["rec_width"] >= 320


def test_repeats_and_warmup(native: Runner, own_models: Models, sign: Path) -> None:
    records = native.run("ocr", *own_models, sign, "--repeats", "2", "--warmup", "1").of_type("picture")
    assert [record["repeat"] for record in records] == [0, 1]
    assert records[0]["lines"] == records[1]["lines"]


@pytest.mark.parametrize("options", [["--rec-batch-num", "1"], ["--rec-batch-num", "64"], ["--threads", "3"], ["--threads", "4"]])
def test_batches_and_threads_change_nothing(native: Runner, own_models: Models, sign: Path, options: list[str]) -> None:
    receipt = sign.with_name("page_receipt.png")
    usual = native.run("ocr", *own_models, sign, receipt)
    other = native.run("ocr", *own_models, sign, receipt, *options)
    assert without_times(other.of_type("picture")) == without_times(usual.of_type("picture"))


def test_drop_score_marks_lines_and_keeps_them(native: Runner, own_models: Models, sign: Path) -> None:
    usual, strict = (native.run("ocr", *own_models, sign, "--drop-score", score).records[1]["lines"] for score in ("0.5", "1"))
    assert [line["text"] for line in strict] == [line["text"] for line in usual]
    assert not any(line["kept"] for line in strict if line["score"] < 1)


def test_lines_without_text_are_not_kept(native: Runner, own_models: Models, sign: Path) -> None:
    lines = native.run("ocr", *own_models, sign, "--drop-score", "0", "--det-db-box-thresh", "0.1").records[1]["lines"]
    assert all(line["kept"] == (line["text"] != "") for line in lines)


def test_limit_side_len_sets_the_detectors_input(native: Runner, own_models: Models, sign: Path) -> None:
    assert native.run("ocr", *own_models, sign, "--limit-side-len", "320").records[1]["det_input"] == [1, 3, 256, 320]


def test_dump_map(native: Runner, own_models: Models, sign: Path, tmp_path: Path) -> None:
    picture = native.run("ocr", *own_models, sign, "--dump-map", tmp_path, "--repeats", "2").records[1]
    assert [path.name for path in tmp_path.iterdir()] == ["page_sign.map.f32"]
    values = np.fromfile(tmp_path / "page_sign.map.f32", "<f4")
    assert values.size == 480 * 640
    assert 0 <= values.min() <= values.max() <= 1
    assert float(values.sum(dtype=np.float64)) == pytest.approx(picture["det_sum"], rel=1e-9)


def test_dump_map_into_a_folder_that_is_missing(native: Runner, own_models: Models, sign: Path, tmp_path: Path) -> None:
    done = native.run("ocr", *own_models, sign, "--dump-map", tmp_path / "none")
    assert done.code == 1
    assert done.records[1]["message"] == f"{tmp_path}/none/page_sign.map.f32: cannot write: No such file or directory"


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (2000, 3), (33, 47), (640, 480)])
def test_a_picture_without_text_gives_no_lines(native: Runner, own_models: Models, tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    cv2.imwrite(str(tmp_path / "white.png"), np.full((height, width, 3), 255, np.uint8))
    done = native.run("ocr", *own_models, tmp_path / "white.png")
    assert (done.code, done.stderr) == (0, "")
    picture = done.records[1]
    assert (picture["size"], picture["lines"]) == ([width, height], [])
    assert picture["ms"]["rec_per_box"] == 0


def test_a_picture_that_cannot_be_read_does_not_stop_the_others(native: Runner, own_models: Models, sign: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    done = native.run("ocr", *own_models, tmp_path / "none.jpg", sign, tmp_path / "empty.jpg", sign)
    assert (done.code, done.stderr) == (1, "")
    assert [record["type"] for record in done.records] == ["hello", "error", "picture", "error", "picture"]
    assert [record["picture"] for record in done.of_type("error")] == [str(tmp_path / "none.jpg"), str(tmp_path / "empty.jpg")]


def test_the_phones_program_reads_the_same(phone_runner: Path, native: Runner, own_models: Models, tmp_path: Path, sign: Path) -> None:
    """fp32 nets agree to 1e-5; text and boxes are the same."""
    small = cv2.resize(cv2.imread(str(sign)), (320, 240), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "small.png"), small)
    (ours, theirs) = (r.run("ocr", *own_models, tmp_path / "small.png").records[1] for r in (native, phone("cortex-a76")))
    assert theirs["det_sum"] == pytest.approx(ours["det_sum"], rel=1e-5)
    assert [(line["box"], line["text"]) for line in theirs["lines"]] == [(line["box"], line["text"]) for line in ours["lines"]]
    assert ours["lines"]
    for mine, other in zip(ours["lines"], theirs["lines"], strict=True):
        assert other["score"] == pytest.approx(mine["score"], abs=1e-4)


def test_a_classifier_alone_tells_the_direction_of_a_line(native: Runner, own_set: Path, sign: Path, tmp_path: Path) -> None:
    quad = np.array(json.loads(sign.with_suffix(".json").read_text())[0]["quad"], np.int32)
    (left, top), (right, bottom) = quad.min(0), quad.max(0)
    line = cv2.imread(str(sign))[top:bottom, left:right]
    cv2.imwrite(str(tmp_path / "line.png"), line)
    cv2.imwrite(str(tmp_path / "turned.png"), cv2.rotate(line, cv2.ROTATE_180))
    done = native.run("ocr", "--cls", own_set / "cls.nb", tmp_path / "line.png", tmp_path / "turned.png")
    assert (done.code, done.stderr) == (0, "")
    upright, turned = (record["lines"] for record in done.of_type("picture"))
    assert [(line["turned"], line["text"]) for line in (*upright, *turned)] == [(False, ""), (True, "")]
    assert all(line["cls_score"] > 0.9 for line in (*upright, *turned))


@pytest.mark.data
def test_turned_pages_read_as_upright_ones(native: Runner, test_data: Path, sign: Path, tmp_path: Path) -> None:
    """Our page upside down, with the official classifier: every line is turned, and reads as on the upright page.

    Blanks are not compared: the detector's boxes of a turned page differ by some pixels, and the recogniser's blanks with them.
    """
    official = test_data / "models" / "ppocr_mobile_v2.0_slim"
    models = model_arguments(
        official / "ch_ppocr_mobile_v2.0_det_slim_opt.nb",
        official / "ch_ppocr_mobile_v2.0_rec_slim_opt.nb",
        official / "ppocr_keys_v1.txt",
        official / "ch_ppocr_mobile_v2.0_cls_slim_opt.nb",
    )
    turned_page = tmp_path / "turned.png"
    cv2.imwrite(str(turned_page), cv2.rotate(cv2.imread(str(sign)), cv2.ROTATE_180))
    upright, turned = native.run("ocr", *models, sign, turned_page).of_type("picture")
    assert upright["lines"]
    assert not any(line["turned"] for line in upright["lines"])
    assert all(line["turned"] and line["cls_score"] > 0.9 for line in turned["lines"])
    without_blanks = [sorted(text.replace(" ", "") for text in texts(page)) for page in (upright, turned)]
    assert without_blanks[0] == without_blanks[1]
