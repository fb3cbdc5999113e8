"""`edgeocr compress`: a recipe followed, from the weights that it starts from to the small net's `.nb`."""

from __future__ import annotations

from pathlib import Path

import click

from edgeocr.cli import common
from edgeocr.cli.recipe_progress import RecipeProgress
from edgeocr.paths import BUILD


@click.command()
@click.argument("recipe", metavar="RECIPE.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The recipe's folder; build/train/RECIPE if not given. The recipe that it starts from gets one beside it.",
)
@common.json_option
def command(recipe: Path, out: Path | None, as_json: bool) -> None:
    """Make a net small as RECIPE.json says (see models/recipes): prune it by FPGM or quantise it with PACT, train it, convert it to .nb.

    Ctrl-C stops with a checkpoint, and the same command goes on from there. DIR gets the weights, final.pdparams, and det.nb, rec.nb or
    cls.nb.
    """
    from edgeocr.convert.paddle_env import paddle_python
    from edgeocr.zoo.remake import follow

    paddle_python()
    folder = out or BUILD / "train" / recipe.stem
    with common.progress(f"recipe {recipe.stem}") as bar:
        made = follow(recipe, folder, RecipeProgress(bar).line, bar.describe)
    size = made.stat().st_size
    if as_json:
        common.emit_json({"folder": str(folder), "file": str(made), "bytes": size})
    else:
        click.echo(f"{made}: {size:,} bytes")
