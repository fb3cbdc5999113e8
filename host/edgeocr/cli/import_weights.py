"""`edgeocr import-weights`: an inference model of PaddleOCR's as weights to start from."""

from __future__ import annotations

from pathlib import Path

import click

from edgeocr.cli import common
from edgeocr.errors import UsageError
from edgeocr.paths import MODELS

KINDS = ("det", "cls", "rec")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("model", metavar="MODEL", type=click.Path(exists=True, path_type=Path))
@click.argument("out", metavar="OUT.pdparams", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A configuration (JSON) whose Architecture is the model's; models/recipes/KIND.json if not given.",
)
@common.json_option
def command(kind: str, model: Path, out: Path, config_file: Path | None, as_json: bool) -> None:
    """Take the weights out of the inference model MODEL (a folder with a .pdmodel and a .pdiparams, or one of the two) for training on.

    Which tensor goes where is told by the model's own program, and the net has to give the same output as the model. Parts that only
    training needs are in no inference model: they get initial values, and the command says which. Recipes and configurations start from
    OUT.pdparams by their `weights` and `Global.pretrained_model`. Training weights of PaddleOCR's (.pdparams) need no import.
    """
    from edgeocr.convert.paddle_env import paddle_python
    from edgeocr.train.config import read_config
    from edgeocr.zoo.user_models import WEIGHTS, import_weights

    if out.suffix != WEIGHTS:
        raise UsageError(f"{out}: the suffix of weights is {out.suffix or 'missing'}, expected {WEIGHTS}")
    file = config_file or MODELS / "recipes" / f"{kind}.json"
    config = read_config(file)
    if config.model_type != kind:
        raise UsageError(f"{file}: describes a {config.model_type}, but {kind} was asked for")
    paddle_python()
    with common.progress("importing"):
        imported = import_weights(config, model, out)
    if as_json:
        common.emit_json({"weights": str(out), **imported})
        return
    console = common.stdout_console()
    pruned = ", fewer channels than the architecture's" if imported["pruned"] else ""
    console.print(f"{imported['taken']} tensors{pruned}; outputs differ by at most {imported['difference']:.2g} → {out}")
    parts = sorted({name.rsplit(".", 2)[0] for name in imported["initialised"]})
    if parts:
        console.print(f"not in the model, initial values that training has to replace: {', '.join(parts)}")
