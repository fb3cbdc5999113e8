"""The report for people: what was read, then published figures and ours line by line, on a rich console."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edgeocr.bench.accuracy import Accuracy
from edgeocr.bench.published import Row
from edgeocr.bench.report import Ours, Report, ReportRow
from edgeocr.bench.result import PictureResult, VariantResult

COLUMNS = ("#", "figures", "det ms", "rec ms/box", "picture ms", "speed-up", "size MB", "compression", "accuracy")


def show_report(report: Report, console: Console) -> None:
    for variant in report.result.variants[:1]:
        for picture in variant.pictures:
            console.print(picture_table(picture, variant))
    console.print(report_table(report))
    for remark in remarks(report):
        console.print(remark, style="dim", markup=False)


def picture_table(picture: PictureResult, variant: VariantResult) -> Table:
    title = f"{picture.picture}, read by {variant.set} ({variant.variant})"
    table = Table(title=Text(title), title_justify="left", header_style="bold")
    table.add_column("text")
    table.add_column("score", justify="right")
    for line in picture.lines:
        if line.kept:
            table.add_row(Text(line.text), f"{line.score:.3f}")
    if picture.accuracy is not None:
        table.caption = f"{accuracy_text(picture.accuracy)} as labelled"
    return table


def report_table(report: Report) -> Table:
    table = Table(title=f"{report.table.title} and ours", title_justify="left", header_style="bold")
    for index, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if index in (1, 8) else "right")
    for row in report.rows:
        table.add_row(*published_cells(row.published, report.table.device), style="dim")
        table.add_row(*our_cells(row), end_section=True)
    return table


def published_cells(row: Row, device: str) -> list[str]:
    return [
        str(row.number),
        f"{row.strategy}: published, {device}",
        printed(row.detector.ms),
        printed(row.recogniser.ms_per_box),
        printed(row.total_ms),
        percent(row.speed_up_percent),
        printed(row.size_mb),
        percent(row.compression_percent),
        f"det {row.detector.accuracy:g} %, rec {row.recogniser.accuracy:g} %",
    ]


def our_cells(row: ReportRow) -> list[str]:
    ours = row.ours
    if ours is None:
        return ["", row.missing, *[""] * (len(COLUMNS) - 2)]
    return ["", f"ours, {ours.label}", *our_figures(ours)]


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
    yield f"Published: {report.table.source}; {report.table.engine}; accuracy {report.table.accuracy}; ours: lines read exactly."
    yield "Sizes are 10^6 bytes of the nets' files; compression and speed-up are against row 0 of the same source."
    for variant in result.variants:
        for picture in variant.pictures:
            if result.device.kind == "phone" and not picture.settled:
                yield f"{variant.variant}, {picture.picture}: the warm-up did not come to agree within 3 %."
            if not picture.same_text:
                yield f"{variant.variant}, {picture.picture}: the lines differ between readings."


def printed(value: float | None) -> str:
    """A published figure, with the digits that were printed."""
    return "" if value is None else f"{value:g}"


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} %" if value % 1 else f"{value:.0f} %"


def accuracy_text(accuracy: Accuracy | None) -> str:
    return "" if accuracy is None else f"{accuracy.exact} of {accuracy.lines} lines"
