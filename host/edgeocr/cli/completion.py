"""`edgeocr completion SHELL`: print the script that makes a shell complete commands, options and values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL. For bash: eval "$(edgeocr completion bash)"."""
    root = ctx.find_root()
    program = root.info_name or "edgeocr"
    variable = f"_{program}_COMPLETE".replace("-", "_").upper()
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"shell is {shell}, expected one of {', '.join(SHELLS)}", ctx)
    click.echo(completion(root.command, {}, program, variable).source())
