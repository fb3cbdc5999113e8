"""Make this checkout ready: Debian packages, `.venv`, the runner for both targets, `.venv-paddle`.

Run by tools/setup.sh (`make setup`). The standard library is all it needs, on any CPython from 3.10 on. Every part is skipped when what it
depends on has not changed, resumed when it was interrupted, and made anew when it is found broken. The parts' own output goes to
build/setup.log; one line per part goes to stderr. Exit codes: 0, 1 a part failed, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

from edgeocr import debian  # noqa: E402

TOOLS = ROOT / "tools"
LOG = ROOT / "build" / "setup.log"
LOG_TAIL = 20
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
NO_PADDLE = """\
setup: .venv-paddle: left out, no CPython 3.10 was found (paddlelite has wheels for no later one)
setup:   training and conversion need it, everything else works without; to get one, any of
setup:     uv python install 3.10
setup:     pyenv install 3.10
setup:     PYTHON310=/path/to/python3.10 make setup"""


class SetupFailure(Exception):
    """A part failed: one line, and perhaps what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def part(name: str, doing: str) -> Iterator[None]:
    """Tell when a part that takes its time starts and what it took."""
    say(f"setup: {name}: {doing} …")
    start = time.monotonic()
    yield
    say(f"setup: {name}: done in {time.monotonic() - start:.0f} s")


def run_logged(*command: str, **environment: str) -> None:
    """Run a command with its output in the log, whose last line a terminal shows meanwhile; a failure shows the end of it."""
    with LOG.open("ab") as log:
        log.write(f"$ {' '.join(command)}\n".encode())
        log.flush()
        start = log.tell()
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **environment}
        ) as child:
            if sys.stderr.isatty():
                show_last_line_until_end(child)
            status = child.wait()
    if status != 0:
        say("\n".join(read_log(start).splitlines()[-LOG_TAIL:]))
        raise SetupFailure(f"{' '.join(command[:6])} … ended with {status}", f"all of its output is in {LOG.relative_to(ROOT)}")


def read_log(start: int) -> str:
    with LOG.open("rb") as log:
        log.seek(start)
        return log.read().decode(errors="replace")


