"""The report for people, at most 120 columns wide: what was read, then published figures and ours line by line, in two tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from edgeocr.bench.accuracy import Accuracy
from edgeocr.bench.mode import EXACT
from edgeocr.bench.net_figures import Change, NetFigures
from edgeocr.bench.published import Row
from edgeocr.bench.recorded import Score
from edgeocr.bench.report import Ours, Report, ReportRow
from edgeocr.bench.result import PictureResult, VariantResult

COLUMNS = ("#", "figures", "det ms", "rec ms/box", "picture ms", "speed-up", "size MB", "smaller", "exact lines")
NET_COLUMNS = ("#", "figures", "det accuracy", "points", "rec accuracy", "points", "det cost", "of row 0", "rec cost", "of row 0")
FIGURES_WIDTH = 38  # characters of the column `figures`
UNKNOWN = "–"
MEASURES = {"det": "hmean", "rec": "exact lines"}


def show_report(report: Report, console: Console) -> None:
    for variant in report.result.variants[:1]:
        for picture in variant.pictures:
            console.print(picture_table(picture, variant))
    console.print(report_table(report))
    console.print(nets_table(report))
    for remark in remarks(report):
        console.print(remark, style="dim")


def picture_table(picture: PictureResult, variant: VariantResult) -> Table:
    title = f"{picture.picture}, read by {variant.title}"
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("text")
    table.add_column("score", justify="right")
    for line in picture.lines:
        if line.kept:
            table.add_row(line.text, f"{line.score:.3f}")
    if picture.accuracy is not None:
        table.caption = f"{accuracy_text(picture.accuracy)} as labelled"
    return table


def report_table(report: Report) -> Table:
    table = _figures_table(report_title(report), COLUMNS)
    for row in report.rows:
        table.add_row(*published_cells(row.published), style="dim")
        table.add_row(*our_cells(row, report), end_section=True)
    for ours in report.others:
        table.add_row(*measured_cells(ours, report))
    return table


def nets_table(report: Report) -> Table:
    table = _figures_table(nets_title(report), NET_COLUMNS)
    for row in report.rows:
        table.add_row(*published_net_cells(row), style="dim")
        table.add_row(*our_net_cells(row), end_section=True)
    for ours in report.others:
        table.add_row(*measured_net_cells(ours))
    return table


def report_title(report: Report) -> str:
    return f"{report.table.title} and {in_mode(report, 'ours')} (published: {report.table.device})"


def nets_title(report: Report) -> str:
    return f"Accuracy and cost of the nets: published (ms, {report.table.device}) and {in_mode(report, 'ours')} (A76 estimate, M cycles)"


def in_mode(report: Report, what: str) -> str:
    """`what`, and how the nets were computed if the run was asked for a way."""
    return ", ".join(filter(None, (what, report.result.settings.mode.name)))


def _figures_table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        if name == "figures":
            table.add_column(name, max_width=FIGURES_WIDTH)
        else:
            table.add_column(name.replace(" ", "\n", 1), justify="right")
    return table


def published_cells(row: Row) -> list[str]:
    return [
        str(row.number),
        f"{row.strategy}: published",
        printed(row.detector.ms),
        printed(row.recogniser.ms_per_box),
        printed(row.total_ms),
        percent(row.speed_up_percent),
        printed(row.size_mb),
        percent(row.compression_percent),
        "",
    ]


def our_cells(row: ReportRow, report: Report) -> list[str]:
    return ["", row.missing, *[""] * (len(COLUMNS) - 2)] if row.ours is None else measured_cells(row.ours, report)


def measured_cells(ours: Ours, report: Report) -> list[str]:
    precision = report.result.settings.mode.precision  # of every net; --int8 changes int8 ones only
    return ["", ", ".join(filter(None, (ours.name, ours.label, precision))), *our_figures(ours)]


def our_figures(ours: Ours) -> list[str]:
    return [
        number(ours.detector_ms),
        number(ours.recogniser_ms_per_box),
        number(ours.total_ms),
        percent(ours.speed_up_percent),
        f"{ours.size_mb:.2f}",
        percent(ours.compression_percent),
        accuracy_text(ours.accuracy),
    ]


def published_net_cells(row: ReportRow) -> list[str]:
    detector, recogniser = row.published.detector, row.published.recogniser
    return [
        str(row.published.number),
        f"{row.published.variant}: published",
        *accuracy_cells(f"{detector.accuracy:g} %", row.detector_change),
        *accuracy_cells(f"{recogniser.accuracy:g} %", row.recogniser_change),
        *cost_cells(f"{detector.ms:g} ms", row.detector_change),
        *cost_cells(f"{recogniser.ms_per_box:g} ms", row.recogniser_change),
    ]


def our_net_cells(row: ReportRow) -> list[str]:
    return ["", row.missing, *[""] * (len(NET_COLUMNS) - 2)] if row.ours is None else measured_net_cells(row.ours)


def measured_net_cells(ours: Ours) -> list[str]:
    detector, recogniser = ours.detector, ours.recogniser
    return [
        "",
        ours.name,
        *accuracy_cells(share(detector.score), detector.change),
        *accuracy_cells(share(recogniser.score), recogniser.change),
        *cost_cells(megacycles(detector), detector.change),
        *cost_cells(megacycles(recogniser), recogniser.change),
    ]


def accuracy_cells(accuracy: str, change: Change) -> list[str]:
    points = change.accuracy_points
    return [accuracy, "" if points is None else f"{points:+.2f}"]


def cost_cells(cost: str, change: Change) -> list[str]:
    ratio = change.cost_ratio
    return [cost, "" if ratio is None else f"{ratio:.3f}"]


def remarks(report: Report) -> Iterator[str]:
    """What has to be known to read the table."""
    result = report.result
    where = " ".join(filter(None, (result.device.properties.get("ro.product.model"), result.runner.arch)))
    threads = f"{result.settings.threads} thread{'s' if result.settings.threads > 1 else ''}"
    yield f"Ours: {result.label}, {where}, {threads}; the median of each picture's samples, averaged over the pictures."
    if result.device.kind == "emulated":
        yield "An emulated phone translates every instruction: its times are no speed and must not be compared with any other."
    elif result.device.kind == "host":
        yield "These times say something of this machine only: they are not comparable with the published ones of a phone."
    yield f"Published: {report.table.source}; {report.table.engine}."
    yield from other_arithmetic(report)
    yield "Sizes are 10^6 bytes of the files of detector and recogniser; smaller and speed-up are against row 0 of the same source."
    yield from lstm_sizes(report)
    if any("classifier" in variant.files for variant in result.variants):
        yield "Ours read every line after a direction classifier: picture ms has its time, size MB not its file."
    yield from net_remarks(report)
    yield from restless(report)


def other_arithmetic(report: Report) -> Iterator[str]:
    """Where ours were computed otherwise than the published: in fp32, and in int8 where PACT is named."""
    mode = report.result.settings.mode
    if mode.precision == "fp16":
        yield "Ours were computed in fp16, the published in fp32, or int8 where PACT is named: not the same arithmetic."
    if mode.int8 not in (None, EXACT):
        yield f"Our int8 nets are {mode.int8} ones, whose results are not Paddle-Lite's, with which the published were taken."
    if mode.dynamic_int8:
        yield "Large matrix products of our recognisers were computed in int8, the published in fp32, or int8 where PACT is named."


def lstm_sizes(report: Report) -> Iterator[str]:
    """What keeps our quantised recognisers from being as small as the published."""
    found = dict.fromkeys((v.unquantised_lstm_bytes, v.files["recogniser"].bytes) for v in report.result.variants)
    for lstm, whole in found:
        if lstm > 0:
            share = f"{lstm / 1e6:.2f} of the {whole / 1e6:.2f} MB"
            yield f"The recipe quantises no LSTM: {share} of our quantised recogniser are its fp32 weights."


def net_remarks(report: Report) -> Iterator[str]:
    """What has to be known to read the second table, and what it lacks."""
    nets = {"det": [ours.detector for ours in report.measured], "rec": [ours.recogniser for ours in report.measured]}
    yield f"Accuracy: published {report.table.accuracy}; ours {_evaluated(nets)}."
    yield f"A76 estimate: Cortex-A76 cycles of one thread, from counted instructions, no cache misses, no phone; {_inputs(nets)}."
    for gap in report.gaps:
        yield f"Missing: {gap}"


def _evaluated(nets: Mapping[str, Sequence[NetFigures]]) -> str:
    """Per net: the measure, the size of the frozen evaluation set, and the kind of device that computed it."""
    scores = dict.fromkeys((kind, net.score.pictures, net.score.device) for kind in nets for net in nets[kind] if net.score is not None)
    shown = [f"{kind} {MEASURES[kind]} of {pictures:,} frozen pictures ({device})" for kind, pictures, device in scores]
    return ", ".join(shown) or "none is recorded"


def _inputs(nets: Mapping[str, Sequence[NetFigures]]) -> str:
    inputs = dict.fromkeys((kind, net.estimate.input) for kind in nets for net in nets[kind] if net.estimate is not None)
    return ", ".join(f"{kind} at {shape}" for kind, shape in inputs) or "none is recorded"


def restless(report: Report) -> Iterator[str]:
    """Measurements to be doubted."""
    result = report.result
    for variant in result.variants:
        for picture in variant.pictures:
            if result.device.kind == "phone" and not picture.settled:
                yield f"{variant.name}, {picture.picture}: the warm-up did not come to agree within 3 %."
            if not picture.same_text:
                yield f"{variant.name}, {picture.picture}: the lines differ between readings."


def printed(value: float | None) -> str:
    """A published figure, with the digits that were printed."""
    return "" if value is None else f"{value:g}"


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def share(score: Score | None) -> str:
    return UNKNOWN if score is None else f"{100 * score.share:.2f} %"


def megacycles(net: NetFigures) -> str:
    return UNKNOWN if net.estimate is None else f"{net.estimate.a76_cycles / 1e6:.1f} M"


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} %" if value % 1 else f"{value:.0f} %"


def accuracy_text(accuracy: Accuracy | None) -> str:
    return "" if accuracy is None else f"{accuracy.exact} of {accuracy.lines} lines"
