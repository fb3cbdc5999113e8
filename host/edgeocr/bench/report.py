"""The SlimOCR table, row by row: what was published, what was measured here and what is recorded of the nets, as data.

Rendering is in table.py and html.py. Ours carry their kind. A ratio is formed only between two of our own variants of one run, and not for
times that are no speed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from edgeocr.bench.accuracy import Accuracy
from edgeocr.bench.net_figures import Change, NetFigures, gaps, net_figures, published_change
from edgeocr.bench.published import Row, SlimOcr
from edgeocr.bench.recorded import Recorded
from edgeocr.bench.result import BenchResult, VariantResult

BASE = "none"


@dataclass(frozen=True)
class Ours:
    """One variant as measured. Times in milliseconds: per picture the median of its samples, averaged over the pictures."""

    name: str  # "ours"; of a user's folder its name
    label: str  # kind of the device; emulated ones say that the times are no speed
    detector_ms: float | None
    recogniser_ms_per_box: float | None
    total_ms: float | None
    speed_up_percent: float | None  # against our unchanged nets in this run
    size_mb: float  # 10^6 bytes of detector and recogniser
    compression_percent: float | None  # against our unchanged nets
    accuracy: Accuracy | None  # on the pictures of this run
    detector: NetFigures
    recogniser: NetFigures


@dataclass(frozen=True)
class ReportRow:
    published: Row
    detector_change: Change  # of the published figures
    recogniser_change: Change
    ours: Ours | None
    missing: str  # why there is nothing of ours; empty if there is


@dataclass(frozen=True)
class Report:
    table: SlimOcr
    result: BenchResult
    rows: tuple[ReportRow, ...]
    others: tuple[Ours, ...]  # what was measured and has no published row: a user's folder
    gaps: tuple[str, ...]  # what is not recorded of the measured nets, and the command that records it

    @property
    def measured(self) -> list[Ours]:
        return [*(row.ours for row in self.rows if row.ours is not None), *self.others]

    def document(self) -> dict[str, Any]:
        """The rows as JSON data: the dataclasses here and in published.py, net_figures.py and recorded.py, field by field."""
        rows = [asdict(row) for row in self.rows]
        about = {"source": self.table.source, "device": self.table.device, "mode": asdict(self.result.settings.mode)}
        return {**about, "rows": rows, "others": [asdict(ours) for ours in self.others], "gaps": list(self.gaps)}


def build_report(result: BenchResult, table: SlimOcr, recorded: Recorded) -> Report:
    measured = {variant.variant: variant for variant in result.variants}
    base = measured.get(BASE)
    published_base = next((row for row in table.rows if row.variant == BASE), None)
    rows = []
    for row in table.rows:
        variant = measured.get(row.variant)
        ours = None if variant is None else _ours(variant, base, result, recorded)
        rows.append(ReportRow(row, *published_change(row, published_base), ours, "" if ours else _why_missing(row.variant, result)))
    published = {row.variant for row in table.rows}
    others = tuple(_ours(variant, base, result, recorded) for variant in result.variants if variant.variant not in published)
    return Report(table, result, tuple(rows), others, tuple(gaps(result, recorded)))


def _why_missing(variant: str, result: BenchResult) -> str:
    return f"not built: {variant}" if variant in result.not_built else f"not measured: {variant}"


def _ours(variant: VariantResult, base: VariantResult | None, result: BenchResult, recorded: Recorded) -> Ours:
    total = variant.mean_of_medians("total")
    other = base if base is not None and base is not variant else None
    base_total = other.mean_of_medians("total") if other is not None and result.device.kind != "emulated" else None
    return Ours(
        name="ours" if variant.variant else variant.name,
        label=result.label,
        detector_ms=variant.mean_of_medians("det"),
        recogniser_ms_per_box=variant.mean_of_medians("rec_per_box"),
        total_ms=total,
        speed_up_percent=100 * (base_total / total - 1) if base_total and total else None,
        size_mb=variant.model_bytes() / 1e6,
        compression_percent=100 * (1 - variant.model_bytes() / other.model_bytes()) if other is not None else None,
        accuracy=variant.exact(),
        detector=net_figures(variant, other, "det", recorded),
        recogniser=net_figures(variant, other, "rec", recorded),
    )
