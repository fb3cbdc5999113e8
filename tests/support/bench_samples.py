"""Synthetic records and results for the tests of the benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from edgeocr.bench.accuracy import Accuracy
from edgeocr.bench.mode import Mode
from edgeocr.bench.result import (
    BenchResult,
    BoundFile,
    DeviceFacts,
    PictureResult,
    ReadLine,
    RunnerFacts,
    Settings,
    VariantResult,
    stage_samples,
)
from edgeocr.bench.statistics import summarise
from edgeocr.device.device import Kind
from edgeocr.device.records import Line, PictureRecord, Point

D, E = "d" * 64, "e" * 64  # sha256
STAGES = ("decode", "det_pre", "det", "det_post", "crop", "cls", "rec", "rec_per_box", "total")


def line(text: str, left: float, top: float, *, width: float = 100, height: float = 20, score: float = 0.9, kept: bool = True) -> Line:
    corners: tuple[Point, Point, Point, Point] = ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
    return Line(box=corners, text=text, score=score, box_score=0.8, cls_score=0.0, turned=False, kept=kept, rec_width=320)


def record(total: float, lines: Sequence[Line] = (), picture: str = "page.png") -> PictureRecord:
    ms = dict.fromkeys(STAGES, 1.0) | {"det": total * 0.6, "rec_per_box": total * 0.02, "total": total}
    return PictureRecord(picture, 0, (480, 800), (1, 3, 800, 480), 7000.0, tuple(lines), ms)


def picture_result(totals: Sequence[float], *, settled: bool = True) -> PictureResult:
    samples = stage_samples([record(total).ms for total in totals])
    return PictureResult(
        picture="page.png",
        size=(480, 800),
        det_input=(1, 3, 800, 480),
        warmups=10,
        settled=settled,
        same_text=True,
        samples=samples,
        summary={stage: summarise(values) for stage, values in samples.items()},
        lines=(ReadLine(((10, 10), (110, 10), (110, 30), (10, 30)), "TOTAL <b>&", 0.98, False, True),),
        accuracy=Accuracy(24, 26),
    )


def variant_result(variant: str, totals: Sequence[float], sizes: tuple[int, int], hashes: tuple[str, str] = (D, E)) -> VariantResult:
    files = {"detector": BoundFile("det.nb", hashes[0], sizes[0]), "recogniser": BoundFile("rec.nb", hashes[1], sizes[1])}
    files["dictionary"] = BoundFile("keys.txt", "f" * 64, 999_999)
    return VariantResult("small", variant, files, (picture_result(totals),))


def bench_result(kind: Kind, variants: Sequence[VariantResult], not_built: Sequence[str] = (), mode: Mode | None = None) -> BenchResult:
    return BenchResult(
        taken_at="2024-05-01T12:00:00Z",
        edgeocr_version="0.1.0",
        device=DeviceFacts("R5CT 10:ab", kind, {"ro.product.model": "Pixel 4"}, {"battery_percent": 80}, {}),
        label="no speed: emulated" if kind == "emulated" else kind,
        runner=RunnerFacts(BoundFile("edgeocr_run", "a" * 64, 3_000_000), "0.1.0", 1, "aarch64", ("asimd", "asimddp")),
        settings=Settings(
            threads=1,
            cpu_mask="80",
            fixed_performance=True,
            min_warmups=10,
            samples=100,
            sample_seconds=60,
            passes=2,
            mode=mode or Mode(),
        ),
        pictures=(BoundFile("page.png", "b" * 64, 1000),),
        variants=tuple(variants),
        not_built=tuple(not_built),
    )
