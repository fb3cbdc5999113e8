"""`edgeocr eval`: how accurate the nets of a set are, as a device computes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeocr import paths
from edgeocr.cli import common
from edgeocr.errors import DataError, UsageError

if TYPE_CHECKING:
    from edgeocr.bench.evaluation import Evaluation

NETS = ("det", "rec", "cls")


@click.command()
@common.device_option()
@click.option("--set", "set_name", metavar="NAME", help="A model set of models/registry.toml; the default set if not given.")
@click.option("--variant", "variants", type=click.Choice(common.VARIANTS), multiple=True, help="A variant to evaluate; all if not given.")
@common.models_dir_option
@click.option("--net", "nets", type=click.Choice(NETS), multiple=True, help="A net to evaluate; all that the variant has if not given.")
@click.option(
    "--data",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A label file as PaddleOCR has them, of one --net; the frozen evaluation sets if not given.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only so many pictures of each set.")
@common.precision_option
@common.int8_option
@common.dynamic_int8_option
@click.option(
    "--threads",
    type=click.IntRange(1, common.MAX_THREADS),
    show_default="1 on a phone, elsewhere as many as this machine has processors",
    help="Threads of the runner.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The results of this run alone, as JSON, instead of adding them to build/eval.json.",
)
@common.json_option
def command(
    device: str,
    set_name: str | None,
    variants: tuple[str, ...],
    models_dir: Path | None,
    nets: tuple[str, ...],
    data: Path | None,
    limit: int | None,
    int8: str | None,
    dynamic_int8: bool,
    precision: str | None,
    threads: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure detector (hmean at IoU 0.5), recogniser (exact lines, characters) and classifier on labelled pictures, by the runner.

    The frozen sets (200 pages, 1000 lines, 1000 directions) are drawn when they are missing. Results are written after each net, to
    build/eval.json, where `edgeocr bench` finds them: they replace those of the same files, options, pictures and kind of device, and
    others stay.
    """
    if data is not None and len(nets) != 1:
        raise UsageError("--data holds the labels of one net", "name it with --net")
    from dataclasses import replace

    from edgeocr.bench.evaluation import ROLES, evaluate
    from edgeocr.bench.reading_options import reading_options
    from edgeocr.data.evaluation import COUNTS, frozen_hashes
    from edgeocr.device.selection import open_device
    from edgeocr.files import check_writable
    from edgeocr.zoo import registry
    from edgeocr.zoo.resolve import resolve_models

    file = out or paths.EVALUATION
    check_writable(file.parent)
    if out is None:
        _others(file, [])
    known = registry.load()
    wanted = variants or ((None,) if models_dir else known.find(set_name).variants)
    chosen = [resolve_models(set_name, name, models_dir, registry=known, progress=common.progress) for name in wanted]
    labels = {net: data or _frozen(net) for net in nets or NETS if nets or any(getattr(m, ROLES[net]) for m in chosen)}
    asked = {"int8": int8, "dynamic_int8": dynamic_int8, "precision": precision, "limit": limit}
    frozen = {} if data is not None else frozen_hashes()  # sha256 of the evaluation sets
    results: list[Evaluation] = []
    document: list[dict[str, Any]] = []
    with open_device(device) as opened:
        used = threads or (common.processors() if opened.kind != common.PHONE else 1)
        for files in chosen:
            options = replace(reading_options(files, known), int8=int8, dynamic_int8=dynamic_int8, precision=precision)
            for net in labels:
                if not nets and getattr(files, ROLES[net]) is None:
                    continue
                with common.progress(f"{files.variant} {net}", total=limit or COUNTS[net]) as bar:
                    results.append(
                        evaluate(
                            opened,
                            files,
                            options,
                            net,
                            labels[net],
                            threads=used,
                            limit=limit,
                            on_picture=bar.advance,
                        )
                    )
                document.append(results[-1].document() | asked | {"frozen": frozen.get(net)})
                _write(file, document if out is not None else document + _others(file, document))
    if as_json:
        common.emit_json(document)
        return
    _show(results)
    common.note(f"written: {file}")


def _others(file: Path, document: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the file has besides; read each time, for another run may write it meanwhile."""
    from edgeocr.bench.recorded import other_evaluations

    try:
        return other_evaluations(file, document)
    except DataError as error:
        raise DataError(error.message, "move it away, or name another file with --out") from error


def _write(file: Path, document: list[dict[str, Any]]) -> None:
    from edgeocr.files import write_atomically

    write_atomically(file, (json.dumps(document, indent=1) + "\n").encode())


def _frozen(net: str) -> Path:
    from edgeocr.data.evaluation import COUNTS, evaluation_set
    from edgeocr.data.synth.dataset import LABELS

    with common.progress(f"evaluation set {net}", total=COUNTS[net]) as bar:
        return evaluation_set(net, on_picture=bar.advance) / LABELS


def _show(results: list[Evaluation]) -> None:
    from rich.table import Table

    table = Table(title=f"{results[0].set} on {results[0].device}", title_justify="left")
    for heading in ("variant", "net", "pictures", "scores", "model bytes"):
        table.add_column(heading, justify="right" if heading in ("pictures", "model bytes") else "left")
    for result in results:
        scores = ", ".join(f"{name} {share:.2%}" for name, share in result.scores.items())
        table.add_row(result.variant, result.net, str(result.pictures), scores, f"{result.model.bytes:,}")
    common.stdout_console().print(table)
