"""One benchmark: push what is missing, read every picture by every variant under the device's protocol, and gather the result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from edgeocr import __version__
from edgeocr.bench.accuracy import Page, exact_lines
from edgeocr.bench.affinity import confirmed_mask, fastest_cores
from edgeocr.bench.mode import Mode
from edgeocr.bench.protocol import Measurement, Protocol
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
from edgeocr.device.device import Device
from edgeocr.device.performance_mode import fixed_performance
from edgeocr.device.preflight import Preflight, read_preflight
from edgeocr.device.push import PushFile, model_file, picture_file, push, runner_file
from edgeocr.device.records import HelloRecord, Line, PictureRecord, Record
from edgeocr.device.runner import OcrOptions, require_runner, run_ocr
from edgeocr.device.runner_process import RunnerClient
from edgeocr.errors import EdgeocrError
from edgeocr.zoo.inspection import unquantised_lstm_bytes
from edgeocr.zoo.model_files import ModelFiles

PROPERTIES = (
    "ro.product.manufacturer",
    "ro.product.model",
    "ro.product.cpu.abi",
    "ro.soc.model",
    "ro.board.platform",
    "ro.build.version.release",
    "ro.build.fingerprint",
)
ROLES = ("detector", "classifier", "recogniser", "dictionary")


@dataclass(frozen=True)
class Variant:
    """The files of one variant and how they are read."""

    models: ModelFiles
    options: OcrOptions

    @property
    def name(self) -> str:
        return self.models.variant or self.models.name


@dataclass(frozen=True)
class Observer:
    """Hears what the run does: files pushed, variants and pictures begun, readings taken."""

    on_push: Callable[[PushFile, bool], None] = lambda file, sent: None
    on_begin: Callable[[str], None] = lambda what: None
    on_reading: Callable[[], None] = lambda: None


class _Enough(Exception):
    """Raised out of the runner's records when the protocol has what it wants: the runner is ended."""


def run_benchmark(
    device: Device,
    variants: Sequence[Variant],
    pages: Sequence[Page],
    protocol: Protocol,
    *,
    threads: int,
    mode: Mode | None = None,
    not_built: Sequence[str] = (),
    observer: Observer | None = None,
) -> BenchResult:
    """Raises `DeviceError`, `RunnerError` or `UnreadablePictures` where the device, the runner or a picture fails."""
    observer = observer or Observer()
    mode = mode or Mode()
    variants = [replace(v, options=_in_mode(v.options, mode)) for v in variants]
    taken_at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    pictures = [page.picture for page in pages]
    hello = _prepare(device, variants, pictures, observer)
    before = read_preflight(device)
    mask = confirmed_mask(device, fastest_cores(before.cores, threads)) if device.kind == "phone" else None
    taken: dict[tuple[int, int], list[Measurement]] = defaultdict(list)
    with fixed_performance(device) as fixed:
        for variant, picture in _order(len(variants), len(pictures), protocol.passes):
            observer.on_begin(f"{variants[variant].name}, {pictures[picture].name}")
            measurement = _measure(device, variants[variant], pictures[picture], protocol, threads, mask, observer)
            taken[variant, picture].append(measurement)
    results = [
        _variant_result(variant, [_picture_result(page, taken[index, number]) for number, page in enumerate(pages)])
        for index, variant in enumerate(variants)
    ]
    return BenchResult(
        taken_at=taken_at,
        edgeocr_version=__version__,
        device=_facts(device, before),
        label=protocol.label,
        runner=RunnerFacts(BoundFile.of(require_runner(device)), hello.version, hello.protocol, hello.arch, hello.isa),
        settings=Settings(threads, mask, fixed, protocol.min_warmups, protocol.samples, protocol.sample_seconds, protocol.passes, mode),
        pictures=tuple(BoundFile.of(path) for path in pictures),
        variants=tuple(results),
        not_built=tuple(not_built),
    )


def _in_mode(options: OcrOptions, mode: Mode) -> OcrOptions:
    return replace(options, precision=mode.precision, int8=mode.int8, dynamic_int8=mode.dynamic_int8)


def _order(variants: int, pictures: int, passes: int) -> Iterator[tuple[int, int]]:
    """Every picture of A, of B, …, then of … B, A: a drift hits all variants alike."""
    for number in range(passes):
        order = range(variants) if number % 2 == 0 else reversed(range(variants))
        for variant in order:
            for picture in range(pictures):
                yield variant, picture


def _prepare(device: Device, variants: Sequence[Variant], pictures: Sequence[Path], observer: Observer) -> HelloRecord:
    """Pushes what is missing and lets the runner introduce itself."""
    runner = runner_file(require_runner(device))
    models = [model_file(path) for variant in variants for path in variant.models.paths()]
    on_host = device.kind == "host"
    if not on_host:
        push(device, [runner, *models, *(picture_file(path) for path in pictures)], observer.on_push)
    detector = model_file(variants[0].models.detector)
    client = RunnerClient(device, str(runner.local.absolute()) if on_host else runner.remote)
    return client.run(["info", str(detector.local.absolute()) if on_host else detector.remote], lambda record: None)


def _measure(
    device: Device, variant: Variant, picture: Path, protocol: Protocol, threads: int, mask: str | None, observer: Observer
) -> Measurement:
    """One process: one variant, one picture."""
    measurement = Measurement(protocol)

    def on_record(record: Record) -> None:
        if isinstance(record, PictureRecord):
            measurement.take(record)
            observer.on_reading()
            if measurement.complete:
                raise _Enough

    repeats = protocol.max_readings
    try:
        run_ocr(
            device, variant.models, [picture], threads=threads, repeats=repeats, options=variant.options, on_record=on_record, cpu_mask=mask
        )
    except _Enough:
        return measurement
    raise EdgeocrError(f"the runner on device {device.serial} ended before it had read {picture} {repeats} times")


def _facts(device: Device, before: Preflight) -> DeviceFacts:
    properties = device.properties()
    known = {name: properties[name] for name in PROPERTIES if properties.get(name)}
    return DeviceFacts(device.serial, device.kind, known, before.as_json(), read_preflight(device).as_json())


def _variant_result(variant: Variant, pictures: Sequence[PictureResult]) -> VariantResult:
    models = variant.models
    paths = {role: getattr(models, role) for role in ROLES}
    files = {role: BoundFile.of(path) for role, path in paths.items() if path is not None}
    return VariantResult(models.name, models.variant, files, tuple(pictures), unquantised_lstm_bytes(models.recogniser))


def _picture_result(page: Page, passes: Sequence[Measurement]) -> PictureResult:
    readings = [sample for one_pass in passes for sample in one_pass.samples]
    samples = stage_samples([reading.ms for reading in readings])
    last = readings[-1]
    return PictureResult(
        picture=page.picture.name,
        size=last.size,
        det_input=last.det_input,
        warmups=sum(len(one_pass.warmups) for one_pass in passes),
        settled=all(one_pass.settled for one_pass in passes),
        same_text=all(reading.lines == last.lines for reading in readings),
        samples=samples,
        summary={stage: summarise(values) for stage, values in samples.items()},
        lines=tuple(_read_line(line) for line in last.lines),
        accuracy=None if page.labels is None else exact_lines(page.labels, last.lines),
    )


def _read_line(line: Line) -> ReadLine:
    return ReadLine(line.box, line.text, line.score, line.turned, line.kept)
