"""`edgeocr push` from arguments to output and exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from emulated_phone import Phone, private_adb, running_phone
from script_runner import reading_script

from edgeocr import paths
from edgeocr.cli import run

Call = Callable[..., tuple[int, str, str]]
PICTURE = paths.MODELS / "pictures" / "page_sign.png"


@pytest.fixture(autouse=True)
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    monkeypatch.setattr(paths, "PHONE_RUNNER", reading_script(tmp_path / "edgeocr_run"))
    with private_adb(tmp_path / "home") as adb, running_phone(adb, "prefix") as running:
        yield running


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """Runs the command line; gives exit code, stdout and stderr."""

    def called(*arguments: str | Path) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return called


def test_the_default_set_goes_once(call: Call, phone: Phone) -> None:
    code, out, _ = call("push", "--device", phone.state.serial, PICTURE, "--json")
    assert code == 0
    first = json.loads(out)
    assert (first["serial"], first["kind"], first["skipped"]) == (phone.state.serial, "emulated", [])
    assert sorted(first["sent"]) == sorted(entry["name"] for entry in first["files"])
    assert {Path(entry["local"]) for entry in first["files"]} >= {paths.PHONE_RUNNER, PICTURE}
    second = json.loads(call("push", "--device", "emulated", PICTURE, "--json")[1])
    assert (second["sent"], second["bytes"], sorted(second["skipped"])) == ([], 0, sorted(first["sent"]))


def test_in_words(call: Call, phone: Phone) -> None:
    code, out, _ = call("push", "--device", "emulated", PICTURE)
    lines = out.splitlines()
    assert code == 0 and lines[0].startswith("sent ") and lines[0].endswith("  edgeocr_run")
    assert lines[-1].startswith(f"{phone.state.serial} (emulated): 6 sent, 0 there already, ")
    assert call("push", "--device", "emulated")[1].splitlines()[0].startswith("there ")


def test_a_device_must_be_named(call: Call) -> None:
    code, _, err = call("push")
    assert code == 2 and "--device" in err


def test_this_machine_is_no_target(call: Call) -> None:
    assert call("push", "--device", "host")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("--device", "nothing"), 1, "error: device nothing is not connected"),
        (("--device", "emulated", "--set", "nothing"), 1, "nothing"),
        (("--device", "emulated", "nothing.jpg"), 2, "nothing.jpg"),
    ],
)
def test_failures_are_one_line(call: Call, arguments: tuple[str, ...], code: int, line: str) -> None:
    given, out, err = call("push", *arguments)
    assert (given, out) == (code, "") and line in err.splitlines()[0]


def test_a_runner_that_is_not_built(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "PHONE_RUNNER", Path("/nowhere/edgeocr_run"))
    code, _, err = call("push", "--device", "emulated")
    assert code == 1 and "is not built" in err and "hint: run `make runner`" in err
