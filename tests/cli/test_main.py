"""The frame of the command line: what loads, how failures look, which exit code they give."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import click
import pytest

from edgeocr import __version__, cli
from edgeocr.errors import DeviceError, UsageError

HEAVY = ("rich", "numpy", "cv2", "adbutils", "edgeocr.zoo", "edgeocr.device")


def edgeocr(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgeocr.cli", *args], capture_output=True, text=True, env={**os.environ, **environment}, timeout=60
    )


def failing(error: BaseException) -> click.Command:
    @click.command("fail")
    def fail() -> None:
        raise error

    return fail


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[click.Command], None]:
    """Make `edgeocr try` the given command."""

    def install(target: click.Command) -> None:
        monkeypatch.setattr(cli.cli, "table", {"try": cli.LazyCommand("", "")})
        monkeypatch.setattr(cli.cli, "get_command", lambda ctx, name: target)

    return install


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, edgeocr.cli as c\n"
        "assert c.run(['--help']) == 0\n"
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules] + [m for m in sys.modules if m.startswith('edgeocr.cli.')]\n"
        "sys.exit(', '.join(loaded) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout


def test_help_lists_every_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for name, entry in cli.COMMANDS.items():
        assert f"{name} {entry.short_help}" in shown


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_loads_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, _, attribute = cli.COMMANDS[name].target.partition(":")
    assert isinstance(getattr(import_module(module), attribute), click.Command)
    assert cli.run([name, "--help"]) == 0
    assert f"Usage: edgeocr {name}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"edgeocr {__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (DeviceError("device X is gone", hint="plug it in"), 1, ["error: device X is gone", "hint: plug it in"]),
        (DeviceError("device X is gone"), 1, ["error: device X is gone"]),
        (UsageError("two devices, expected one"), 2, ["error: two devices, expected one"]),
        (KeyboardInterrupt(), 130, ["error: interrupted"]),
        (ValueError("odd"), 1, ["error: unexpected ValueError: odd", "hint: set EDGEOCR_DEBUG=1 for the traceback"]),
    ],
)
def test_a_failure_is_one_line_and_an_exit_code(
    error: BaseException, code: int, lines: list[str], command: Callable[[click.Command], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(failing(error))
    assert cli.run(["try"]) == code
    captured = capsys.readouterr()
    assert [line for line in captured.err.splitlines() if line] == lines
    assert captured.out == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_told_to_end_is_interrupted(number: signal.Signals) -> None:
    program = (
        "import os, signal, click, edgeocr.cli as c\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # whatever the tests run under
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"end = click.Command('try', callback=lambda: os.kill(os.getpid(), {number.value}))\n"
        "c.cli.get_command = lambda ctx, name: end\n"
        "c.main(['try'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.split()) == (130, "", ["error:", "interrupted"])


def test_debug_shows_the_traceback(command: Callable[[click.Command], None], monkeypatch: pytest.MonkeyPatch) -> None:
    command(failing(ValueError("odd")))
    monkeypatch.setenv(cli.DEBUG_VARIABLE, "1")
    with pytest.raises(ValueError, match="odd"):
        cli.run(["try"])


def test_a_command_that_finds_fault_exits_with_its_code(command: Callable[[click.Command], None]) -> None:
    @click.command()
    @click.pass_context
    def judge(ctx: click.Context) -> None:
        ctx.exit(1)

    command(judge)
    assert cli.run(["try"]) == 1


@pytest.mark.parametrize("args", [["nonsense"], ["--nonsense"], ["completion", "tcsh"], ["completion"]])
def test_wrong_usage_exits_2_with_a_pointer_to_help(args: list[str]) -> None:
    done = edgeocr(*args)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "--help`" in done.stderr.splitlines()[-1]


def test_nothing_asked_shows_help_and_exits_2() -> None:
    done = edgeocr()
    assert done.returncode == 2
    assert "Usage: edgeocr" in done.stdout + done.stderr


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run([sys.executable, "-m", "edgeocr.cli", "--help"], stdout=closed, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    done = edgeocr("completion", shell)
    assert done.returncode == 0
    assert f"_EDGEOCR_COMPLETE={shell}_complete" in done.stdout


def test_completion_offers_commands_from_the_table_and_options_from_the_command() -> None:
    def complete(words: str) -> set[str]:
        done = edgeocr(_EDGEOCR_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split(" ")) - 1))
        return {line.partition(",")[2] for line in done.stdout.splitlines()}

    assert complete("edgeocr b") == {"bench", "build-models"}
    assert complete("edgeocr completion ") == {"bash", "zsh", "fish"}
    assert "--json" in complete("edgeocr doctor --j")
