"""`edgeocr convert`: a model or weights of the user's as a `.nb` file."""

from __future__ import annotations

from pathlib import Path

import click

from edgeocr.cli import common
from edgeocr.errors import UsageError


@click.command()
@click.argument("source", metavar="MODEL", type=click.Path(exists=True, path_type=Path))
@click.argument("out", metavar="OUT.nb", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of weights: the configuration (JSON) that they were trained by.",
)
@common.json_option
def command(source: Path, out: Path, config_file: Path | None, as_json: bool) -> None:
    """Convert MODEL with Paddle-Lite's opt: an inference model (a folder with a .pdmodel and a .pdiparams, or one of the two), or weights
    (.pdparams, pruned and quantised ones too) with the --config of their net."""
    from edgeocr.convert.paddle_env import paddle_python
    from edgeocr.train.config import read_config
    from edgeocr.zoo.user_models import WEIGHTS, convert_model, convert_weights

    if out.suffix != ".nb":
        raise UsageError(f"{out}: the suffix of the file to make is {out.suffix or 'missing'}, expected .nb")
    if source.suffix == WEIGHTS and config_file is None:
        raise UsageError(f"{source}: weights need the --config of their net")
    if source.suffix != WEIGHTS and config_file is not None:
        raise UsageError(f"--config is of weights ({WEIGHTS}), but {source} is none")
    paddle_python()
    with common.progress("converting") as bar:
        if config_file is not None:
            convert_weights(read_config(config_file), source, out, bar.describe)
        else:
            convert_model(source, out)
    size = out.stat().st_size
    if as_json:
        common.emit_json({"file": str(out), "bytes": size})
    else:
        click.echo(f"{out}: {size:,} bytes")
