"""`edgeocr synth`: pictures of synthetic text with labels, to train and to evaluate on."""

from __future__ import annotations

from pathlib import Path

import click

from edgeocr.cli import common
from edgeocr.errors import UsageError
from edgeocr.paths import BUILD

EVALUATION = "evaluation"


@click.command()
@click.argument("kind", type=click.Choice(("det", "rec", "cls", EVALUATION)))
@click.option(
    "--out", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="The folder to make; build/data/train_KIND if not given."
)
@click.option("--count", type=click.IntRange(min=1), help="Pages or lines.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same seed gives the same pictures.")
@click.option("--size", "page_size", type=click.IntRange(64, 4096), default=640, show_default=True, help="Width and height of pages (det).")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that draw.")
@common.json_option
def command(kind: str, out: Path | None, count: int | None, seed: int, page_size: int, workers: int, as_json: bool) -> None:
    """Draw pages (det), lines of text (rec) or lines of which half are upside down (cls), labelled as PaddleOCR labels them.

    `edgeocr synth evaluation` makes the frozen sets that accuracies are measured on, under build/data/evaluation; their texts are never
    in a training set.
    """
    if kind == EVALUATION:
        if out is not None or count is not None:
            raise UsageError("the evaluation sets are frozen: --out and --count do not apply")
        _evaluation(workers, as_json)
        return
    from dataclasses import asdict

    from edgeocr.data.synth.dataset import generate

    if count is None:
        raise UsageError("how many pictures are to be drawn?", "give --count N")
    folder = out if out is not None else BUILD / "data" / f"train_{kind}"
    with common.progress(f"drawing {kind}", total=count) as bar:
        made = generate(kind, folder, count=count, seed=seed, page_size=page_size, workers=workers, on_picture=bar.advance)
    if as_json:
        common.emit_json({"folder": str(folder), **asdict(made)})
    else:
        click.echo(f"{folder}: {count} pictures, sha256 {made.sha256}")


def _evaluation(workers: int, as_json: bool) -> None:
    from edgeocr.data.evaluation import COUNTS, evaluation_set, frozen_hashes

    folders = {}
    with common.progress("evaluation sets", total=sum(COUNTS.values())) as bar:
        for kind in COUNTS:
            bar.describe(f"evaluation set {kind}")
            folders[kind] = str(evaluation_set(kind, workers=workers, on_picture=bar.advance))
    hashes = frozen_hashes()
    if as_json:
        common.emit_json([{"kind": kind, "folder": folder, "sha256": hashes[kind]} for kind, folder in folders.items()])
        return
    for kind, folder in folders.items():
        click.echo(f"{kind}: {folder}, {COUNTS[kind]} pictures, sha256 {hashes[kind]}")
