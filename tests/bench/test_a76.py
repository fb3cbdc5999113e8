"""`make a76`: which rows a run measures, which it keeps, and what is written when; nothing is really measured."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from edgeocr.paths import ROOT

Row = dict[str, object]


@pytest.fixture
def a76(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Of two nets of the project's own and two public ones, the first of which is not here, each is measured as 1,000,000."""
    spec = importlib.util.spec_from_file_location("a76", ROOT / "benchmarks" / "a76" / "__main__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "a76", module)
    spec.loader.exec_module(module)
    for name in ("own.nb", "own2.nb", "public.nb", "runner"):
        (tmp_path / name).write_text(name)

    def net(kind: str, name: str) -> object:
        return module.Net(kind, name, tmp_path / f"{name}.nb", "1,3,32,32", "fp32")

    def measure(net: object, instrument: object) -> Row:
        return row(*str(net).split(), millions=1)

    for name, value in {
        "own_nets": lambda models: [net("det", "own"), net("rec", "own2")],
        "PUBLIC": [net("det", "absent"), net("det", "public")],
        "PICTURE": tmp_path / "no_picture.jpg",
        "RESULTS": tmp_path,
        "PHONE_RUNNER": tmp_path / "runner",
        "measure": measure,
    }.items():
        monkeypatch.setattr(module, name, value)
    return module


def row(net: str, model: str, precision: str = "fp32", *, millions: int) -> Row:
    figures = {"instructions": millions * 1_000_000, "a76_cycles": millions * 1_000_000}
    return {"net": net, "model": model, "input": "1,3,32,32", "precision": precision, **figures}


ABSENT, PUBLIC, OWN, OWN2 = (row(*name, millions=9) for name in (("det", "absent"), ("det", "public"), ("det", "own"), ("rec", "own2")))
GONE = row("cls", "gone", millions=9)
PICTURE = row("picture", "ppocr_mobile_v2.0_slim", "int8", millions=9)


def run(a76: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["a76", *arguments])
    code: int = a76.main()
    return code


def written(a76: ModuleType) -> list[tuple[object, object]]:
    """Models and M cycles."""
    return [(found["model"], found["a76_cycles"] // 1_000_000) for found in json.loads((a76.RESULTS / "a76.json").read_text())]


def test_whole_run_keeps_rows_of_absent_files_and_drops_those_of_nets_that_are_no_more(
    a76: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (a76.RESULTS / "a76.json").write_text(json.dumps([OWN, GONE, ABSENT, PUBLIC, PICTURE]))
    assert run(a76, monkeypatch) == 0
    assert written(a76) == [("own", 1), ("own2", 1), ("absent", 9), ("public", 1), ("ppocr_mobile_v2.0_slim", 9)]
    said = capsys.readouterr().out
    for name, path in (("det absent fp32", "absent.nb"), ("picture ppocr_mobile_v2.0_slim int8", "no_picture.jpg")):
        assert f"{name} left out: {a76.RESULTS / path} is not there, the row of an earlier run is kept" in said


def test_absent_files_without_an_earlier_run_have_no_row(
    a76: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(a76, monkeypatch) == 0
    assert written(a76) == [("own", 1), ("own2", 1), ("public", 1)]
    assert f"det absent fp32 left out: {a76.RESULTS / 'absent.nb'} is not there\n" in capsys.readouterr().out


def test_only_leaves_every_other_row(a76: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    (a76.RESULTS / "a76.json").write_text(json.dumps([OWN, ABSENT, PUBLIC, PICTURE, GONE]))
    assert run(a76, monkeypatch, "--only", "own2", "--only", "public") == 0
    assert written(a76) == [("own", 9), ("own2", 1), ("absent", 9), ("public", 1), ("ppocr_mobile_v2.0_slim", 9), ("gone", 9)]


def test_rows_that_are_measured_are_kept_when_the_run_is_interrupted(
    a76: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (a76.RESULTS / "a76.json").write_text(json.dumps([OWN, OWN2, ABSENT, PUBLIC, PICTURE]))
    measure = a76.measure

    def interrupted(net: object, instrument: object) -> object:
        if "own2" in str(net):
            raise KeyboardInterrupt
        return measure(net, instrument)

    monkeypatch.setattr(a76, "measure", interrupted)
    assert run(a76, monkeypatch) == 130
    assert capsys.readouterr().err == "error: interrupted\n"
    assert written(a76) == [("own", 1), ("own2", 9), ("absent", 9), ("public", 9), ("ppocr_mobile_v2.0_slim", 9)]


def test_file_of_another_kind_is_left_alone(a76: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for content in ("[{", "{}x", '[{"net": "det"}]', "[3]"):
        (a76.RESULTS / "a76.json").write_text(content)
        assert run(a76, monkeypatch) == 1
        assert capsys.readouterr().err.startswith(f"error: {a76.RESULTS / 'a76.json'}: is no list of rows (")
        assert (a76.RESULTS / "a76.json").read_text() == content
