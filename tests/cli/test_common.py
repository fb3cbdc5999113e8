"""Options, output and progress that the commands share."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.table import Table

from edgeocr.cli import common


@click.command()
@common.device_option()
@common.models_options
@common.json_option
def everything(device: str, set_name: str | None, variant: str | None, models_dir: Path | None, as_json: bool) -> None:
    common.emit_json([device, set_name, variant, models_dir and models_dir.name, as_json])


@click.command()
@common.device_option(default=None)
def needs_device(device: str) -> None:
    click.echo(device)


def test_options_default_to_this_machine_and_the_registry() -> None:
    assert json.loads(CliRunner().invoke(everything).stdout) == ["host", None, None, None, False]


def test_options_arrive(tmp_path: Path) -> None:
    args = ["--device", "emulated", "--set", "own", "--variant", "prune+pact", "--models", str(tmp_path), "--json"]
    assert json.loads(CliRunner().invoke(everything, args).stdout) == ["emulated", "own", "prune+pact", tmp_path.name, True]


@pytest.mark.parametrize("args", [["--models", "/nonexistent"], ["--variant", "tiny"], ["--models", __file__]])
def test_wrong_values_are_usage_errors(args: list[str]) -> None:
    assert CliRunner().invoke(everything, args).exit_code == 2


def test_a_device_can_be_required() -> None:
    assert CliRunner().invoke(needs_device).exit_code == 2
    assert CliRunner().invoke(needs_device, ["--device", "R58M"]).stdout == "R58M\n"


def test_json_is_utf8_in_any_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    common.emit_json({"text": "纯臻营养护发素"})
    sys.stdout.flush()
    assert json.loads(raw.getvalue().decode()) == {"text": "纯臻营养护发素"}


def test_json_refuses_what_json_cannot_say(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        common.emit_json(float("nan"))
    assert capsys.readouterr().out == ""


def test_progress_is_one_line_on_stderr_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with common.progress("pushing models", total=3) as bar:
        bar.advance()
        bar.describe("rec.nb")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "pushing models …\n"


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    with common.progress("pushing models", total=3) as bar:
        bar.advance(2)
        bar.describe("page [/b].png")
    assert "page [/b].png" in terminal.getvalue()
    assert "2/3" in terminal.getvalue()


def test_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("name", title="set [bold]")
    table.add_row("a[/b] :100:")
    common.stdout_console().print("[red]", table)
    common.stderr_console().print("[dim]")
    captured = capsys.readouterr()
    assert all(text in captured.out for text in ("[red]", "set [bold]", "a[/b] :100:"))
    assert captured.err == "[dim]\n"
