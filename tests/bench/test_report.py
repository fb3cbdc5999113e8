"""The report's rows, from results made here: what is shown, what is not, and that kinds are never mixed."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bench_samples import bench_result, picture_result, variant_result
from rich.console import Console

from edgeocr.bench.html import render_html
from edgeocr.bench.mode import Mode
from edgeocr.bench.published import other_figures, slimocr
from edgeocr.bench.recorded import Recorded
from edgeocr.bench.report import Report, build_report
from edgeocr.bench.result import BenchResult, BoundFile, write_result
from edgeocr.bench.table import number, percent, show_report
from edgeocr.device.device import Kind
from edgeocr.errors import EdgeocrError

PLAIN = variant_result("none", [100, 110, 120], (2_000_000, 2_000_000))
PACT = variant_result("pact", [80, 100, 90], (500_000, 700_000))

KINDS: tuple[Kind, ...] = ("emulated", "host", "phone")
NOTHING_RECORDED = Recorded({}, {})


def report_of(result: BenchResult) -> Report:
    return build_report(result, slimocr(), NOTHING_RECORDED)


def shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=200, highlight=False)
    show_report(report, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_every_published_row_is_there_with_ours_or_the_reason() -> None:
    report = report_of(bench_result("host", [PLAIN], ["pact", "prune"]))
    assert [row.published.number for row in report.rows] == [0, 1, 2, 3]
    assert [row.missing for row in report.rows] == ["", "not built: pact", "not measured: prune+pact", "not built: prune"]


def test_our_figures_come_from_samples_and_file_sizes() -> None:
    report = report_of(bench_result("phone", [PLAIN, PACT]))
    plain, pact = report.rows[0].ours, report.rows[1].ours
    assert plain is not None and pact is not None
    assert plain.detector_ms == pytest.approx(66) and plain.recogniser_ms_per_box == pytest.approx(2.2) and plain.total_ms == 110
    assert (plain.size_mb, plain.compression_percent, plain.speed_up_percent) == (4.0, None, None)
    assert pact.size_mb == 1.2 and pact.compression_percent == pytest.approx(70)
    assert pact.speed_up_percent == pytest.approx(100 * (110 / 90 - 1))
    assert plain.accuracy is not None and (plain.accuracy.exact, plain.accuracy.lines) == (24, 26)


@pytest.mark.parametrize("kind", KINDS)
def test_ours_carry_their_kind_and_emulated_times_give_no_ratio(kind: Kind) -> None:
    report = report_of(bench_result(kind, [PLAIN, PACT]))
    text = shown(report)
    pact = report.rows[1].ours
    assert pact is not None
    assert (pact.speed_up_percent is None) is (kind == "emulated")
    assert text.count(f"ours, {report.result.label}") == 2
    assert ("must not be compared" in text) is (kind == "emulated")


def test_report_shows_what_was_read_first_and_then_both_figures() -> None:
    text = shown(report_of(bench_result("host", [PLAIN], ["pact"])))
    assert text.index("TOTAL <b>&") < text.index("SlimOCR model zoo and ours") < text.index("224")
    assert "24 of 26 lines" in text and "61.7 %" in text and "67.82 %" in text
    assert "not built: pact" in text


def test_sizes_are_those_of_detector_and_recogniser_as_published() -> None:
    with_classifier = replace(PLAIN, files={**PLAIN.files, "classifier": BoundFile("cls.nb", "c" * 64, 500_000)})
    report = report_of(bench_result("host", [with_classifier]))
    (plain, *_) = report.rows
    assert plain.ours is not None and plain.ours.size_mb == 4.0
    assert "after a direction classifier" in shown(report)
    assert "direction classifier" not in shown(report_of(bench_result("host", [PLAIN])))


def test_report_says_what_of_a_recogniser_the_recipe_leaves_fp32() -> None:
    quantised = replace(PACT, unquantised_lstm_bytes=743_000)
    text = shown(report_of(bench_result("host", [PLAIN, quantised, replace(quantised, variant="prune")])))
    assert text.count("The recipe quantises no LSTM: 0.74 of the ") == 1
    assert "no LSTM" not in shown(report_of(bench_result("host", [PLAIN, PACT])))


def test_tables_fit_a_terminal_of_120_columns() -> None:
    for kind in KINDS:
        for mode in (Mode(), Mode("fp16", "exact"), Mode("fp16", "fast"), Mode("fp16", "fast", True), Mode(int8="composed")):
            report = report_of(bench_result(kind, [PLAIN, PACT], mode=mode))
            assert max(map(len, shown(report).split("Ours:")[0].splitlines())) <= 120


@pytest.mark.parametrize(
    ("mode", "name", "label", "remark"),
    [
        (Mode(), "", "ours, host ", None),
        (Mode("fp32"), ", fp32", "ours, host, fp32 ", None),
        (Mode("fp16"), ", fp16", "ours, host, fp16 ", "not the same arithmetic"),
        (Mode(int8="exact"), ", exact int8", "ours, host ", None),
        (Mode(int8="fast"), ", fast int8", "ours, host ", "nets are fast ones"),
        (Mode(int8="composed"), ", composed int8", "ours, host ", "nets are composed ones"),
        (Mode(dynamic_int8=True), ", dynamic int8", "ours, host ", "Large matrix products"),
    ],
)
def test_headings_and_json_name_the_mode_and_remarks_what_is_not_as_published(
    mode: Mode, name: str, label: str, remark: str | None
) -> None:
    report = report_of(bench_result("host", [PLAIN], mode=mode))
    for text in (shown(report), render_html(report, [Path("page.png")], [])):
        assert f"SlimOCR model zoo and ours{name} (published: Snapdragon 855)" in text
        assert f"Snapdragon 855) and ours{name} (A76 estimate" in text
        for other in ("not the same arithmetic", "nets are fast ones", "nets are composed ones", "Large matrix products"):
            assert (other in unescape(text)) is (other == remark)
    assert label in shown(report)
    expected = {"precision": mode.precision, "int8": mode.int8, "dynamic_int8": mode.dynamic_int8}
    assert report.document()["mode"] == report.result.document()["settings"]["mode"] == expected


def test_restless_phone_is_flagged() -> None:
    restless = variant_result("none", [100, 200], (1, 1))
    changed = type(restless)(restless.set, restless.variant, restless.files, (picture_result([1.0], settled=False),))
    assert "did not come to agree" in shown(report_of(bench_result("phone", [changed])))


class _Checker(HTMLParser):
    """Counts cells of each row and keeps the text."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "image", "polygon"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_report_is_one_sound_file_with_everything_escaped(tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    picture.write_bytes(b"\x89PNG not really")
    report = report_of(bench_result("host", [PLAIN, PACT], ["prune"]))
    html = render_html(report, [picture], other_figures())
    checker = _Checker()
    checker.feed(html)
    assert checker.open == []
    assert "TOTAL <b>&" in checker.text and "not built: prune" in checker.text
    assert "PP-OCR v1.1 mobile pipeline" in checker.text and "15.59" in checker.text
    assert "data:image/png;base64," in html and "http" not in html
    assert report.result.binding() in checker.text


