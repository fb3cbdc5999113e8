"""`edgeocr train`: a net trained in the Paddle environment, by a configuration or by the recipe of its kind."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import click

from edgeocr.cli import common
from edgeocr.errors import UsageError
from edgeocr.paths import BUILD, MODELS

KINDS = ("det", "cls", "rec")

_labels = click.Path(exists=True, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--config", "config_file", metavar="FILE", type=_file, help="A configuration (JSON); models/recipes/KIND.json if not given.")
@click.option("--data", metavar="PATH", type=_labels, multiple=True, help="Train on this label file or dataset folder; may be repeated.")
@click.option("--val", metavar="PATH", type=_labels, help="Evaluate on this label file or dataset folder.")
@click.option("--weights", metavar="FILE", type=_file, help="Start from these weights (.pdparams).")
@click.option("--iterations", type=click.IntRange(min=1), help="How many batches to train on.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Pictures or lines in a batch.")
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), help="The highest learning rate.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the data's order and augmentation.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The run's folder; build/train/KIND if not given. A run that was stopped there goes on.",
)
@common.json_option
def command(kind: str, config_file: Path | None, out: Path | None, as_json: bool, **changes: Any) -> None:
    """Train a detector (det), a direction classifier (cls) or a recogniser (rec).

    Ctrl-C stops with a checkpoint, and the same command goes on from there to the weights that it would have had without the stop. The
    options change the configuration's values. The folder gets best.pdparams, latest.pdparams, state.json and log.jsonl.
    """
    from edgeocr.convert.paddle_env import paddle_python, stream_module
    from edgeocr.train.config import config_of, read_document
    from edgeocr.train.label_files import require_label_files

    paddle_python()
    file = config_file or MODELS / "recipes" / f"{kind}.json"
    document = _changed(read_document(file), file, **changes)
    config = config_of(document, source=str(file), folder=file.parent)
    if config.model_type != kind:
        raise UsageError(f"{file}: describes a {config.model_type}, but {kind} was asked for")
    require_label_files(config)
    out_dir = out or BUILD / "train" / kind
    with tempfile.TemporaryDirectory(prefix="edgeocr-train-") as scratch:
        asked = Path(scratch) / "config.json"
        asked.write_text(json.dumps(config.document()))
        with common.progress(f"training {kind}", total=config.Global.iterations) as bar:
            show = _Show(kind, bar)
            stream_module("edgeocr.train", [asked, out_dir], f"training of {kind}", show.line)
    _report(out_dir, as_json)


class _Show:
    """The child's records on the progress line; evaluations as lines that stay."""

    def __init__(self, kind: str, bar: common.Progress) -> None:
        self.kind, self.bar = kind, bar
        self.done = 0

    def line(self, line: str) -> None:
        try:
            record = json.loads(line)
        except ValueError:
            return  # a remark of a library
        if "eval" in record:
            common.note(f"iteration {record['iteration']}: " + _scores(record["eval"]))
        elif "left_out" in record:
            common.note(f"{record['left_out']} lines were left out: characters that the dictionary lacks, or too long for their width")
        else:
            self.bar.advance(record["iteration"] - self.done)
            self.done = record["iteration"]
            self.bar.describe(f"training {self.kind}  loss {record['loss']:.4f}  lr {record['lr']:.2e}")


def _changed(
    document: dict[str, Any],
    file: Path,
    *,
    data: tuple[Path, ...],
    val: Path | None,
    weights: Path | None,
    iterations: int | None,
    batch_size: int | None,
    lr: float | None,
    seed: int | None,
) -> dict[str, Any]:
    """The configuration with what the options say instead."""
    changes: list[tuple[tuple[str, ...], Any]] = [
        (("Train", "label_file_list"), [str(_label_file(path)) for path in data] or None),
        (("Train", "batch_size_per_card"), batch_size),
        (("Eval", "label_file_list"), [str(_label_file(val))] if val else None),
        (("Global", "pretrained_model"), str(weights.absolute()) if weights else None),
        (("Global", "iterations"), iterations),
        (("Global", "seed"), seed),
        (("Optimizer", "lr", "learning_rate"), lr),
    ]
    for keys, value in changes:
        if value is None:
            continue
        table = document
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise UsageError(f"{file}: {key} is {json.dumps(table)}, expected a table")
        table[keys[-1]] = value
    return document


def _label_file(path: Path) -> Path:
    from edgeocr.train.label_files import LABELS

    return (path / LABELS if path.is_dir() else path).absolute()


def _report(out_dir: Path, as_json: bool) -> None:
    state = json.loads((out_dir / "state.json").read_text())
    if as_json:
        common.emit_json({"folder": str(out_dir), **state})
        return
    console = common.stdout_console()
    console.print(f"{state['iteration']} iterations in {state['seconds']:.0f} s → {out_dir}")
    if state["best"] is not None:
        console.print(f"best.pdparams: {state['best']:.4f} at iteration {state['best_iteration']}")


def _scores(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
