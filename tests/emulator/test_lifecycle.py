"""Starting and stopping the daemon, also after it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from edgeocr import paths
from edgeocr.emulator import lifecycle
from edgeocr.emulator.leftovers import processes_of
from edgeocr.emulator.state import StatePaths, default_paths, is_locked, is_shared, read_state, try_lock, write_state
from edgeocr.errors import SetupError, UsageError


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StatePaths:
    """A state folder of the test's own; what runs there is ended at the end."""
    monkeypatch.delenv(lifecycle.MODE_VARIABLE, raising=False)
    return StatePaths(tmp_path / "state")


@pytest.fixture(autouse=True)
def no_daemon_is_left(where: StatePaths) -> Iterator[None]:
    yield
    lifecycle.stop(where)
    assert processes_of(where.folder) == []


def wait_until_ended(where: StatePaths) -> None:
    deadline = time.monotonic() + 5
    while is_locked(where.daemon_lock) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_locked(where.daemon_lock)


def kill_daemon(where: StatePaths) -> None:
    state = lifecycle.status(where)
    assert state is not None
    os.kill(state.pid, signal.SIGKILL)
    wait_until_ended(where)


@contextlib.contextmanager
def start_program(where: StatePaths) -> Iterator[subprocess.Popen[bytes]]:
    """A process that carries the phone's mark, as one that its shell started. It is killed at the end, should nobody have done so."""
    environment = {"EDGEOCR_EMULATOR": str(where.folder), "PATH": os.environ["PATH"]}
    with subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True) as program:
        try:
            yield program
        finally:
            program.kill()


def test_it_starts_and_stops(where: StatePaths) -> None:
    assert lifecycle.status(where) is None
    state, started = lifecycle.start(where=where)
    assert started
    assert lifecycle.status(where) == state
    socket.create_connection(("127.0.0.1", state.port)).close()
    assert lifecycle.stop(where) == state
    assert lifecycle.status(where) is None and read_state(where) is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", state.port))


def test_a_second_start_finds_the_first(where: StatePaths) -> None:
    state, _ = lifecycle.start(where=where)
    assert lifecycle.start(mode="prefix", where=where) == (state, False)


def test_of_many_starts_at_once_one_starts_it(where: StatePaths) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: lifecycle.start(mode="prefix", where=where), range(4)))
    assert len({state.pid for state, _ in results}) == 1
    assert sorted(started for _, started in results) == [False, False, False, True]


def test_stopping_what_does_not_run_is_nothing(where: StatePaths) -> None:
    assert lifecycle.stop(where) is None


def test_a_killed_daemon_is_not_running_and_what_it_left_is_cleared(where: StatePaths) -> None:
    first, _ = lifecycle.start(mode="prefix", where=where)
    with start_program(where) as program:
        kill_daemon(where)
        assert lifecycle.status(where) is None
        assert lifecycle.last_state(where) == first
        second, started = lifecycle.start(mode="prefix", where=where)
        assert started and second.pid != first.pid
        assert program.wait(5) == -signal.SIGKILL


def test_a_description_of_another_process_is_not_believed(where: StatePaths) -> None:
    state, _ = lifecycle.start(mode="prefix", where=where)
    kill_daemon(where)
    write_state(where, replace(state, pid=os.getpid()))  # the id was given to somebody else: us
    assert lifecycle.status(where) is None
    assert lifecycle.stop(where) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "unknown": 2}'])
def test_a_broken_description_is_none(where: StatePaths, text: str) -> None:
    where.folder.mkdir()
    where.description.write_text(text)
    assert lifecycle.status(where) is None
    assert lifecycle.last_state(where) is None


def test_stop_ends_what_runs_on_it(where: StatePaths) -> None:
    lifecycle.start(mode="prefix", where=where)
    with start_program(where) as program:
        lifecycle.stop(where)
        assert program.wait(5) == -signal.SIGKILL


def test_the_daemon_clears_up_when_it_is_terminated_by_others(where: StatePaths) -> None:
    state, _ = lifecycle.start(mode="prefix", where=where)
    with start_program(where) as program:
        os.kill(state.pid, signal.SIGTERM)
        assert program.wait(5) == -signal.SIGKILL
        wait_until_ended(where)
    assert read_state(where) is None


