"""tools/build_runner.sh: what it says when it is called wrongly or the set-up is not complete."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from edgeocr import paths


def build(*arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    script = str(paths.ROOT / "tools" / "build_runner.sh")
    return subprocess.run([script, *arguments], capture_output=True, text=True, check=False, env={**os.environ, "EDGEOCR_PYTHON": python})


def test_an_unknown_target() -> None:
    done = build("mips")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ") and done.stderr.count("\n") == 1


def test_no_environment(tmp_path: Path) -> None:
    done = build("host", python=str(tmp_path / "python"))
    assert (done.returncode, done.stderr) == (1, f"error: build_runner: {tmp_path}/python is missing: run `make setup`\n")


def test_an_environment_without_the_compiler(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    python.chmod(0o755)
    done = build("host", python=str(python))
    assert (done.returncode, done.stderr) == (1, f"error: build_runner: {python} has no ziglang: run `make setup`\n")
