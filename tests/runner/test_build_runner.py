"""tools/build_runner.sh and tools/build_libjpeg.sh: what they say when they are called wrongly, and what keeps two runs apart."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

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


# A checkout in which nothing is compiled


COMPILERLESS = """\
#!/bin/sh
case $* in
*ziglang*version) echo 0.0 ;;
*"cmake --build"*) echo compile >> {log}; echo library > build/libjpeg.a; echo header > build/jconfig.h ;;
*cmake*-S*) mkdir -p build ;;
*) echo nothing ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """tools/ with the two scripts, and a Python whose CMake only notes in `log` that it was to compile."""
    (tmp_path / "tools").mkdir()
    for name in ("build_runner.sh", "build_libjpeg.sh"):
        shutil.copy(paths.ROOT / "tools" / name, tmp_path / "tools")
    install(tmp_path / "python", COMPILERLESS.format(log=tmp_path / "log"))
    return tmp_path


def install(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


def test_the_library_is_made_under_the_lock_of_the_build(checkout: Path) -> None:
    lock = checkout / "build" / "host" / "lock"
    lock.parent.mkdir(parents=True)
    install(checkout / "tools" / "build_libjpeg.sh", f'#!/bin/sh\nflock --nonblock {lock} true\necho "$1 $?" > {checkout}/tried\n')
    command = [str(checkout / "tools" / "build_runner.sh"), "host"]
    subprocess.run(command, cwd=checkout, check=True, env={**os.environ, "EDGEOCR_PYTHON": str(checkout / "python")})
    assert (checkout / "tried").read_text() == "host 1\n"  # flock's code for a lock that somebody holds


@pytest.fixture
def jpeg(checkout: Path) -> Path:
    """Where the library goes; its source is an archive of empty headers."""
    made = checkout / "libjpeg-turbo-2.1.5"
    made.mkdir()
    for name in ("jpeglib", "jmorecfg", "jerror"):
        (made / f"{name}.h").touch()
    archive = checkout / "third_party" / "libjpeg-turbo-source" / "libjpeg-turbo_2.1.5.orig.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(made, made.name)
    script = checkout / "tools" / "build_libjpeg.sh"
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    script.write_text(re.sub(r"^readonly SHA256=\w+", f"readonly SHA256={digest}", script.read_text(), flags=re.MULTILINE))
    return checkout / "third_party" / "jpeg-host"


def build_jpeg(checkout: Path, jpeg: Path, path: str) -> None:
    command = [str(checkout / "tools" / "build_libjpeg.sh"), "host", str(jpeg), str(checkout / "python")]
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})


def test_the_library_is_made_once(checkout: Path, jpeg: Path) -> None:
    for _ in range(2):
        build_jpeg(checkout, jpeg, os.environ["PATH"])
    assert (checkout / "log").read_text() == "compile\n"
    assert (jpeg / "lib" / "libjpeg.a").read_text() == "library\n"
    assert sorted(path.name for path in jpeg.parent.iterdir()) == ["jpeg-host", "jpeg-host.lock", "libjpeg-turbo-source"]


def test_who_waits_for_another_run_leaves_its_library_alone(checkout: Path, jpeg: Path) -> None:
    build_jpeg(checkout, jpeg, os.environ["PATH"])
    jpeg.rename(checkout / "made")
    # While this one waits for the lock, the other run ends.
    install(checkout / "bin" / "flock", f"#!/bin/sh\n[ -d {jpeg} ] || mv {checkout}/made {jpeg}\n")
    build_jpeg(checkout, jpeg, f"{checkout / 'bin'}:{os.environ['PATH']}")
    assert (checkout / "log").read_text() == "compile\n"