def test_the_daemon_clears_up_when_the_signal_comes_as_soon_as_it_listens(where: StatePaths) -> None:
    where.folder.mkdir()
    program = f"""
import os, signal
from edgeocr.emulator import daemon
tell = daemon._tell
def tell_and_terminate(document):
    tell(document)
    os.kill(os.getpid(), signal.SIGTERM)
daemon._tell = tell_and_terminate
daemon.main(["--state", {str(where.folder)!r}, "--mode", "prefix"])
"""
    with start_program(where) as left:
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
        assert left.wait(5) == -signal.SIGKILL
    assert read_state(where) is None


def test_a_borrowed_phone_is_stopped_by_the_last_who_leaves(where: StatePaths) -> None:
    with lifecycle.borrowed(where) as first:
        assert first.on_demand
        with lifecycle.borrowed(where) as second:
            assert second.pid == first.pid
        assert lifecycle.status(where) == first
    assert lifecycle.status(where) is None


def test_the_first_borrower_may_leave_before_the_others(where: StatePaths) -> None:
    with contextlib.ExitStack() as other:
        with lifecycle.borrowed(where):
            state = other.enter_context(lifecycle.borrowed(where))
        assert lifecycle.status(where) == state
    assert lifecycle.status(where) is None


def test_a_phone_that_the_user_started_outlives_its_borrowers(where: StatePaths) -> None:
    state, _ = lifecycle.start(mode="prefix", where=where)
    with lifecycle.borrowed(where) as borrowed:
        assert borrowed == state
    assert lifecycle.status(where) == state


def test_a_borrowed_phone_stays_once_the_user_starts_it(where: StatePaths) -> None:
    with lifecycle.borrowed(where) as borrowed:
        kept, started = lifecycle.start(where=where)
        assert not started and kept == replace(borrowed, on_demand=False)
    assert lifecycle.status(where) == kept


@pytest.mark.parametrize("mode", lifecycle.MODES)
def test_the_mode_can_be_forced_by_the_environment(where: StatePaths, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setenv(lifecycle.MODE_VARIABLE, mode)
    try:
        state, _ = lifecycle.start(where=where)
    except SetupError as error:
        assert mode == "namespace"
        pytest.skip(error.message)
    assert (state.mode, state.mode_reason) == (mode, "")


def test_a_mode_that_there_is_not_is_refused(where: StatePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(lifecycle.MODE_VARIABLE, "docker")
    with pytest.raises(UsageError, match="is docker, expected auto, namespace or prefix"):
        lifecycle.start(where=where)


def test_without_qemu_nothing_starts(where: StatePaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="qemu-aarch64 is missing"):
        lifecycle.start(where=where)
    assert lifecycle.status(where) is None


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"folder .*/file/state cannot be made: Not a directory"):
        lifecycle.start(where=StatePaths(tmp_path / "file" / "state"))


def test_a_daemon_that_dies_at_its_start_is_told_with_its_log(where: StatePaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "argparse.py").write_text("raise ImportError('broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with pytest.raises(SetupError, match="did not start") as caught:
        lifecycle.start(where=where)
    assert str(where.log) in (caught.value.hint or "")


@contextlib.contextmanager
def asking(lock: Path) -> Iterator[int]:
    """The lock as `is_locked` has it while it asks."""
    lock.touch()
    descriptor = os.open(lock, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_who_asks_for_the_phone_is_not_taken_for_one(tmp_path: Path) -> None:
    with asking(tmp_path / "lock"):
        assert not is_locked(tmp_path / "lock")


def test_a_daemon_starts_though_somebody_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asking(tmp_path / "lock") as asked:
        monkeypatch.setattr(time, "sleep", lambda seconds: fcntl.flock(asked, fcntl.LOCK_UN))
        held = try_lock(tmp_path / "lock")
    assert held is not None and is_locked(tmp_path / "lock")
    os.close(held)


def test_a_lock_is_had_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    held = try_lock(tmp_path / "lock")
    assert held is not None and try_lock(tmp_path / "lock") is None
    os.close(held)
    assert not is_locked(tmp_path / "lock")


def test_those_who_share_a_lock_are_seen(tmp_path: Path) -> None:
    with asking(tmp_path / "lock"):
        assert is_shared(tmp_path / "lock")
    assert not is_shared(tmp_path / "lock")


def test_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_paths().folder == tmp_path / "edgeocr" / "emulator"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert default_paths().folder.name == ".emulator"