def show_last_line_until_end(child: subprocess.Popen[bytes]) -> None:
    clear = "\r\x1b[K"
    while child.poll() is None:
        line = read_log(max(0, LOG.stat().st_size - 1000)).rstrip().rpartition("\n")[2]
        print(f"{clear}  {line[: shutil.get_terminal_size().columns - 3]}", end="", file=sys.stderr, flush=True)
        time.sleep(0.3)
    print(clear, end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def only_one_setup() -> Iterator[None]:
    """Wait for another set-up of this checkout to end."""
    LOG.parent.mkdir(exist_ok=True)
    with (LOG.parent / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("setup: another set-up of this checkout is running; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        LOG.write_bytes(b"")
        yield


# Debian packages


def venv_packages(pythons: list[str]) -> list[debian.Alternatives]:
    """Debian keeps ensurepip apart from its own interpreters (/usr/bin/python3.N), in python3.N-venv."""

    def lacks_ensurepip(python: str) -> bool:
        return subprocess.run([python, "-I", "-c", "import ensurepip"], stderr=subprocess.DEVNULL, check=False).returncode != 0

    return [(f"{Path(python).name}-venv",) for python in pythons if Path(python).parent == Path("/usr/bin") and lacks_ensurepip(python)]


def set_up_packages(parts: set[str], pythons: list[str]) -> None:
    if not debian.is_debian():
        say("setup: this is no Debian: have the like of the packages in tools/apt-packages.txt installed")
        return
    missing = debian.missing(debian.read_packages(TOOLS / "apt-packages.txt", parts) + venv_packages(pythons))
    if not missing:
        return
    install = debian.install_command(missing)
    if os.geteuid() != 0:
        count = "a Debian package is" if len(missing) == 1 else f"{len(missing)} Debian packages are"
        raise SetupFailure(f"{count} missing: {', '.join(missing)}", f"sudo {' '.join(install)}")
    with part("Debian packages", f"installing {', '.join(missing)}"):
        run_logged("apt-get", "-q", "update", DEBIAN_FRONTEND="noninteractive")
        run_logged(*install, DEBIAN_FRONTEND="noninteractive")


# Python environments


@dataclass(frozen=True)
class Environment:
    """A virtual environment of the checkout and what pip puts into it."""

    name: str
    base: str  # the interpreter that it is made from
    requirements: tuple[str, ...]  # pip's arguments
    inputs: tuple[Path, ...]  # the files that these arguments stand for

    @property
    def folder(self) -> Path:
        return ROOT / self.name

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def stamp_file(self) -> Path:
        return self.folder / "setup-stamp.json"

    def fingerprint(self) -> str:
        digest = hashlib.sha256(" ".join(self.requirements).encode())
        for path in self.inputs:
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def read_stamp(self) -> dict[str, str]:
        """What the last set-up left; empty where there is none (an environment that somebody made by hand is kept)."""
        try:
            stamp = json.loads(self.stamp_file.read_text())
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def write_stamp(self, state: str) -> None:
        partial = self.stamp_file.with_suffix(".part")
        partial.write_text(json.dumps({"state": state, "root": str(ROOT), "inputs": self.fingerprint()}))
        os.replace(partial, self.stamp_file)

    def works(self) -> bool:
        """Its interpreter runs, is of the base's version and has pip."""
        version = subprocess.run(
            [self.base, "-I", "-c", "import sys; print(sys.version_info[:2])"], stdout=subprocess.PIPE, check=True
        ).stdout
        probe = "import sys, pip._internal.cli.main; assert sys.prefix != sys.base_prefix; print(sys.version_info[:2])"
        try:
            done = subprocess.run([self.python, "-I", "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        except OSError:
            return False
        return done.returncode == 0 and done.stdout == version

    def set_up(self) -> None:
        stamp = self.read_stamp()
        usable = stamp.get("state") != "unfinished" and stamp.get("root", str(ROOT)) == str(ROOT) and self.works()
        if usable and stamp.get("inputs") == self.fingerprint():
            return
        with part(self.name, f"installing with {self.base}" if not usable else "installing what changed"):
            if not usable:
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir()
            self.write_stamp("unfinished")
            if not usable:
                run_logged(self.base, "-I", "-m", "venv", str(self.folder))
            run_logged(self.python, *PIP, "install", *self.requirements)
            self.write_stamp("complete")


def main_environment(base: str) -> Environment:
    constraints = TOOLS / "constraints.txt"
    return Environment(".venv", base, ("-c", str(constraints), "-e", ".[dev]"), (constraints, ROOT / "pyproject.toml"))


def paddle_environment(base: str) -> Environment:
    requirements, constraints = TOOLS / "requirements-paddle.txt", TOOLS / "constraints-paddle.txt"
    return Environment(".venv-paddle", base, ("-c", str(constraints), "-r", str(requirements)), (requirements, constraints))


def find_python310() -> str | None:
    done = subprocess.run([TOOLS / "find_python.sh", "3.10"], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip() or None


# All of it


def set_up(with_paddle: bool) -> None:
    base = os.path.realpath(sys.executable)
    base310 = find_python310() if with_paddle else None
    set_up_packages({"base", "paddle"} if base310 else {"base"}, [base, base310] if base310 else [base])
    main = main_environment(base)
    main.set_up()
    with part("runner", "building for this machine and for the phone"):
        run_logged(str(TOOLS / "build_runner.sh"), "all", "--target", "edgeocr_run", EDGEOCR_PYTHON=main.python)
    if base310:
        paddle_environment(base310).set_up()
    elif with_paddle:
        say(NO_PADDLE)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make this checkout ready.")
    parser.add_argument("--paddle", choices=("yes", "no"), default="yes", help="make .venv-paddle where a CPython 3.10 is found")
    arguments = parser.parse_args()
    start = time.monotonic()
    try:
        with only_one_setup():
            set_up(arguments.paddle == "yes")
    except SetupFailure as failure:
        say(f"error: {failure}")
        if failure.hint:
            say(f"hint: {failure.hint}")
        return 1
    except KeyboardInterrupt:
        say("error: interrupted; the next set-up goes on from here")
        return 130
    say(f"setup: ready in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