def test_result_file_names_device_and_time_and_holds_every_sample(tmp_path: Path) -> None:
    result = bench_result("phone", [PLAIN, PACT])
    path = write_result(result, tmp_path / "bench")
    assert path.name == "R5CT_10_ab-20240501T120000Z.json"
    document = json.loads(path.read_text())
    assert document["schema"] == 1 and document["binding"] == result.binding()
    assert document["variants"][1]["pictures"][0]["samples"]["total"] == [80, 100, 90]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_binding_changes_with_anything_that_is_bound() -> None:
    base = bench_result("host", [PLAIN])
    assert base.binding() == bench_result("host", [PLAIN]).binding()
    assert base.binding() != bench_result("host", [PLAIN, PACT]).binding()
    assert base.binding() != bench_result("host", [PLAIN], mode=Mode("fp16")).binding()


def test_unwritable_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgeocrError, match="cannot be written"):
        write_result(bench_result("host", [PLAIN]), tmp_path / "file" / "bench")


@pytest.mark.parametrize(("value", "text"), [(None, ""), (9.52, "9.52"), (224.4, "224"), (12345.6, "12346"), (0.1234, "0.123")])
def test_numbers_keep_three_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_percentages_keep_what_was_printed() -> None:
    assert [percent(value) for value in (None, 8, 67.82, 30.0)] == ["", "8 %", "67.82 %", "30 %"]
