"""The command line, `edgeocr`: one module per command, imported only when that command is called.

`edgeocr --help` must be instant, so the table below holds every command's one-line help; rich, numpy, cv2 and adbutils load with the
command that needs them. A command's module exposes a click command named ``command``; its own help repeats or extends the table's line.

Exit codes: 0, 1 failure, 2 usage, 130 interrupted (by SIGTERM as well). A command that finds fault without failing itself calls
``ctx.exit(1)``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

from edgeocr import __version__
from edgeocr.errors import EdgeocrError

PROGRAM = "edgeocr"
INTERRUPTED = 130
DEBUG_VARIABLE = "EDGEOCR_DEBUG"


class LazyCommand(NamedTuple):
    """Where a command lives (``module:attribute``) and its line in ``edgeocr --help``."""

    target: str
    short_help: str


COMMANDS = {
    "ocr": LazyCommand("edgeocr.cli.ocr:command", "Read the text of pictures, on this machine or on a phone."),
    "bench": LazyCommand("edgeocr.cli.bench:command", "Measure every variant on a device and show it beside the published figures."),
    "push": LazyCommand("edgeocr.cli.push:command", "Bring runner, models and pictures to a device."),
    "devices": LazyCommand("edgeocr.cli.devices:command", "List phones, emulated ones and this machine."),
    "emulator": LazyCommand("edgeocr.cli.emulator:command", "Start and stop the emulated phone."),
    "eval": LazyCommand("edgeocr.cli.eval:command", "Measure the accuracy of a set on labelled pictures, on a device."),
    "inspect": LazyCommand("edgeocr.cli.inspect:command", "Show what is in a .nb file."),
    "build-models": LazyCommand("edgeocr.cli.build_models:command", "Export and convert model sets to .nb with Paddle-Lite's opt."),
    "synth": LazyCommand("edgeocr.cli.synth:command", "Draw pictures of synthetic text with labels."),
    "train": LazyCommand("edgeocr.cli.train:command", "Train a detector, direction classifier or recogniser."),
    "sensitivity": LazyCommand("edgeocr.cli.sensitivity:command", "Measure what accuracy each layer's filters are worth, and draw it."),
    "import-weights": LazyCommand("edgeocr.cli.import_weights:command", "Take the weights of an inference model to start a training from."),
    "compress": LazyCommand("edgeocr.cli.compress:command", "Prune or quantise a net by a recipe, train it, convert it to .nb."),
    "convert": LazyCommand("edgeocr.cli.convert:command", "Convert an inference model or weights to .nb."),
    "doctor": LazyCommand("edgeocr.cli.doctor:command", "Say what this machine has and what is missing."),
    "completion": LazyCommand("edgeocr.cli.completion:command", "Print the completion script of a shell."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; help and completion read the table alone."""

    def __init__(self, *, table: dict[str, LazyCommand], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is {type(command).__name__}, expected a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=entry.short_help) for name, entry in self.table.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """PaddleOCR's mobile models made small, converted to Paddle-Lite .nb, run and measured on a phone."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process: every failure is one line (and perhaps a hint) on stderr.

    SIGTERM and a hangup are Ctrl-C: a program on a phone is ended, a training leaves its checkpoint.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores hangups
            signal.signal(number, signal.default_int_handler)
    try:
        code = run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
        code = EdgeocrError.exit_code
    sys.exit(code)


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code; BrokenPipeError passes through."""
    try:
        result = cli.main(args=args, prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        _complain(error.format_message(), _usage_hint(error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted")
        return INTERRUPTED
    except EdgeocrError as error:
        _complain(error.message, error.hint)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        _complain(f"unexpected {type(error).__name__}: {error}", f"set {DEBUG_VARIABLE}=1 for the traceback")
        return EdgeocrError.exit_code
    return result if isinstance(result, int) else 0


def _complain(message: str, hint: str | None = None) -> None:
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)


def _usage_hint(error: click.ClickException) -> str | None:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"see `{error.ctx.command_path} --help`"
    return None


def _discard_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not complain about the closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
