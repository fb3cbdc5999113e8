from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeocr.cli.sensitivity import command
from edgeocr.convert import paddle_env
from edgeocr.errors import EdgeocrError, UsageError

TABLE = {"baseline": {"hmean": 0.9}, "losses": {"a.weight": {"0.1": 0.01, "0.2": 0.125}, "b.weight": {"0.2": -0.02}}}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "table.json"
    file.write_text(json.dumps(TABLE))
    return file


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_table_is_shown_with_gaps_for_what_was_not_measured(table: Path) -> None:
    a, b = (next(line for line in run("--from", table).splitlines() if name in line).split("│") for name in ("a.weight", "b.weight"))
    assert [cell.strip() for cell in a[2:4]] == ["1.0%", "12.5%"]
    assert [cell.strip() for cell in b[2:4]] == ["", "-2.0%"]


def test_json_is_the_table(table: Path) -> None:
    assert json.loads(run("--from", table, "--json")) == TABLE


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"baseline": {}}',
        '{"baseline": 1, "losses": {}}',
        '{"baseline": {}, "losses": {"w": [1]}}',
        '{"baseline": {}, "losses": {"w": {"half": 0.1}}}',
        '{"baseline": {}, "losses": {"w": {"0.1": NaN}}}',
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(UsageError, match=r"t\.json: holds no sensitivity"):
        run("--from", tmp_path / "t.json")


def test_a_table_that_has_no_place_is_not_measured(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paddle_env, "paddle_python", lambda: Path("python"))
    monkeypatch.setattr(paddle_env, "stream_module", lambda *arguments: pytest.fail("measured"))
    with pytest.raises(EdgeocrError, match=r"table\.json: cannot be written: Not a directory"):
        run("--config", table, "--out", table / "x.json")


def test_what_is_asked_reaches_the_measurement(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def stream_module(module: str, arguments: list[str | Path], what: str, on_line: Callable[[str], None]) -> None:
        asked.append([module, *map(str, arguments)])
        on_line("a remark of a library")
        on_line(json.dumps({"weight": "a.weight", "ratio": 0.2, "loss": 0.125, "done": 1, "of": 2}))

    monkeypatch.setattr(paddle_env, "paddle_python", lambda: Path("python"))
    monkeypatch.setattr(paddle_env, "stream_module", stream_module)
    run("--config", table, "--out", table, "--pages", "3", "--ratios", "0.2,0.5")
    assert asked == [["edgeocr.compress.sensitivity", str(table), str(table), "--pages", "3", "--ratios", "0.2,0.5"]]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--ratios", "0.1,half", "expected numbers between commas"),
        ("--ratios", "0.5,1", "expected numbers between 0 and 1"),
        ("--plot", "curves.png", r"curves\.png: the drawing's suffix is \.png, expected \.svg"),
    ],
)
def test_what_cannot_be_asked_is_a_usage_error(table: Path, option: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(command, ["--from", str(table), option, value], catch_exceptions=False)
