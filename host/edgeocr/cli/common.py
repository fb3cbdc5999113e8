"""What the commands share: consoles, progress, JSON output, and the options that mean the same everywhere.

stdout carries the result (a table, or with --json exactly one JSON document); progress and remarks go to stderr.
rich is imported on first use, so that a command module can be imported for its help alone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])

HOST = "host"
EMULATED = "emulated"
PHONE = "phone"
VARIANTS = ("none", "pact", "prune", "prune+pact")
MAX_THREADS = 64  # of the runner


def processors() -> int:
    """Threads of a runner here whose times are of no interest: this machine's processors, as far as it takes them."""
    return min(len(os.sched_getaffinity(0)), MAX_THREADS)


def stdout_console() -> Console:
    """The console of results; [brackets] and :colons: are text. Not a terminal: no colours, lines up to 200 wide."""
    from rich.console import Console

    return Console(
        width=None if sys.stdout.isatty() else 200, markup=False, emoji=False, highlight=False, soft_wrap=not sys.stdout.isatty()
    )


def stderr_console() -> Console:
    """The console of progress and remarks."""
    from rich.console import Console

    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def note(message: str) -> None:
    """One remark line on stderr."""
    click.echo(f"note: {message}", err=True)


def emit_json(document: object) -> None:
    """Print one JSON document to stdout in UTF-8, whatever the locale. NaN and infinities are programmer errors (ValueError)."""
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    click.echo(text.encode() + b"\n", nl=False)


class Progress(Protocol):
    """What `progress` yields."""

    def advance(self, steps: float = 1) -> None: ...

    def describe(self, description: str) -> None:
        """What is being done now, beside the bar."""


class _LineProgress:
    """Where stderr is not a terminal: one line when the work starts, nothing after it."""

    def __init__(self, description: str) -> None:
        click.echo(f"{description} …", err=True)

    def advance(self, steps: float = 1) -> None:
        pass

    def describe(self, description: str) -> None:
        pass


@contextmanager
def progress(description: str, total: float | None = None) -> Iterator[Progress]:
    """Show work that may last more than two seconds: a bar on stderr, or one plain line where stderr is no terminal.

    ``total`` counts the steps of `advance`; None: it is not known, and the bar only moves.
    """
    if not sys.stderr.isatty():
        yield _LineProgress(description)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()]
    if total is not None:
        columns.insert(3, MofNCompleteColumn())
    with Bar(*columns, console=stderr_console(), transient=True) as bar:
        task = bar.add_task(description, total=total)

        class BarProgress:
            def advance(self, steps: float = 1) -> None:
                bar.advance(task, steps)

            def describe(self, description: str) -> None:
                bar.update(task, description=description)

        yield BarProgress()


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout instead of text for people.")

precision_option = click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "int8"]),
    help="What the nets compute in; what their files hold if not given. fp16: fp32 nets, on a device with fp16 arithmetic.",
)

int8_option = click.option(
    "--int8",
    type=click.Choice(["exact", "fast", "composed"]),
    help="How int8 nets compute. exact, if not given: with the bits of Paddle-Lite. fast: quicker, results are one off at times. "
    "composed: quicker still, also without the roundings within the detector's pyramid.",
)

dynamic_int8_option = click.option(
    "--dynamic-int8",
    is_flag=True,
    help="Compute large fp32 matrix products of the recogniser in int8: quicker where it knows thousands of characters, about as accurate.",
)


def device_option(default: str | None = HOST) -> Callable[[F], F]:
    """``--device``, passed as ``device``: a serial of `edgeocr devices`, `emulated` or `host`; required where ``default`` is None."""
    return click.option(
        "--device",
        metavar="SERIAL|emulated|host",
        **({"required": True} if default is None else {"default": default, "show_default": True}),
        shell_complete=lambda ctx, parameter, incomplete: [name for name in (HOST, EMULATED) if name.startswith(incomplete)],
        help="A serial of `edgeocr devices`, the emulated phone, or this machine.",
    )


models_dir_option = click.option(
    "--models",
    "models_dir",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with *det*.nb, *rec*.nb, perhaps *cls*.nb, and one *keys*.txt or *dict*.txt; instead of --set.",
)


def models_options(function: F) -> F:
    """``--set``, ``--variant``, ``--models``, passed as ``set_name``, ``variant`` and ``models_dir``; None: the registry's choice."""
    options = [
        click.option("--set", "set_name", metavar="NAME", help="A model set of models/registry.toml."),
        click.option("--variant", type=click.Choice(VARIANTS), help="How the set was made small."),
        models_dir_option,
    ]
    for option in reversed(options):
        function = option(function)
    return function
