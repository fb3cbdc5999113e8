"""The report as one HTML file that needs nothing else: the pictures with their boxes, the lines read, the table, the samples."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from edgeocr.bench.published import Figure
from edgeocr.bench.report import Report
from edgeocr.bench.result import PictureResult, VariantResult
from edgeocr.bench.table import (
    COLUMNS,
    NET_COLUMNS,
    accuracy_text,
    in_mode,
    measured_cells,
    measured_net_cells,
    nets_title,
    number,
    our_cells,
    our_net_cells,
    printed,
    published_cells,
    published_net_cells,
    remarks,
    report_title,
)

MAX_EMBEDDED_BYTES = 2 << 20
MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".bmp": "image/bmp"}

STYLE = """
:root { color-scheme: light dark; --line: #8886; --box: #d33 }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line) }
.scroll th:nth-child(2), .scroll td:nth-child(2), td.text, th.text { text-align: left }
tr.published { opacity: .65 }
.reading { display: flex; gap: 1.5rem; flex-wrap: wrap; align-items: flex-start }
.reading svg { width: min(32rem, 100%); height: auto; border: 1px solid var(--line) }
polygon { fill: none; stroke: var(--box); stroke-width: 2; vector-effect: non-scaling-stroke }
.scroll { overflow-x: auto }
footer { margin-top: 2rem; color: GrayText; font-size: .85rem; overflow-wrap: anywhere }
"""


def render_html(report: Report, pictures: Sequence[Path], others: Sequence[Figure]) -> str:
    """`pictures` are the files that were read, in the order of the result's pictures; `others`: published figures shown for orientation."""
    result = report.result
    where = result.label if result.label == result.device.serial else f"{result.device.serial} ({result.label})"
    where = in_mode(report, where)
    shown = [(variant, *pair) for variant in result.variants[:1] for pair in zip(variant.pictures, pictures, strict=True)]
    readings = "".join(_reading(picture, variant, path) for variant, picture, path in shown)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>edgeocr on {escape(where)}</title><style>{STYLE}</style></head><body>
<h1>edgeocr on {escape(where)}</h1>
{readings}
<h2>{escape(report_title(report))}</h2>
<div class="scroll"><table><thead>{_row(COLUMNS, "th")}</thead><tbody>{_rows(report)}</tbody></table></div>
<h2>{escape(nets_title(report))}</h2>
<div class="scroll"><table><thead>{_row(NET_COLUMNS, "th")}</thead><tbody>{_net_rows(report)}</tbody></table></div>
{"".join(f"<p>{escape(remark)}</p>" for remark in remarks(report))}
<h2>Samples, ms</h2>
<div class="scroll"><table><thead>{_row(SAMPLE_COLUMNS, "th")}</thead><tbody>{_sample_rows(report)}</tbody></table></div>
<h2>Other published figures</h2>
<div class="scroll"><table><thead>{_row(OTHER_COLUMNS, "th")}</thead><tbody>{_other_rows(others)}</tbody></table></div>
<footer>taken {escape(result.taken_at)} by edgeocr {escape(result.edgeocr_version)}, runner {escape(result.runner.version)}
({escape(result.runner.file.sha256)}); bound by {result.binding()}</footer>
</body></html>
"""


SAMPLE_COLUMNS = ("", "variant, picture, stage", "samples", "min", "median", "95 % interval", "mean", "p90", "p99", "max", "MAD")
OTHER_COLUMNS = ("", "what", "device", "ms", "size MB", "source")
SHOWN_STAGES = ("det", "rec_per_box", "total")


def _sample_rows(report: Report) -> str:
    rows = []
    for variant in report.result.variants:
        for picture in variant.pictures:
            for stage in SHOWN_STAGES:
                if (s := picture.summary.get(stage)) is None:
                    continue
                interval = f"{number(s.low)} – {number(s.high)}"
                figures = [number(s.min), number(s.median), interval, *map(number, (s.mean, s.p90, s.p99, s.max, s.mad))]
                rows.append(_row(["", f"{variant.name}, {picture.picture}, {stage}", str(s.count), *figures]))
    return "".join(rows)


def _other_rows(others: Sequence[Figure]) -> str:
    return "".join(_row(["", f.what, f.device or "", printed(f.ms), printed(f.size_mb), f.source], kind="published") for f in others)


def _rows(report: Report) -> str:
    rows = []
    for row in report.rows:
        rows.append(_row(published_cells(row.published), kind="published"))
        rows.append(_row(our_cells(row, report)))
    rows += [_row(measured_cells(ours, report)) for ours in report.others]
    return "".join(rows)


def _net_rows(report: Report) -> str:
    rows = []
    for row in report.rows:
        rows.append(_row(published_net_cells(row), kind="published"))
        rows.append(_row(our_net_cells(row)))
    rows += [_row(measured_net_cells(ours)) for ours in report.others]
    return "".join(rows)


def _row(cells: Sequence[str], tag: str = "td", kind: str = "") -> str:
    opening = f'<tr class="{kind}">' if kind else "<tr>"
    return opening + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _reading(picture: PictureResult, variant: VariantResult, path: Path) -> str:
    kept = [line for line in picture.lines if line.kept]
    width, height = picture.size
    boxes = "".join(f'<polygon points="{" ".join(f"{x:g},{y:g}" for x, y in line.box)}"/>' for line in kept)
    drawing = f'<svg viewBox="0 0 {width} {height}">{_embedded(path, width, height)}{boxes}</svg>'
    lines = "".join(f'<tr><td class="text">{escape(line.text)}</td><td>{line.score:.3f}</td></tr>' for line in kept)
    score = f"<p>{accuracy_text(picture.accuracy)} as labelled</p>" if picture.accuracy else ""
    head = '<thead><tr><th class="text">text</th><th>score</th></tr></thead>'
    return f"""<h2>{escape(picture.picture)}, read by {escape(variant.title)}</h2>
<div class="reading">{drawing}<div><table>{head}<tbody>{lines}</tbody></table>{score}</div></div>
"""


def _embedded(path: Path, width: int, height: int) -> str:
    """The picture itself, if it is small enough to be carried in the page."""
    if path.suffix.lower() not in MEDIA_TYPES or not path.is_file() or path.stat().st_size > MAX_EMBEDDED_BYTES:
        return ""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<image width="{width}" height="{height}" href="data:{MEDIA_TYPES[path.suffix.lower()]};base64,{data}"/>'
