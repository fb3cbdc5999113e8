"""`edgeocr bench`: measure variants on a device and show them beside the published figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeocr import paths
from edgeocr.cli import common

if TYPE_CHECKING:
    from edgeocr.bench.accuracy import Page
    from edgeocr.bench.mode import Mode
    from edgeocr.bench.report import Report
    from edgeocr.bench.result import BenchResult
    from edgeocr.bench.run import Variant
    from edgeocr.zoo.registry import Registry


@click.command()
@common.device_option()
@click.option("--set", "set_name", metavar="NAME", help="A model set of models/registry.toml; the default set if not given.")
@click.option("--variant", "variants", type=click.Choice(common.VARIANTS), multiple=True, help="A variant to measure; all if not given.")
@common.models_dir_option
@click.option(
    "--pictures",
    "pictures",
    metavar="PICTURE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read these, with labels beside them as .json if there are any; the two pages under models/pictures if not given.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, common.MAX_THREADS),
    show_default="1; on the emulated phone, whose times are no speed, as many as this machine has processors",
    help="Threads of the runner.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16"]),
    help="What the nets compute in; what their files hold if not given. Variants with int8 nets are left out, or refused if asked for.",
)
@common.int8_option
@common.dynamic_int8_option
@click.option("--out", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Folder of results; build/bench if not given.")
@common.json_option
def command(
    device: str,
    set_name: str | None,
    variants: tuple[str, ...],
    models_dir: Path | None,
    pictures: tuple[Path, ...],
    threads: int | None,
    precision: str | None,
    int8: str | None,
    dynamic_int8: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure every variant of a set on a device: times, sizes, lines read exactly, beside the published figures.

    The nets of --models are shown below the published rows, by the folder's name.

    Accuracy on the frozen sets and estimated cycles are those that `edgeocr eval` and `make a76` recorded of the same bytes.

    On a phone warm-up and samples follow a full protocol; times of this machine and of the emulated phone are marked as what they are.
    """
    from edgeocr.bench.accuracy import Page
    from edgeocr.bench.html import render_html
    from edgeocr.bench.mode import Mode
    from edgeocr.bench.published import other_figures, slimocr
    from edgeocr.bench.recorded import load_recorded
    from edgeocr.bench.report import build_report
    from edgeocr.bench.result import write_result
    from edgeocr.data.evaluation import frozen_hashes
    from edgeocr.files import check_writable, write_atomically
    from edgeocr.zoo import registry

    folder = out if out is not None else paths.BUILD / "bench"
    check_writable(folder)
    known = registry.load()
    table = slimocr()
    mode = Mode(precision, int8, dynamic_int8)
    recorded = load_recorded(paths.RESULTS, paths.EVALUATION, frozen_hashes(), mode)
    chosen, not_built = _variants(known, set_name, variants, models_dir, [row.variant for row in table.rows])
    chosen = _computable(chosen, mode, asked=bool(variants or models_dir))
    read = list(pictures) or _committed_pages()
    pages = [Page.load(picture) for picture in read]
    result = _run(device, chosen, pages, threads, mode, not_built)
    report = build_report(result, table, recorded)
    written = write_result(result, folder)
    page = written.with_suffix(".html")
    write_atomically(page, render_html(report, read, other_figures()).encode())
    if as_json:
        common.emit_json({**result.document(), "report": report.document(), "files": [str(written), str(page)]})
        return
    _show(report)
    common.note(f"written: {written} and {page}")


def _show(report: Report) -> None:
    from edgeocr.bench.table import show_report

    show_report(report, common.stdout_console())


def _variants(
    known: Registry, set_name: str | None, asked: Sequence[str], models_dir: Path | None, published: Sequence[str]
) -> tuple[list[Variant], list[str]]:
    """The variants to measure, their files here and checked, and the published ones that the set does not have."""
    from edgeocr.bench.reading_options import reading_options
    from edgeocr.bench.run import Variant
    from edgeocr.zoo.resolve import resolve_models

    if models_dir is not None:
        files = resolve_models(set_name, next(iter(asked), None), models_dir, registry=known)
        return [Variant(files, reading_options(files, known))], []
    models = known.find(set_name)
    names = list(dict.fromkeys(asked)) or list(models.variants)
    resolved = [resolve_models(models.name, name, registry=known, progress=common.progress) for name in names]
    not_built = [name for name in published if name not in models.variants]
    return [Variant(files, reading_options(files, known)) for files in resolved], not_built


def _computable(variants: Sequence[Variant], mode: Mode, *, asked: bool) -> list[Variant]:
    """Those that the runner can compute in the mode; one that was asked for and cannot be is an error."""
    from edgeocr.errors import UsageError

    kept = []
    for variant in variants:
        refused = mode.refused_net(variant.models)
        if refused is None:
            kept.append(variant)
            continue
        net, options = refused
        complaint = f"{'variant ' if variant.models.variant else ''}{variant.name} has int8 nets ({net}), expected none for {options}"
        if asked:
            raise UsageError(complaint, f"leave out {'the variant, or ' if variant.models.variant else ''}{options.split()[0]}")
        common.note(f"left out: {complaint}")
    if not kept:
        raise UsageError(f"the set has no variant for {' '.join(mode.arguments())}", "leave these options out")
    return kept


def _committed_pages() -> list[Path]:
    from edgeocr.errors import SetupError
    from edgeocr.paths import MODELS

    pages = sorted((MODELS / "pictures").glob("*.png"))
    if not pages:
        raise SetupError(f"{MODELS / 'pictures'}: has no pictures", "name some with --pictures")
    return pages


def _run(
    device: str, variants: Sequence[Variant], pages: Sequence[Page], threads: int | None, mode: Mode, not_built: Sequence[str]
) -> BenchResult:
    from edgeocr.bench.protocol import PROTOCOLS
    from edgeocr.bench.run import Observer, run_benchmark
    from edgeocr.device.preflight import read_preflight
    from edgeocr.device.push import PushFile
    from edgeocr.device.selection import open_device

    with open_device(device) as opened:
        for warning in read_preflight(opened).warnings():
            common.note(warning)
        protocol = PROTOCOLS[opened.kind]
        used = threads or (common.processors() if opened.kind == common.EMULATED else 1)
        readings = protocol.max_readings * protocol.passes * len(variants) * len(pages) if opened.kind != common.PHONE else None
        with common.progress(f"Measuring on {opened.serial}", total=readings) as bar:

            def on_push(file: PushFile, sent: bool) -> None:
                bar.describe(f"Pushing {file.local.name}")

            observer = Observer(on_push, on_begin=bar.describe, on_reading=bar.advance)
            return run_benchmark(opened, variants, pages, protocol, threads=used, mode=mode, not_built=not_built, observer=observer)
