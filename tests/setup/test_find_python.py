"""tools/find_python.sh: interpreters are found by running them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeocr import paths

SCRIPT = paths.ROOT / "tools" / "find_python.sh"
THIS_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
THIS_PYTHON = os.path.realpath(sys._base_executable)  # type: ignore[attr-defined]
BROKEN_SHIM = "#!/bin/sh\necho 'pyenv: version not installed' >&2\nexit 127\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with a shell and no Python: its programs are in bin/, its home is the folder itself."""
    (tmp_path / "bin").mkdir()
    for program in ("bash", "env", "ls"):
        found = shutil.which(program)
        assert found
        (tmp_path / "bin" / program).symlink_to(found)
    return tmp_path


def install(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)
    return path


def interpreter(path: Path) -> Path:
    """This very interpreter under another name, started the way a pyenv shim does it."""
    return install(path, f'#!/bin/sh\nexec "{THIS_PYTHON}" "$@"\n')


def find(machine: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(machine / "bin"), "HOME": str(machine), **environment}
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, env=environment, timeout=60)


def test_none_is_found_on_a_machine_without(machine: Path) -> None:
    done = find(machine, "3.10+")
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize("wanted", [THIS_VERSION, "3.10+"])
def test_the_interpreter_behind_a_shim_is_named(machine: Path, wanted: str) -> None:
    interpreter(machine / "bin" / (f"python{THIS_VERSION}" if wanted == THIS_VERSION else "python3"))
    done = find(machine, wanted)
    assert (done.returncode, done.stdout.strip()) == (0, THIS_PYTHON)


def test_a_shim_that_fails_is_passed_over(machine: Path) -> None:
    install(machine / "bin" / f"python{THIS_VERSION}", BROKEN_SHIM)
    assert find(machine, THIS_VERSION).returncode == 1
    interpreter(machine / ".pyenv" / "versions" / f"{THIS_VERSION}.1" / "bin" / "python")
    assert find(machine, THIS_VERSION).stdout.strip() == THIS_PYTHON


def test_another_version_does_not_do(machine: Path) -> None:
    interpreter(machine / "bin" / "python3.7")
    interpreter(machine / "bin" / "python3")
    assert find(machine, "3.7").returncode == 1
    assert find(machine, "99.0+").returncode == 1


def test_pyenv_elsewhere_and_uv_are_asked(machine: Path) -> None:
    interpreter(machine / "pyenv" / "versions" / "any" / "bin" / "python")
    assert find(machine, THIS_VERSION, PYENV_ROOT=str(machine / "pyenv")).stdout.strip() == THIS_PYTHON
    install(machine / "bin" / "uv", f'#!/bin/sh\n[ "$*" = "python find {THIS_VERSION}" ] && echo "{THIS_PYTHON}"\n')
    assert find(machine, THIS_VERSION).stdout.strip() == THIS_PYTHON


def test_a_named_interpreter_comes_first(machine: Path) -> None:
    install(machine / "bin" / "python3", BROKEN_SHIM)
    named = interpreter(machine / "mine")
    assert find(machine, "3.10+", PYTHON=str(named)).stdout.strip() == THIS_PYTHON
    if THIS_VERSION == "3.10":
        assert find(machine, "3.10", PYTHON310=str(named)).stdout.strip() == THIS_PYTHON
    else:
        assert find(machine, "3.10", PYTHON310=str(named)).returncode == 1


def test_one_that_makes_environments_comes_before_one_that_does_not(machine: Path) -> None:
    poor = install(machine / "bin" / "python3", f"#!/bin/sh\necho /usr/bin/poor\n'{THIS_PYTHON}' -c 'raise SystemExit(2)'\n")
    assert find(machine, "3.10+").stdout.strip() == "/usr/bin/poor"
    interpreter(poor.with_name("python3.12"))
    assert find(machine, "3.10+").stdout.strip() == THIS_PYTHON


def test_an_interpreter_that_does_not_know_its_own_path_is_named(machine: Path) -> None:
    named = install(machine / "mine", f'#!/bin/bash\nunset PATH\nexec -a python3 "{THIS_PYTHON}" "$@"\n')
    assert find(machine, "3.10+", PYTHON=str(named)).stdout.strip() == THIS_PYTHON


def test_wrong_usage(machine: Path) -> None:
    done = find(machine, "three")
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


def test_set_up_without_any_python_says_what_to_do(machine: Path) -> None:
    dirname = shutil.which("dirname")
    assert dirname
    (machine / "bin" / "dirname").symlink_to(dirname)
    environment = {"PATH": str(machine / "bin"), "HOME": str(machine)}
    done = subprocess.run([SCRIPT.with_name("setup.sh")], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: no CPython 3.10 or newer was found"
    assert done.stderr.splitlines()[1].startswith("hint: apt-get install python3")
