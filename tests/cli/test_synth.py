"""`edgeocr synth`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeocr.cli import run


def test_a_dataset_is_made_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["synth", "rec", "--count", "3", "--seed", "9", "--out", str(tmp_path / "lines"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["count"], document["seed"], document["held_out"]) == ("rec", 3, 9, False)
    assert len((tmp_path / "lines" / "labels.txt").read_text().splitlines()) == 3
    assert json.loads((tmp_path / "lines" / "dataset.json").read_text())["sha256"] == document["sha256"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["synth", "rec"], "how many pictures"),
        (["synth", "evaluation", "--count", "3"], "are frozen"),
        (["synth", "rec", "--count", "0"], "--count"),
        (["synth", "pages", "--count", "1"], "pages"),
    ],
)
def test_wrong_use_is_told_in_a_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_folder_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    assert run(["synth", "rec", "--count", "1", "--out", str(tmp_path)]) == 2
    assert f"error: {tmp_path}: exists" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["kept.txt"]
