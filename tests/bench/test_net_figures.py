"""Accuracy and estimates in the report: of the bytes that were measured, beside row 0's, with every gap named."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from bench_samples import bench_result, variant_result
from rich.console import Console

from edgeocr.bench.html import render_html
from edgeocr.bench.net_figures import Change, NetFigures
from edgeocr.bench.published import slimocr
from edgeocr.bench.recorded import Estimate, Net, Recorded, Score
from edgeocr.bench.report import Report, build_report
from edgeocr.bench.result import VariantResult
from edgeocr.bench.table import show_report

DET, REC, DET_PACT, REC_PACT = ("1" * 64, "2" * 64, "3" * 64, "4" * 64)
PLAIN = variant_result("none", [100], (2_000_000, 2_000_000), (DET, REC))
PACT = variant_result("pact", [90], (500_000, 700_000), (DET_PACT, REC_PACT))
SCORES = {
    Net("det", DET): Score(0.97, 200, "host", "l" * 64),
    Net("rec", REC): Score(0.925, 1000, "host", "m" * 64),
    Net("det", DET_PACT): Score(0.9755, 200, "host", "l" * 64),
    Net("rec", REC_PACT): Score(0.919, 1000, "host", "m" * 64),
}
ESTIMATES = {
    Net("det", DET): Estimate(152_700_000, "1,3,640,640"),
    Net("rec", REC): Estimate(12_500_000, "1,3,32,320"),
    Net("det", DET_PACT): Estimate(94_200_000, "1,3,640,640"),
    Net("rec", REC_PACT): Estimate(7_700_000, "1,3,32,320"),
}
RECORDED = Recorded(SCORES, ESTIMATES)


def report_of(variants: list[VariantResult], recorded: Recorded = RECORDED) -> Report:
    return build_report(bench_result("emulated", variants), slimocr(), recorded)


def figures(report: Report, number: int) -> tuple[NetFigures, NetFigures]:
    ours = report.rows[number].ours
    assert ours is not None
    return ours.detector, ours.recogniser


def shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=200, highlight=False)
    show_report(report, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def row_of(text: str, first_cells: str) -> list[str]:
    """The cells of our line under the published one of the second table."""
    lines = text[text.index("Accuracy and cost") :].splitlines()
    line = next(index for index, line in enumerate(lines) if first_cells in line)
    return [cell.strip() for cell in lines[line + 1].strip("│").split("│")]


def test_figures_are_those_of_the_measured_bytes_beside_row_0() -> None:
    report = report_of([PLAIN, PACT])
    detector, recogniser = figures(report, 1)
    assert detector.sha256 == DET_PACT and detector.score == SCORES[Net("det", DET_PACT)]
    assert detector.change.accuracy_points == pytest.approx(0.55) and detector.change.cost_ratio == pytest.approx(0.6169, abs=1e-4)
    assert recogniser.change.accuracy_points == pytest.approx(-0.6) and recogniser.change.cost_ratio == pytest.approx(0.616)
    assert [net.change for net in figures(report, 0)] == [Change(), Change()]
    assert report.gaps == ()


def test_published_changes_stand_beside_ours_whether_or_not_there_are_any() -> None:
    rows = report_of([PLAIN]).rows
    assert [row.detector_change.cost_ratio for row in rows] == [None, *map(pytest.approx, (195 / 224, 142 / 224, 138 / 224))]
    assert asdict(rows[1].recogniser_change) == {"accuracy_points": pytest.approx(-0.52), "cost_ratio": pytest.approx(8.6 / 9.52)}
    assert rows[0].detector_change == Change()


def test_second_table_shows_percentages_points_and_megacycles() -> None:
    text = shown(report_of([PLAIN, PACT]))
    assert row_of(text, "│ 0 │ none: published") == ["", "ours", "97.00 %", "", "92.50 %", "", "152.7 M", "", "12.5 M", ""]
    ours = row_of(text, "│ 1 │ pact: published")
    assert ours == ["", "ours", "97.55 %", "+0.55", "91.90 %", "-0.60", "94.2 M", "0.617", "7.7 M", "0.616"]
    assert "(A76 estimate, M cycles)" in text and "Missing:" not in text
    assert "det hmean of 200 frozen pictures (host), rec exact lines of 1,000 frozen pictures (host)" in text


def test_changed_model_is_a_gap_with_the_command_that_fills_it() -> None:
    changed = replace(PACT, files={**PACT.files, "detector": replace(PACT.files["detector"], sha256="9" * 64)})
    report = report_of([PLAIN, changed])
    accuracy, cost = report.gaps
    assert "pact det.nb (sha256 999999999999…)" in accuracy and accuracy.endswith("edgeocr eval --set small --variant pact --net det")
    assert "pact det.nb (sha256 999999999999…)" in cost and cost.endswith("make a76")
    assert figures(report, 1)[0] == NetFigures("9" * 64, None, None, Change())
    text = shown(report)
    assert row_of(text, "│ 1 │ pact: published") == ["", "ours", "–", "", "91.90 %", "-0.60", "–", "", "7.7 M", "0.616"]
    assert all(f"Missing: {gap}" in text for gap in report.gaps)


def test_one_command_fills_the_gaps_of_several_variants() -> None:
    accuracy = report_of([PLAIN, PACT], replace(RECORDED, scores={})).gaps[0]
    assert accuracy.endswith("edgeocr eval --set small --variant none --variant pact --net det --net rec")


def test_absent_files_are_named_beside_the_commands() -> None:
    report = report_of([PLAIN, PACT], Recorded({}, {}, (Path("results/accuracy.json"), Path("results/a76.json"))))
    assert report.gaps[:2] == ("results/accuracy.json is not there.", "results/a76.json is not there.")
    assert len(report.gaps) == 4
    assert "none is recorded" in shown(report)


def test_no_ratio_between_estimates_for_other_inputs() -> None:
    estimates = ESTIMATES | {Net("det", DET): Estimate(152_700_000, "1,3,320,320")}
    detector, _ = figures(report_of([PLAIN, PACT], Recorded(SCORES, estimates)), 1)
    assert detector.estimate is not None and detector.change.cost_ratio is None


def test_no_difference_without_row_0_in_the_run() -> None:
    detector, _ = figures(report_of([PACT]), 1)
    assert detector.score is not None and detector.change == Change()


def test_json_and_html_have_the_same_figures(tmp_path: Path) -> None:
    report = report_of([PLAIN, PACT], replace(RECORDED, estimates={}))
    document = json.loads(json.dumps(report.document()))
    detector = document["rows"][1]["ours"]["detector"]
    assert detector["score"] == {"share": 0.9755, "pictures": 200, "device": "host", "frozen": "l" * 64}
    assert detector["estimate"] is None and detector["sha256"] == DET_PACT
    assert document["rows"][1]["detector_change"]["cost_ratio"] == pytest.approx(195 / 224)
    assert document["gaps"] == list(report.gaps) and len(report.gaps) == 1
    html = render_html(report, [tmp_path / "page.png"], [])
    assert "<td>97.55 %</td><td>+0.55</td>" in html and report.gaps[0] in html
