"""`edgeocr bench` on this machine: with a stand-in for the runner, and with the runner itself where it is built."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from edgeocr import paths
from edgeocr.cli import run
from edgeocr.device import selection
from edgeocr.errors import EdgeocrError
from edgeocr.paths import MODELS
from edgeocr.zoo.verify import sha256_of

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture
def fake_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    runner = tmp_path / "edgeocr_run"
    script = (SUPPORT / "fake_runner.py").read_text()
    runner.write_text(script.replace("#!/usr/bin/env python3", f"#!{sys.executable}", 1))
    runner.chmod(0o755)
    monkeypatch.setattr(paths, "HOST_RUNNER", runner)
    return runner


def test_bench_reads_the_committed_pages_and_fills_the_table(fake_runner: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--device", "host", "--out", str(tmp_path / "out")]) == 0
    captured = capfd.readouterr()
    assert captured.out.index("page_receipt.png, read by edgeocr_en (none)") < captured.out.index("SlimOCR model zoo and ours")
    assert "32 of 32 lines" in captured.out and "ours, host" in captured.out and "Snapdragon 855" in captured.out
    for variant in ("pact", "prune", "prune+pact"):
        assert (f"not built: {variant}" in captured.out) is (variant not in _built())
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".html", ".json"]


def _built() -> set[str]:
    from edgeocr.zoo import registry

    return set(registry.load().find(None).variants)


def test_json_is_one_document_with_samples_statistics_and_rows(
    fake_runner: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page = str(MODELS / "pictures" / "page_sign.png")
    assert run(["bench", "--pictures", page, "--variant", "none", "--json", "--out", str(tmp_path / "out"), "--threads", "2"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["device"]["kind"] == "host" and document["label"] == "host"
    assert document["settings"]["threads"] == 2 and document["settings"]["cpu_mask"] is None
    assert document["runner"]["arch"] == "x86_64" and len(document["runner"]["file"]["sha256"]) == 64
    (variant,) = document["variants"]
    (reading,) = variant["pictures"]
    assert reading["warmups"] == 2 and len(reading["samples"]["total"]) == 10
    assert reading["summary"]["total"]["median"] == pytest.approx(44.0065)
    assert reading["accuracy"] == {"exact": 6, "lines": 6} and reading["same_text"] is True
    sizes = [(MODELS / "edgeocr_en" / "none" / name).stat().st_size for name in ("det.nb", "rec.nb")]
    assert document["report"]["rows"][0]["ours"]["size_mb"] == pytest.approx(sum(sizes) / 1e6)
    assert [Path(path).is_file() for path in document["files"]] == [True, True]


def test_report_shows_what_is_recorded_of_the_measured_bytes(
    fake_runner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    monkeypatch.setattr(paths, "RESULTS", results)
    monkeypatch.setattr(paths, "EVALUATION", tmp_path / "eval.json")
    estimate = {"net": "det", "input": "1,3,640,640", "precision": "fp32", "threads": 1, "a76_cycles": 150_000_000}
    (results / "a76.json").write_text(json.dumps([estimate | {"sha256": sha256_of(MODELS / "edgeocr_en" / "none" / "det.nb")}]))
    bench = ["bench", "--variant", "none", "--out", str(tmp_path / "out")]
    assert run(bench) == 0
    shown = capfd.readouterr().out
    assert "150.0 M" in shown and "Missing: No A76 estimate is recorded for none rec.nb" in shown
    assert f"Missing: {results / 'accuracy.json'} is not there" in shown

    (results / "accuracy.json").write_text("[")
    assert run([*bench, "--json"]) == 1
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err.startswith(f"error: {results / 'accuracy.json'}: is not JSON: ")
    assert len(captured.err.splitlines()) == 1


def test_precision_leaves_int8_variants_out_unless_they_are_asked_for(
    fake_runner: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = ["bench", "--precision", "fp16", "--out", str(tmp_path / "out")]
    assert run([*bench, "--json"]) == 0
    captured = capfd.readouterr()
    document = json.loads(captured.out)
    assert document["settings"]["mode"] == document["report"]["mode"] == {"precision": "fp16", "int8": None, "dynamic_int8": False}
    assert [variant["variant"] for variant in document["variants"]] == ["none"]
    assert document["report"]["rows"][1]["missing"] == "not measured: pact"
    assert "note: left out: variant pact has int8 nets (" in captured.err

    assert run([*bench, "--variant", "pact"]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: variant pact has int8 nets (") and "expected none for --precision fp16" in captured.err


def test_fast_int8_is_named_in_heading_and_json(
    fake_runner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(paths, "EVALUATION", tmp_path / "eval.json")
    assert run(["bench", "--int8", "fast", "--variant", "pact", "--out", str(tmp_path / "out")]) == 0
    captured = capfd.readouterr()
    assert "SlimOCR model zoo and ours, fast int8 (published" in captured.out
    assert "edgeocr eval --set edgeocr_en --variant pact --net det --net rec --int8 fast" in captured.out
    (written,) = (tmp_path / "out").glob("*.json")
    assert json.loads(written.read_text())["settings"]["mode"] == {"precision": None, "int8": "fast", "dynamic_int8": False}


def test_dynamic_int8_leaves_int8_recognisers_out(
    fake_runner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(paths, "EVALUATION", tmp_path / "eval.json")
    bench = ["bench", "--dynamic-int8", "--out", str(tmp_path / "out")]
    assert run(bench) == 0
    captured = capfd.readouterr()
    assert "SlimOCR model zoo and ours, dynamic int8 (published" in captured.out
    assert "edgeocr eval --set edgeocr_en --variant none --net det --net rec --dynamic-int8" in " ".join(captured.out.split())
    assert "note: left out: variant pact has int8 nets (" in captured.err

    assert run([*bench, "--variant", "pact"]) == 2
    assert "expected none for --dynamic-int8" in capfd.readouterr().err


def test_folder_of_models_is_shown_below_the_published_rows(
    fake_runner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(paths, "EVALUATION", tmp_path / "eval.json")
    folder = tmp_path / "[b]mine"
    shutil.copytree(MODELS / "edgeocr_en" / "none", folder)
    bench = ["bench", "--models", str(folder), "--out", str(tmp_path / "out")]
    assert run(bench) == 0
    shown = capfd.readouterr().out
    assert "page_receipt.png, read by [b]mine\n" in shown
    assert shown.index("pruning: published") < shown.index("[b]mine, host") and "32 of 32 lines" in shown
    assert "edgeocr eval --models DIR --net det --net rec" in shown and "recorded for [b]mine det.nb" in shown
    (page,) = (tmp_path / "out").glob("*.html")
    assert page.read_text().count("<td>[b]mine, host</td>") == 1 and "read by [b]mine</h2>" in page.read_text()

    assert run([*bench, "--json"]) == 0
    report = json.loads(capfd.readouterr().out)["report"]
    assert report["rows"][0]["missing"] == "not measured: none"
    assert [(ours["name"], ours["accuracy"]) for ours in report["others"]] == [("[b]mine", {"exact": 32, "lines": 32})]


def test_folder_of_models_with_a_set_or_with_int8_nets_in_fp16_is_refused(
    fake_runner: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = ["bench", "--models", str(MODELS / "edgeocr_en" / "pact"), "--out", str(tmp_path / "out")]
    for more in (["--set", "edgeocr_en"], ["--variant", "pact"]):
        assert run([*bench, *more]) == 2
        assert "--models names a folder, and --set or --variant a set" in capfd.readouterr().err
    shutil.copytree(MODELS / "edgeocr_en" / "none", tmp_path / "mine")
    shutil.copy(MODELS / "edgeocr_en" / "pact" / "rec.nb", tmp_path / "mine")
    assert run(["bench", "--models", str(tmp_path / "mine"), "--precision", "fp16", "--out", str(tmp_path / "out")]) == 2
    complaint, hint = capfd.readouterr().err.splitlines()
    assert complaint.startswith("error: mine has int8 nets (") and hint == "hint: leave out --precision"


def test_variant_that_is_not_built_is_refused_when_asked_for(fake_runner: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = run(["bench", "--set", "pp_ocrv2_slim", "--variant", "prune", "--out", str(tmp_path / "out")])
    assert code == 1
    captured = capfd.readouterr()
    assert "variant prune is not built" in captured.err and captured.out == ""
    assert not (tmp_path / "out").exists()


def test_picture_that_cannot_be_read_ends_the_run_without_a_result(
    fake_runner: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    assert run(["bench", "--pictures", str(bad), "--out", str(tmp_path / "out")]) == 1
    assert f"error: {bad}: is no picture" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def refused(device: str) -> NoReturn:
    raise AssertionError(f"{device} was opened")


def test_labels_that_cannot_be_used_are_told_before_the_device_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(selection, "open_device", refused)
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for picture in pictures:
        picture.write_bytes(b"")
    (tmp_path / "b.json").write_text("[3]")
    arguments = [argument for picture in pictures for argument in ("--pictures", str(picture))]
    assert run(["bench", *arguments, "--out", str(tmp_path / "out")]) == 1
    captured = capfd.readouterr()
    assert captured.err.startswith(f"error: {tmp_path / 'b.json'}: is no list of ") and captured.out == ""


def test_folder_that_cannot_be_written_is_told_before_the_device_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(selection, "open_device", refused)
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "new" / "bench"
    assert run(["bench", "--out", str(folder)]) == 1
    assert capfd.readouterr().err == f"error: {folder}: cannot be written: Not a directory\n"


def test_threads_are_at_most_as_many_as_the_runner_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where times are no speed, this machine's processors; else one."""
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(200)))
    monkeypatch.setattr("edgeocr.device.preflight.read_preflight", lambda device: SimpleNamespace(warnings=list))
    used: dict[str, int] = {}

    def measured(device: Any, *arguments: Any, threads: int, **options: Any) -> NoReturn:
        used[device.kind] = threads
        raise EdgeocrError("enough")

    monkeypatch.setattr("edgeocr.bench.run.run_benchmark", measured)
    monkeypatch.setattr(selection, "open_device", lambda name: nullcontext(SimpleNamespace(kind=name, serial=name)))
    for kind in ("emulated", "host", "phone"):
        assert run(["bench", "--device", kind, "--out", str(tmp_path)]) == 1
    assert used == {"emulated": 64, "host": 1, "phone": 1}


def test_bench_on_this_machine_from_end_to_end(host_runner: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Our own set on one committed page by the real runner: every sample the same lines, all of the sign's read exactly."""
    page = str(MODELS / "pictures" / "page_sign.png")
    assert run(["bench", "--pictures", page, "--variant", "none", "--json", "--out", str(tmp_path / "out")]) == 0
    document = json.loads(capfd.readouterr().out)
    reading = document["variants"][0]["pictures"][0]
    assert reading["same_text"] is True and reading["accuracy"] == {"exact": 6, "lines": 6}
    assert all(value > 0 for value in reading["samples"]["total"])
