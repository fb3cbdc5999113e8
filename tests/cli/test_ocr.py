"""`edgeocr ocr` and `edgeocr inspect` from arguments to output and exit code; the runner is a stand-in that reads the labels."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from nb_writer import Op, write_nb

from edgeocr import paths
from edgeocr.cli import run
from edgeocr.paths import MODELS

SUPPORT = Path(__file__).parents[1] / "support"
PAGE = MODELS / "pictures" / "page_sign.png"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Runs the command line with the stand-in runner; gives exit code, stdout and stderr."""
    runner = tmp_path / "edgeocr_run"
    script = (SUPPORT / "fake_runner.py").read_text()
    runner.write_text(script.replace("#!/usr/bin/env python3", f"#!{sys.executable}", 1))
    runner.chmod(0o755)
    monkeypatch.setattr(paths, "HOST_RUNNER", runner)

    def called(*arguments: str | Path) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return called


def picture(folder: Path, name: str, *texts: str) -> Path:
    """A grey picture with labelled lines one below the other."""
    path = folder / name
    cv2.imwrite(str(path), np.full((200, 300, 3), 127, np.uint8))
    quads = [[[10, 10 + 30 * i], [110, 10 + 30 * i], [110, 30 + 30 * i], [10, 30 + 30 * i]] for i in range(len(texts))]
    labels = [{"text": text, "quad": quad} for text, quad in zip(texts, quads, strict=True)]
    path.with_suffix(".json").write_text(json.dumps(labels))
    return path


def test_json_is_one_list_of_exactly_these_fields(call: Call, tmp_path: Path) -> None:
    path = picture(tmp_path, "page.png", "TOTAL", "weak", "中文")
    code, out, _ = call("ocr", path, "--json")
    assert code == 0
    (document,) = json.loads(out)
    assert set(document) == {"picture", "lines", "ms"}
    assert document["picture"] == str(path)
    assert document["lines"] == [
        {"box": [[10, 10], [110, 10], [110, 30], [10, 30]], "text": "TOTAL", "score": 0.97, "turned": True},
        {"box": [[10, 70], [110, 70], [110, 90], [10, 90]], "text": "中文", "score": 0.97, "turned": False},
    ]
    assert {"decode", "det", "rec", "total"} <= set(document["ms"])


def test_all_shows_the_other_lines_marked(call: Call, tmp_path: Path) -> None:
    path = picture(tmp_path, "page.png", "TOTAL", "weak")
    _, out, _ = call("ocr", path, "--json", "--all")
    kept, dropped = json.loads(out)[0]["lines"]
    assert "kept" not in kept and dropped["kept"] is False and dropped["text"] == "weak"
    _, out, _ = call("ocr", path, "--all")
    assert "not kept" in out
    _, out, _ = call("ocr", path)
    assert "weak" not in out


def test_table_shows_every_line_and_the_times(call: Call) -> None:
    code, out, err = call("ocr", PAGE)
    assert code == 0 and "error" not in err
    for label in json.loads(PAGE.with_suffix(".json").read_text()):
        assert label["text"] in out
    assert "turned" in out and "total 44.0" in out


def test_one_bad_picture_of_several_is_one_error_line_and_exit_code_1(call: Call, tmp_path: Path) -> None:
    good, bad, missing = picture(tmp_path, "a.png", "first"), picture(tmp_path, "bad.png"), tmp_path / "missing.png"
    other = picture(tmp_path, "b.png", "second")
    code, out, err = call("ocr", good, bad, missing, tmp_path, other, "--json")
    assert code == 1
    assert [document["picture"] for document in json.loads(out)] == [str(good), str(other)]
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert sorted(errors) == sorted(
        [
            f"error: {missing}: no such picture",
            f"error: {tmp_path}: is a folder, expected a picture: name its files, for example {tmp_path}/*.jpg",
            f"error: {bad}: is no picture: expected JPEG, PNG or BMP",
        ]
    )


def test_pattern_that_the_shell_did_not_expand(call: Call, tmp_path: Path) -> None:
    code, out, err = call("ocr", tmp_path / "*.jpg", "--json")
    assert code == 1 and json.loads(out) == []
    assert err.splitlines()[-1] == f"error: {tmp_path}/*.jpg: no file matches the pattern"


