"""The Paddle environment (.venv-paddle): modules of this package run there as child processes.

The parent needs nothing but the standard library, and a child that aborts takes nobody with it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from edgeocr.child import ERROR_PREFIX, HINT_PREFIX, INTERRUPTED
from edgeocr.errors import EdgeocrError, ModelError, SetupError, UsageError
from edgeocr.paths import PADDLE_PYTHON, ROOT


def paddle_python() -> Path:
    """The environment's interpreter. Raises SetupError saying how to get it."""
    if not PADDLE_PYTHON.exists():
        raise SetupError(
            f"{PADDLE_PYTHON.parents[1]}: the Paddle environment is missing; training and conversion need it",
            "`make setup` makes it where a CPython 3.10 is found: `uv python install 3.10`, or PYTHON310=/path/to/python3.10",
        )
    return PADDLE_PYTHON


def run_module(module: str, arguments: Sequence[str | Path], *, what: str, timeout_s: float) -> str:
    """Runs ``python -m module arguments`` in the Paddle environment and returns its stdout.

    ``what`` names the work in errors. A child that fails with a line "error: …" (and perhaps "hint: …") on stderr gives a UsageError (exit
    code 2) or a ModelError with that message; one that dies of a signal or runs longer than ``timeout_s`` gives a ModelError that says so.
    """
    argv = [str(paddle_python()), "-m", module, *map(str, arguments)]
    try:
        child = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, env=_environment())
    except subprocess.TimeoutExpired as e:
        raise ModelError(f"{what}: not done after {timeout_s:g} s, given up") from e
    except OSError as e:
        raise SetupError(f"{argv[0]}: cannot be run: {e.strerror}", "`make setup` makes the Paddle environment again") from e
    if child.returncode:
        raise _failure(what, child.returncode, child.stderr.decode(errors="replace"))
    return child.stdout.decode()


def stream_module(module: str, arguments: Sequence[str | Path], what: str, on_line: Callable[[str], None]) -> None:
    """As `run_module`, for long work: ``on_line`` hears each line of the child's stdout as it comes, without its end.

    A child that is interrupted may take its time to leave a checkpoint: KeyboardInterrupt here, or an error of ``on_line``, is passed on
    to it as SIGINT, and only its end lets the exception on. A child that was interrupted by others raises KeyboardInterrupt too.
    """
    argv = [str(paddle_python()), "-m", module, *map(str, arguments)]
    with tempfile.TemporaryFile() as stderr:  # not a pipe: nobody empties it while stdout is read
        try:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, env=_environment())
        except OSError as e:
            raise SetupError(f"{argv[0]}: cannot be run: {e.strerror}", "`make setup` makes the Paddle environment again") from e
        with child:
            assert child.stdout is not None
            try:
                for line in child.stdout:
                    on_line(line.decode(errors="replace").rstrip("\r\n"))
                child.wait()
            except BaseException:
                child.send_signal(signal.SIGINT)
                child.stdout.read()  # a full pipe would hold it up
                child.wait()
                raise
        if child.returncode in (INTERRUPTED, -signal.SIGINT):
            raise KeyboardInterrupt
        if child.returncode:
            stderr.seek(0)
            raise _failure(what, child.returncode, stderr.read().decode(errors="replace"))


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "host"),
        "PYTHONHASHSEED": "0",  # nothing that is written may depend on the order of a set
        "PYTHONNOUSERSITE": "1",
        "PYTHONWARNINGS": "ignore",  # of Paddle's imports
        "GLOG_minloglevel": "2",
    }


def _failure(what: str, returncode: int, stderr: str) -> EdgeocrError:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix(ERROR_PREFIX) for line in lines if line.startswith(ERROR_PREFIX)]
    hints = [line.removeprefix(HINT_PREFIX) for line in lines if line.startswith(HINT_PREFIX)]
    if returncode > 0 and errors:
        kind = UsageError if returncode == UsageError.exit_code else ModelError
        return kind(f"{what}: {errors[-1]}", hints[-1] if hints else None)
    if any("ModuleNotFoundError" in line for line in lines):
        return SetupError(f"{what}: the Paddle environment is incomplete: {lines[-1]}", "`make setup` makes it again")
    return ModelError(f"{what}: {_ending(returncode)}; its last words: {_last_words(lines)}")


def _ending(returncode: int) -> str:
    if returncode > 0:
        return f"failed with exit code {returncode}"
    if returncode == -signal.SIGKILL:
        return "was killed (SIGKILL; out of memory?)"
    return f"aborted ({signal.Signals(-returncode).name})"


def _last_words(lines: list[str]) -> str:
    """The last fatal line of the log without its stamp, or else the last line."""
    fatal = [line for line in lines if line.startswith("[F ")]
    return re.sub(r"^\[F [^\]]*\] ", "", fatal[-1]) if fatal else (lines or ["none"])[-1]
