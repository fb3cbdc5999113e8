"""Records of nets: found by the bytes of the file, only where they were made as the benchmark reads; broken files told in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgeocr.bench.mode import Mode
from edgeocr.bench.recorded import Estimate, Net, Recorded, Score, load_recorded
from edgeocr.data.evaluation import frozen_hashes
from edgeocr.errors import DataError
from edgeocr.paths import RESULTS

FROZEN, OTHER = "1" * 64, "2" * 64
SETS = {"det": FROZEN, "rec": FROZEN}
ONE, TWO = "a" * 64, "b" * 64


def evaluation(sha256: str, *, net: str = "det", share: float = 0.9, frozen: str | None = FROZEN, **more: Any) -> dict[str, Any]:
    scores = {"precision": 1.0, "recall": 0.5, "hmean": share} if net == "det" else {"exact": share, "characters": 1.0}
    about = {"net": net, "device": "host", "pictures": 200, "int8": None, "precision": None, "limit": None, "frozen": frozen}
    return about | {"model": {"name": "det.nb", "sha256": sha256}, "scores": scores} | more


def estimate(sha256: str, cycles: int = 1000, **more: Any) -> dict[str, Any]:
    return {"net": "det", "sha256": sha256, "input": "1,3,640,640", "precision": "fp32", "threads": 1, "a76_cycles": cycles} | more


def load(folder: Path, accuracy: object, estimates: object = (), own: object | None = None, mode: Mode | None = None) -> Recorded:
    (folder / "accuracy.json").write_text(json.dumps(accuracy))
    (folder / "a76.json").write_text(json.dumps(estimates))
    if own is not None:
        (folder / "eval.json").write_text(json.dumps(own))
    return load_recorded(folder, folder / "eval.json", SETS, mode or Mode())


def test_records_are_found_by_net_and_bytes(tmp_path: Path) -> None:
    accuracy = [evaluation(ONE, share=0.8), evaluation(TWO, net="rec", share=0.7)]
    recorded = load(tmp_path, accuracy, [estimate(ONE, 123)])
    assert recorded.scores == {Net("det", ONE): Score(0.8, 200, "host", FROZEN), Net("rec", TWO): Score(0.7, 200, "host", FROZEN)}
    assert recorded.estimates == {Net("det", ONE): Estimate(123, "1,3,640,640")}
    assert recorded.absent == ()


@pytest.mark.parametrize(
    "other", [{"int8": "fast"}, {"precision": "fp16"}, {"limit": 20}, {"net": "cls"}, {"frozen": OTHER}, {"frozen": None}]
)
def test_accuracy_of_another_way_of_reading_or_of_other_pictures_does_not_count(tmp_path: Path, other: dict[str, Any]) -> None:
    assert load(tmp_path, [evaluation(ONE) | other]).scores == {}


@pytest.mark.parametrize("other", [{"precision": "fp16"}, {"precision": "int8 fast"}, {"threads": 4}, {"net": "picture"}])
def test_estimate_of_another_way_of_reading_does_not_count(tmp_path: Path, other: dict[str, Any]) -> None:
    without_hash = {name: value for name, value in estimate(TWO).items() if name != "sha256"}
    assert load(tmp_path, [], [estimate(ONE) | other, without_hash]).estimates == {}


@pytest.mark.parametrize(
    ("mode", "score", "cycles"),
    [(Mode(), 0.9, 100), (Mode("fp16"), 0.8, 60), (Mode(int8="exact"), 0.9, 100), (Mode(int8="fast"), 0.7, 50)],
)
def test_records_are_those_of_the_runs_own_arithmetic(tmp_path: Path, mode: Mode, score: float, cycles: int) -> None:
    accuracy = [evaluation(ONE), evaluation(ONE, share=0.8, precision="fp16"), evaluation(ONE, share=0.7, int8="fast")]
    costs = [estimate(ONE, 100, precision="int8"), estimate(ONE, 60, precision="fp16"), estimate(ONE, 50, precision="int8 fast")]
    recorded = load(tmp_path, accuracy, costs, mode=mode)
    assert (recorded.scores[Net("det", ONE)].share, recorded.estimates[Net("det", ONE)].a76_cycles) == (score, cycles)


def test_records_of_dynamic_int8_are_of_such_recognisers_alone(tmp_path: Path) -> None:
    accuracy = [evaluation(ONE, net="rec", share=0.7, dynamic_int8=True), evaluation(TWO, share=0.9, dynamic_int8=True)]
    costs = [estimate(ONE, 50, net="rec", precision="dynamic int8"), estimate(TWO, 100)]
    plain = load(tmp_path, accuracy, costs)
    assert (list(plain.scores), list(plain.estimates)) == ([Net("det", TWO)], [Net("det", TWO)])
    dynamic = load(tmp_path, accuracy, costs, mode=Mode(dynamic_int8=True))
    assert {net: score.share for net, score in dynamic.scores.items()} == {Net("rec", ONE): 0.7, Net("det", TWO): 0.9}
    assert {net: cost.a76_cycles for net, cost in dynamic.estimates.items()} == {Net("rec", ONE): 50, Net("det", TWO): 100}


def test_own_evaluation_counts_for_what_is_not_committed(tmp_path: Path) -> None:
    own = [evaluation(TWO, share=0.6), evaluation("c" * 64, frozen=None), evaluation(ONE, share=0.1)]
    recorded = load(tmp_path, [evaluation(ONE, share=0.8)], own=own)
    assert {net.sha256: score.share for net, score in recorded.scores.items()} == {ONE: 0.8, TWO: 0.6}


def test_newest_of_ones_own_evaluations_counts(tmp_path: Path) -> None:
    """`edgeocr eval` puts it first."""
    recorded = load(tmp_path, [], own=[evaluation(ONE, share=0.7, device="emulated"), evaluation(ONE, share=0.6)])
    assert {net.sha256: score.share for net, score in recorded.scores.items()} == {ONE: 0.7}


def test_absent_files_are_no_failure(tmp_path: Path) -> None:
    recorded = load_recorded(tmp_path, tmp_path / "eval.json", SETS, Mode())
    assert recorded == Recorded({}, {}, (tmp_path / "accuracy.json", tmp_path / "a76.json"))


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [
        ({}, "is no list of records"),
        ([3], "record 0: 3 found, expected dict"),
        ([evaluation(ONE), {"net": "det"}], "record 1: has no 'int8'"),
        ([evaluation(ONE, share=97.0)], "record 0: hmean is 97.0, expected 0…1"),
        ([evaluation(ONE, share=float("nan"))], "record 0: hmean is nan"),
        ([evaluation(ONE, model={"sha256": None})], "record 0: null found, expected str"),
        ([evaluation(ONE, scores={"precision": 1.0})], "record 0: has no 'hmean'"),
    ],
)
def test_broken_accuracy_is_told_in_a_line(tmp_path: Path, accuracy: object, said: str) -> None:
    with pytest.raises(DataError) as failure:
        load(tmp_path, accuracy)
    assert failure.value.message.startswith(f"{tmp_path / 'accuracy.json'}: ") and said in failure.value.message
    assert "\n" not in failure.value.message


@pytest.mark.parametrize("content", [b"[{", b"\xff\xfe", b""])
def test_file_that_is_not_json_is_told_in_a_line(tmp_path: Path, content: bytes) -> None:
    load(tmp_path, [])
    (tmp_path / "a76.json").write_bytes(content)
    with pytest.raises(DataError, match=r"a76\.json: is not JSON: ") as failure:
        load_recorded(tmp_path, tmp_path / "eval.json", SETS, Mode())
    assert "\n" not in failure.value.message


@pytest.mark.parametrize(("cycles", "said"), [(0, "a76_cycles is 0"), ("many", '"many" found, expected int'), (True, "true found")])
def test_broken_estimate_is_told_in_a_line(tmp_path: Path, cycles: Any, said: str) -> None:
    with pytest.raises(DataError, match=r"a76\.json: record 0: ") as failure:
        load(tmp_path, [], [estimate(ONE, cycles)])
    assert said in failure.value.message


def test_committed_records_can_be_used(tmp_path: Path) -> None:
    recorded = load_recorded(RESULTS, tmp_path / "eval.json", frozen_hashes(), Mode())
    assert recorded.estimates and recorded.absent == ()
