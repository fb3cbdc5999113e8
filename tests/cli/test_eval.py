"""`edgeocr eval` with the runner of this machine: pages and lines whose reading is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeocr import paths
from edgeocr.bench.evaluation import ROLES, Evaluation
from edgeocr.bench.result import BoundFile
from edgeocr.cli import run
from edgeocr.data import evaluation
from edgeocr.data.labels import DetSample, read_det_labels, read_rec_labels, write_det_labels, write_rec_labels
from edgeocr.data.synth.dataset import generate
from edgeocr.device import selection
from edgeocr.paths import MODELS

NONE = MODELS / "edgeocr_en" / "none"


def evaluate(net: str, labels: Path, out: Path, *more: str) -> int:
    return run(["eval", "--variant", "none", "--net", net, "--data", str(labels), "--out", str(out), "--json", *more])


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lines") / "rec"
    generate("rec", folder, count=9, seed=20240, held_out=True)
    return folder / "labels.txt"


def test_lines_are_scored_letter_by_letter(host_runner: Path, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("rec", lines, tmp_path / "right.json") == 0
    (right,) = json.loads(capsys.readouterr().out)
    assert right == json.loads((tmp_path / "right.json").read_text())[0]
    assert (right["set"], right["variant"], right["net"], right["device"], right["pictures"]) == ("edgeocr_en", "none", "rec", "host", 9)
    assert right["model"]["bytes"] == (NONE / "rec.nb").stat().st_size

    samples = read_rec_labels(lines)
    wrong = lines.with_name("wrong.txt")
    write_rec_labels(wrong, [replace(sample, text=sample.text + "#") for sample in samples])
    assert evaluate("rec", wrong, tmp_path / "wrong.json") == 0
    (worse,) = json.loads(capsys.readouterr().out)
    assert worse["scores"]["exact"] == 0 < right["scores"]["exact"]
    assert 0 < worse["scores"]["characters"] < right["scores"]["characters"]
    assert worse["labels"]["sha256"] != right["labels"]["sha256"]


def test_dynamic_int8_is_recorded(host_runner: Path, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for more in ([], ["--dynamic-int8"]):
        assert evaluate("rec", lines, tmp_path / "out.json", *more) == 0
        found += json.loads(capsys.readouterr().out)
    assert [record["dynamic_int8"] for record in found] == [False, True]
    assert found[1]["scores"]["characters"] == pytest.approx(found[0]["scores"]["characters"], abs=0.05)


def test_boxes_are_scored_without_reading_them(host_runner: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "det"
    generate("det", folder, count=2, seed=1, held_out=True, page_size=320)
    assert evaluate("det", folder / "labels.txt", tmp_path / "out.json", "--limit", "2") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["scores"]["hmean"] > 0.5
    samples = read_det_labels(folder / "labels.txt")
    elsewhere = [DetSample(s.image, tuple(replace(box, points=(box.points / 64).astype(np.float32)) for box in s.boxes)) for s in samples]
    write_det_labels(folder / "elsewhere.txt", elsewhere)
    assert evaluate("det", folder / "elsewhere.txt", tmp_path / "out.json") == 0
    assert json.loads(capsys.readouterr().out)[0]["scores"] == {"precision": 0.0, "recall": 0.0, "hmean": 0.0}


def test_frozen_set_is_named_and_own_labels_are_not(
    host_runner: Path, lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluation, "evaluation_set", lambda net, **_: lines.parent)
    assert run(["eval", "--variant", "none", "--net", "rec", "--limit", "1", "--out", str(tmp_path / "out.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["frozen"] == evaluation.frozen_hashes()["rec"]
    assert evaluate("rec", lines, tmp_path / "out.json", "--limit", "1") == 0
    assert json.loads(capsys.readouterr().out)[0]["frozen"] is None


def test_a_folder_of_models_is_scored_like_a_set(
    host_runner: Path, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["eval", "--net", "rec", "--data", str(lines), "--out", str(tmp_path / "out.json"), "--json", "--models", str(NONE)]
    assert run(arguments) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["set"], found["variant"]) == ("none", "")
    assert found["model"]["bytes"] == (NONE / "rec.nb").stat().st_size
    assert run([*arguments, "--variant", "none"]) == 2
    assert "--models names a folder, and --set or --variant a set" in capsys.readouterr().err


def test_wrong_use_is_told_in_a_line(lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "--data", str(lines)]) == 2
    assert "--data holds the labels of one net" in capsys.readouterr().err
    (tmp_path / "labels.txt").write_text("no tab\n")
    assert evaluate("rec", tmp_path / "labels.txt", tmp_path / "out.json") == 1
    assert "line 1: expected a picture's path" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


Tried = list[tuple[str, int]]  # nets and threads


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tried:
    """Nets are scored as their number of this list, without a runner; results go to eval.json, labels are those of labels.txt."""
    found: Tried = []

    def evaluate(device: Any, models: Any, options: Any, net: str, labels: Path, *, threads: int, **_: Any) -> Evaluation:
        found.append((net, threads))
        model = BoundFile.of(getattr(models, ROLES[net]))
        return Evaluation(models.name, models.variant, net, device.kind, model, BoundFile.of(labels), 1, {"score": float(len(found))})

    (tmp_path / "labels.txt").write_text("")
    (tmp_path / "mine.txt").write_text("mine")
    monkeypatch.setattr("edgeocr.bench.evaluation.evaluate", evaluate)
    monkeypatch.setattr(evaluation, "evaluation_set", lambda net, **_: tmp_path)
    monkeypatch.setattr(selection, "open_device", lambda name: nullcontext(SimpleNamespace(kind=name)))
    monkeypatch.setattr(paths, "EVALUATION", tmp_path / "eval.json")
    return found


def scores(file: Path) -> list[float]:
    return [record["scores"]["score"] for record in json.loads(file.read_text())]


def test_results_are_added_to_those_of_other_nets_options_pictures_and_devices(tried: Tried, tmp_path: Path) -> None:
    rec = ["eval", "--variant", "none", "--net", "rec"]
    others = (["--limit", "2"], ["--data", str(tmp_path / "mine.txt")], ["--precision", "fp16"], ["--dynamic-int8"], ["--device", "phone"])
    for more in ([], *others, ["--int8", "fast"]):
        assert run([*rec, *more]) == 0
    assert run(["eval", "--variant", "pact", "--net", "rec"]) == 0
    assert scores(tmp_path / "eval.json") == [8, 7, 6, 5, 4, 3, 2, 1]
    assert run(rec) == 0
    assert scores(tmp_path / "eval.json") == [9, 8, 7, 6, 5, 4, 3, 2]  # the newest first: `bench` takes the first that fits
    assert run([*rec, "--limit", "2"]) == 0
    assert scores(tmp_path / "eval.json") == [10, 9, 8, 7, 6, 5, 4, 3]


def test_named_file_holds_the_run_alone(tried: Tried, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    for net in ("det", "rec"):
        assert run(["eval", "--variant", "none", "--net", net, "--out", str(out)]) == 0
    assert scores(out) == [2] and not (tmp_path / "eval.json").exists()


def test_nets_that_are_done_are_kept_when_the_run_ends_early(tried: Tried, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted_at_second(evaluate: Callable[..., Evaluation]) -> Callable[..., Evaluation]:
        def one(*arguments: Any, **options: Any) -> Evaluation:
            if tried:
                raise KeyboardInterrupt
            return evaluate(*arguments, **options)

        return one

    from edgeocr.bench import evaluation as scored

    monkeypatch.setattr(scored, "evaluate", interrupted_at_second(scored.evaluate))
    assert run(["eval", "--variant", "none"]) == 130
    (record,) = json.loads((tmp_path / "eval.json").read_text())
    assert (record["net"], record["frozen"]) == ("det", evaluation.frozen_hashes()["det"])


@pytest.mark.parametrize(("content", "said"), [("[", "is not JSON: "), ('[{"net": "det"}]', "record 0: has no 'model'")])
def test_file_of_another_kind_is_left_alone(
    tried: Tried, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    (tmp_path / "eval.json").write_text(content)
    assert run(["eval", "--variant", "none", "--net", "rec"]) == 1
    complaint, hint = capsys.readouterr().err.splitlines()[-2:]
    assert complaint.startswith(f"error: {tmp_path / 'eval.json'}: {said}") and hint.endswith("name another file with --out")
    assert tried == [] and (tmp_path / "eval.json").read_text() == content


def test_file_that_cannot_be_written_is_told_before_anything_is_evaluated(
    tried: Tried, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", "--variant", "none", "--net", "rec", "--out", str(tmp_path / "labels.txt" / "out.json")]) == 1
    assert f"error: {tmp_path / 'labels.txt'}: cannot be written: Not a directory" in capsys.readouterr().err
    assert tried == []


def test_threads_are_at_most_as_many_as_the_runner_takes(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(200)))
    for kind in ("emulated", "host", "phone"):
        assert run(["eval", "--variant", "none", "--net", "rec", "--device", kind]) == 0
    assert tried == [("rec", 64), ("rec", 64), ("rec", 1)]
