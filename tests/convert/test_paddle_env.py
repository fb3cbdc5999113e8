"""How the ends of a child process are told. The child is this interpreter, standing in for Paddle's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeocr.convert import paddle_env
from edgeocr.convert.paddle_env import run_module, stream_module
from edgeocr.errors import ModelError, SetupError, UsageError


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The source file of the module ``child``, which `run_module` then runs."""
    monkeypatch.setattr(paddle_env, "PADDLE_PYTHON", Path(sys.executable))
    monkeypatch.setattr(paddle_env, "ROOT", tmp_path)
    (tmp_path / "host").mkdir()
    return tmp_path / "host" / "child.py"


def run(*arguments: str, timeout_s: float = 60) -> str:
    return run_module("child", arguments, what="export of det", timeout_s=timeout_s)


def test_stdout_comes_back_and_arguments_arrive_whole(child: Path) -> None:
    child.write_text("import sys; print('log', file=sys.stderr); print(sys.argv[1:])")
    assert run("a b", "ü") == "['a b', 'ü']\n"


def test_the_child_knows_this_package_and_hashes_alike_every_time(child: Path) -> None:
    child.write_text("print(hash('x'))")
    assert run() == run()


def test_an_error_line_and_its_hint_are_passed_on(child: Path) -> None:
    child.write_text("import sys; sys.stderr.write('noise\\nerror: w.pdparams: too short\\nhint: fetch it again\\n'); sys.exit(1)")
    with pytest.raises(ModelError) as error:
        run()
    assert (error.value.message, error.value.hint) == ("export of det: w.pdparams: too short", "fetch it again")


def test_wrong_usage_that_only_the_child_sees_is_wrong_usage_here(child: Path) -> None:
    child.write_text("import sys; sys.stderr.write('error: r.json: config is missing\\nhint: name one\\n'); sys.exit(2)")
    for call in (run, lambda: stream(lambda line: None)):
        with pytest.raises(UsageError, match=r": r\.json: config is missing$") as error:
            call()
        assert error.value.hint == "name one"


def test_a_traceback_gives_its_last_line(child: Path) -> None:
    child.write_text("raise ValueError('no such axis')")
    with pytest.raises(ModelError, match=r"^export of det: failed with exit code 1; its last words: ValueError: no such axis$"):
        run()


def test_an_abort_gives_the_fatal_line_without_its_stamp(child: Path) -> None:
    child.write_text(
        "import os, sys; sys.stderr.write('[I 1/1 x] fine\\n[F 11/24 22:23 ...lite/io.cc:54 Read] Check failed: 0!==480\\nAborted\\n')\n"
        "sys.stderr.flush(); os.abort()"
    )
    with pytest.raises(ModelError, match=r"^export of det: aborted \(SIGABRT\); its last words: Check failed: 0!==480$"):
        run()


def test_a_silent_abort_is_told_too(child: Path) -> None:
    child.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(ModelError, match=r"aborted \(SIGSEGV\); its last words: none$"):
        run()


def test_a_kill_hints_at_memory(child: Path) -> None:
    child.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(ModelError, match=r"was killed \(SIGKILL; out of memory\?\)"):
        run()


def test_a_child_that_hangs_is_ended(child: Path) -> None:
    child.write_text("import time; time.sleep(60)")
    with pytest.raises(ModelError, match=r"export of det: not done after 0\.2 s, given up"):
        run(timeout_s=0.2)


def test_a_missing_package_is_a_matter_of_setup(child: Path) -> None:
    child.write_text("import paddle_of_another_world")
    with pytest.raises(SetupError, match="environment is incomplete: ModuleNotFoundError: No module named 'paddle_of_another_world'"):
        run()


def test_a_missing_environment_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paddle_env, "PADDLE_PYTHON", tmp_path / ".venv-paddle" / "bin" / "python")
    with pytest.raises(SetupError) as error:
        run()
    assert error.value.message == f"{tmp_path / '.venv-paddle'}: the Paddle environment is missing; training and conversion need it"
    assert error.value.hint is not None
    assert "make setup" in error.value.hint


def test_an_interpreter_that_cannot_run_is_a_matter_of_setup(child: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python").write_text("not a program")
    monkeypatch.setattr(paddle_env, "PADDLE_PYTHON", tmp_path / "python")
    with pytest.raises(SetupError, match="python: cannot be run: Permission denied"):
        run()


def stream(on_line: Callable[[str], None]) -> None:
    stream_module("child", ["a b"], "training of det", on_line)


def test_lines_come_one_by_one_while_the_child_works(child: Path, tmp_path: Path) -> None:
    child.write_text(
        "import pathlib, sys, time\n"
        "print(sys.argv[1], flush=True)\n"
        f"while not pathlib.Path({str(tmp_path / 'heard')!r}).exists(): time.sleep(0.01)\n"
        "print('ü')"
    )
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        (tmp_path / "heard").touch()

    stream(on_line)
    assert lines == ["a b", "ü"]


def test_the_end_of_a_streamed_child_is_told_as_any_other(child: Path) -> None:
    child.write_text(
        "import sys; print('{}'); print('x' * 300_000, file=sys.stderr); print('error: loss is nan', file=sys.stderr); sys.exit(1)"
    )
    with pytest.raises(ModelError, match=r"^training of det: loss is nan$"):
        stream(lambda line: None)


CHECKPOINTING = """
import pathlib, signal, sys, time
def stop(number, frame):
    print("noise" * 50_000)
    pathlib.Path({file!r}).write_text("saved")
    sys.exit(130)
signal.signal(signal.SIGINT, stop)
print("ready", flush=True)
time.sleep(60)
"""


def test_an_interruption_lets_the_child_finish_its_checkpoint(child: Path, tmp_path: Path) -> None:
    child.write_text(CHECKPOINTING.format(file=str(tmp_path / "checkpoint")))

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream(interrupt)
    assert (tmp_path / "checkpoint").read_text() == "saved"


def test_a_child_interrupted_by_others_counts_as_interrupted(child: Path) -> None:
    child.write_text("import sys; sys.exit(130)")
    with pytest.raises(KeyboardInterrupt):
        stream(lambda line: None)
