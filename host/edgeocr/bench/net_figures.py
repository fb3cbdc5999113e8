"""Accuracy and estimated cost of the nets that a run measured, from the records of their very bytes, and what is not recorded of them."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from edgeocr.bench.mode import Mode
from edgeocr.bench.published import Row
from edgeocr.bench.recorded import Estimate, Net, Recorded, Score
from edgeocr.bench.result import BenchResult, VariantResult

ROLES = {"det": "detector", "rec": "recogniser"}


@dataclass(frozen=True)
class Change:
    """A net beside row 0's (variant none) of the same source; None for row 0 itself, and where either figure is not known."""

    accuracy_points: float | None = None  # percentage points
    cost_ratio: float | None = None  # published: of the milliseconds; ours: of the estimated cycles for the same input


@dataclass(frozen=True)
class NetFigures:
    """What is recorded of one net; None: nothing is."""

    sha256: str  # of the file that was measured
    score: Score | None
    estimate: Estimate | None
    change: Change


def net_figures(variant: VariantResult, base: VariantResult | None, kind: str, recorded: Recorded) -> NetFigures:
    """The variant's ``kind`` (det or rec) beside the base's, if there is another variant to be the base."""
    net = _net(variant, kind)
    score, estimate = recorded.scores.get(net), recorded.estimates.get(net)
    if base is None:
        return NetFigures(net.sha256, score, estimate, Change())
    other = _net(base, kind)
    change = Change(_points(score, recorded.scores.get(other)), _ratio(estimate, recorded.estimates.get(other)))
    return NetFigures(net.sha256, score, estimate, change)


def published_change(row: Row, base: Row | None) -> tuple[Change, Change]:
    """Of detector and recogniser."""
    if base is None or row is base:
        return Change(), Change()
    detector = Change(row.detector.accuracy - base.detector.accuracy, row.detector.ms / base.detector.ms)
    recogniser = Change(
        row.recogniser.accuracy - base.recogniser.accuracy,
        row.recogniser.ms_per_box / base.recogniser.ms_per_box,
    )
    return detector, recogniser


def gaps(result: BenchResult, recorded: Recorded) -> Iterator[str]:
    """A line for the nets without a recorded accuracy and one for those without an estimate, each with the command that fills the gap."""
    for path in recorded.absent:
        yield f"{path} is not there."
    if without := _without(result, recorded.scores):
        command = _evaluation(without, result.settings.mode)
        yield f"No accuracy on the frozen sets is recorded for {_named(without)}; to measure it: {command}"
    if without := _without(result, recorded.estimates):
        yield f"No A76 estimate is recorded for {_named(without)}; to make those of the nets that benchmarks/a76 knows: make a76"


def _net(variant: VariantResult, kind: str) -> Net:
    return Net(kind, variant.files[ROLES[kind]].sha256)


def _points(score: Score | None, base: Score | None) -> float | None:
    if score is None or base is None:
        return None
    return 100 * (score.share - base.share)


def _ratio(estimate: Estimate | None, base: Estimate | None) -> float | None:
    if estimate is None or base is None or estimate.input != base.input:
        return None
    return estimate.a76_cycles / base.a76_cycles


def _without(result: BenchResult, records: Container[Net]) -> list[tuple[VariantResult, str]]:
    return [(variant, kind) for variant in result.variants for kind in ROLES if _net(variant, kind) not in records]


def _named(nets: list[tuple[VariantResult, str]]) -> str:
    files = [(variant.name, variant.files[ROLES[kind]]) for variant, kind in nets]
    return ", ".join(f"{variant} {file.name} (sha256 {file.sha256[:12]}…)" for variant, file in files)


def _evaluation(nets: list[tuple[VariantResult, str]], mode: Mode) -> str:
    """`edgeocr eval` of these nets, in one command."""
    variants = dict.fromkeys(variant.variant for variant, _ in nets)
    kinds = dict.fromkeys(kind for _, kind in nets)
    of_set = [("set", nets[0][0].set), *(("variant", name) for name in variants)]
    models = of_set if nets[0][0].variant else [("models", "DIR")]
    options = [*models, *(("net", kind) for kind in kinds)]
    return " ".join(["edgeocr eval", *(f"--{name} {value}" for name, value in options), *mode.arguments()])