def test_devices_and_pipes_are_not_waited_for(call: Call, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    code, _, err = call("ocr", pipe, "/dev/zero")
    assert code == 1
    assert err.splitlines()[-2:] == [f"error: {name}: is a device or a pipe, expected a file" for name in (pipe, "/dev/zero")]


def test_picture_without_text(call: Call, tmp_path: Path) -> None:
    path = picture(tmp_path, "page.png")
    code, out, _ = call("ocr", path)
    assert code == 0 and "no text found" in out
    code, out, _ = call("ocr", path, "--json")
    assert json.loads(out)[0]["lines"] == []


def test_runner_that_crashes_is_one_error_line(call: Call, tmp_path: Path) -> None:
    code, _, err = call("ocr", picture(tmp_path, "crash.png"))
    assert code == 1 and "was ended by SIGSEGV" in err


def test_missing_runner_says_how_to_build_it(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "HOST_RUNNER", tmp_path / "none")
    code, _, err = call("ocr", picture(tmp_path, "page.png"))
    assert code == 1 and "is not built" in err and "make runner" in err


def test_names_that_look_like_markup_are_shown_as_they_are(call: Call, tmp_path: Path) -> None:
    path = picture(tmp_path, "[bold]page[red].png", "[red]price[/nothing]")
    code, out, _ = call("ocr", path)
    assert code == 0 and "[bold]page[red].png" in out and "[red]price[/nothing]" in out


def test_folder_of_models_and_set_exclude_each_other(call: Call, tmp_path: Path) -> None:
    code, _, err = call("ocr", picture(tmp_path, "page.png"), "--models", tmp_path, "--set", "edgeocr_en")
    assert code == 2 and "give one of them" in err


def test_folder_whose_dictionary_does_not_fit(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(MODELS / "edgeocr_en" / "none", folder)
    keys = folder / "en_keys.txt"
    keys.write_bytes(keys.read_bytes() + b"x\n")
    code, out, err = call("ocr", PAGE, "--models", folder)
    assert code == 1 and out == ""
    assert "95 keys give 97 classes (blank, keys, space), but" in err and "rec.nb has 96" in err


def test_drawing_is_written_whole(call: Call, tmp_path: Path) -> None:
    path = picture(tmp_path, "page.png", "TOTAL", "中文")
    target = tmp_path / "drawn.png"
    code, _, err = call("ocr", path, "--draw", target)
    assert code == 0 and f"drawn: {target}" in err
    drawn, original = cv2.imread(str(target)), cv2.imread(str(path))
    assert drawn is not None and original is not None
    assert drawn.shape[0] >= original.shape[0] and drawn.shape[1] > original.shape[1]
    edge = drawn[10, 12:108].astype(int)  # the first box's upper side, smoothed
    assert (edge[:, 2] - edge[:, 0]).min() > 100
    assert (drawn[:, original.shape[1] :] < 64).any()  # the legend's letters
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("target", "pictures", "message"),
    [
        ("out.gif", 1, "the drawing's suffix is .gif, expected .png"),
        ("none/out.png", 1, "expected a file in a folder that exists"),
        ("out.png", 2, "--draw makes one drawing, but there are 2 pictures"),
    ],
)
def test_drawings_that_cannot_be_are_usage_errors(call: Call, tmp_path: Path, target: str, pictures: int, message: str) -> None:
    files = [picture(tmp_path, f"{index}.png", "a") for index in range(pictures)]
    code, out, err = call("ocr", *files, "--draw", tmp_path / target)
    assert code == 2 and out == "" and message in err


def test_picture_is_never_replaced_by_its_drawing(call: Call, tmp_path: Path) -> None:
    path = picture(tmp_path, "page.png", "a")
    (tmp_path / "link.png").symlink_to(path)
    before = path.read_bytes()
    for target in (path, tmp_path / "." / "link.png"):
        code, out, err = call("ocr", path, "--draw", target)
        assert code == 2 and out == "" and f"error: {target}: is the picture itself" in err
    assert path.read_bytes() == before
    assert (tmp_path / "link.png").is_symlink()


def test_inspect_shows_container_operators_and_parameters(call: Call) -> None:
    model = MODELS / "edgeocr_en" / "none" / "rec.nb"
    code, out, _ = call("inspect", model)
    assert code == 0
    for text in ("opt v2.13-rc, meta_version 2", "?x3x32x?", "depthwise_conv2d", "rnn", "normalised sha256"):
        assert text in out
    code, out, _ = call("inspect", model, "--json")
    document = json.loads(out)
    assert document["bytes"] == model.stat().st_size and document["warnings"] == []
    assert sum(group["count"] for group in document["operators"]) == 108
    assert "plan" not in document


def test_inspect_plan_asks_for_a_shape_that_the_file_leaves_open(call: Call) -> None:
    model = MODELS / "edgeocr_en" / "none" / "rec.nb"
    code, _, err = call("inspect", model, "--plan")
    assert code == 1 and "give the shape with --input N,C,H,W" in err
    code, out, _ = call("inspect", model, "--plan", "--input", "1,3,32,320", "--json")
    assert code == 0 and [node["output"] for node in json.loads(out)["plan"]] == ["1x3x32x320"] * 2
    code, out, _ = call("inspect", model, "--plan", "--input", "1,3,32,320")
    assert "generic.conv2d.fp32" in out and "2,000" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--input", "1,3,32"], 2, "'1,3,32' is not N,C,H,W"),
        (["--input", "1,3,-32,320"], 2, "is not N,C,H,W"),
        (["--input", "1,3,32,320"], 2, "give --plan too"),
        (["--device", "emulated"], 2, "give --plan too"),
        (["--precision", "fp16"], 2, "give --plan too"),
    ],
)
def test_inspect_usage(call: Call, arguments: list[str], code: int, message: str) -> None:
    found, _, err = call("inspect", MODELS / "edgeocr_en" / "none" / "rec.nb", *arguments)
    assert found == code and message in err


def test_inspect_names_what_is_wrong_and_never_prints_control_characters(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "odd.nb"
    ruined = Op("conv2d_transpose", attributes={"enable_int8": True, "Filter0_scale": [1e-9, 1.0]})
    path.write_bytes(write_nb([Op("\x1b[31m[/red]"), ruined], []))
    code, out, err = call("inspect", path)
    assert code == 0 and "\x1b" not in out + err
    assert "warning: the runtime does not know the operator '\\x1b[31m[/red]'" in out and "opt has folded a" in out
    path.write_bytes(path.read_bytes()[:100])
    code, out, err = call("inspect", path)
    assert code == 1 and out == "" and err.startswith(f"error: {path}: topology_size is")
    code, _, err = call("inspect", tmp_path / "none.nb")
    assert code == 1 and "cannot be read" in err
