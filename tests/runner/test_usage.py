"""What edgeocr_run says when it is asked for help, and when it is called wrongly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from runner_process import Runner

from edgeocr import paths

COMMANDS = ("ocr", "bench", "info", "serve")
MODELS = ("--det", "d.nb", "--rec", "r.nb", "--dict", "k.txt")


def test_version_is_the_projects(runner: Runner) -> None:
    version = re.search(r'^version = "(.*)"$', (paths.ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    done = runner.run("--version")
    assert (done.code, done.stdout, done.stderr) == (0, f"edgeocr_run {version[1]}\n", "")


def test_help_names_every_command(runner: Runner) -> None:
    done = runner.run("--help")
    assert done.code == 0
    assert done.stderr == ""
    assert all(f"\n  {command} " in done.stdout for command in COMMANDS)


def test_no_command_shows_the_help_as_an_error(native: Runner) -> None:
    done = native.run()
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == native.run("--help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_lists_the_options_of_the_protocol(native: Runner, command: str) -> None:
    done = native.run(command, "--help")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: edgeocr_run {command} ")
    shown = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  --")}
    assert shown == _options_of_protocol("ocr" if command == "serve" else command)


def _options_of_protocol(command: str) -> set[str]:
    text = (paths.ROOT / "cpp_runtime" / "PROTOCOL.md").read_text()
    synopsis = text[text.index(f"`edgeocr_run {command} ") :].split("`")[1]
    return {word.strip("[]") for word in synopsis.split() if word.strip("[]").startswith("--")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["read"], "no such command: 'read', expected ocr, bench, info or serve"),
        (["ocr", *MODELS], "no picture is given: edgeocr_run ocr --help shows how"),
        (["ocr", "a.jpg"], "--det, --rec and --cls are missing: name at least one of the .nb files"),
        (["ocr", *MODELS[2:], "--dump-map", "maps", "a.jpg"], "--dump-map: there is no map without --det"),
        (["ocr", *MODELS[:4], "a.jpg"], "--dict is missing: name the recogniser's dictionary"),
        (["ocr", *MODELS, "--threads", "0", "a.jpg"], "--threads is '0', expected an integer from 1 to 64"),
        (["ocr", *MODELS, "--det-db-thresh", "2", "a.jpg"], "--det-db-thresh is '2', expected a number from 0 to 1"),
        (["ocr", *MODELS, "--colour", "a.jpg"], "no such option: --colour"),
        (["ocr", "a.jpg", "--det"], "--det needs a value: --det F.nb"),
        (["serve", *MODELS, "a.jpg"], "unexpected argument 'a.jpg': serve takes its pictures from stdin"),
        (["bench", "--input", "1,3,32,320"], "expected one model, got 0: edgeocr_run bench MODEL.nb --input N,C,H,W"),
        (["bench", "a.nb"], "--input is missing: name the input shape, such as --input 1,3,640,640"),
        (["bench", "a.nb", "--input", "3,640,640"], "--input is '3,640,640', expected four sizes N,C,H,W such as 1,3,640,640"),
        (["info"], "expected one model, got 0: edgeocr_run info MODEL.nb"),
        (["info", "a.nb", "b.nb"], "expected one model, got 2: edgeocr_run info MODEL.nb"),
    ],
)
def test_a_usage_error_is_one_line_that_names_the_option(native: Runner, arguments: list[str], message: str) -> None:
    done = native.run(*arguments)
    assert (done.code, done.stdout, done.stderr) == (2, "", f"error: {message}\n")


def test_usage_errors_are_the_same_on_the_phone(runner: Runner) -> None:
    assert runner.run("ocr", "--threads", "many").stderr == "error: --threads is 'many', expected an integer from 1 to 64\n"


def test_a_full_disk_behind_stdout_is_an_error(native: Runner, own_set: Path) -> None:
    shell = Runner("sh", ("/bin/sh", "-c", '"$@" > /dev/full', "sh", *native.prefix))
    done = shell.run("info", own_set / "det.nb")
    assert (done.code, done.stderr) == (1, "error: stdout: cannot write: No space left on device\n")
