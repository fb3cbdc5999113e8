"""tools/setup.py: what is skipped, resumed and made anew, and what a failure says."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from edgeocr import debian, paths

BASE_PYTHON = os.path.realpath(sys._base_executable)  # type: ignore[attr-defined]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, working on an empty checkout."""
    spec = importlib.util.spec_from_file_location("edgeocr_setup", paths.ROOT / "tools" / "setup.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOG", tmp_path / "build" / "setup.log")
    module.LOG.parent.mkdir()
    return module


def wheel(folder: Path, version: str) -> Path:
    """A package `nothing` of one empty module."""
    info = f"nothing-{version}.dist-info"
    files = {
        "nothing.py": b"",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: nothing\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode() for name, data in files.items()}
    record = "".join(f"{name},sha256={digests[name]},{len(data)}\n" for name, data in files.items()) + f"{info}/RECORD,,\n"
    path = folder / f"nothing-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(name, data)
    return path


class Checkout:
    """An environment of a checkout whose only requirement is the wheel, without network."""

    def __init__(self, setup: ModuleType, folder: Path) -> None:
        self.setup, self.folder = setup, folder
        self.environment = self.requiring("1.0")

    def requiring(self, version: str) -> object:
        path = wheel(self.folder, version)
        return self.setup.Environment(".venv", BASE_PYTHON, ("--no-index", str(path)), (path,))

    def set_up(self, capsys: pytest.CaptureFixture[str]) -> str:
        """What it said."""
        self.environment.set_up()  # type: ignore[attr-defined]
        return capsys.readouterr().err

    def version(self) -> str:
        program = "import nothing, importlib.metadata as m; print(m.version('nothing'))"
        return subprocess.run(
            [self.folder / ".venv" / "bin" / "python", "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()


@pytest.fixture(scope="module")
def empty_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / ".venv"
    subprocess.run([BASE_PYTHON, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def checkout(setup: ModuleType, tmp_path: Path, empty_venv: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Making an environment takes seconds, so it is a copy of one that was made."""
    run_logged = setup.run_logged

    def copy_or_run(*command: str, **environment: str) -> None:
        if command[2:4] == ("-m", "venv"):
            shutil.copytree(empty_venv, command[4], symlinks=True, dirs_exist_ok=True)
        else:
            run_logged(*command, **environment)

    monkeypatch.setattr(setup, "run_logged", copy_or_run)
    return Checkout(setup, tmp_path)


def test_an_environment_is_made_by_the_named_interpreter(setup: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkout = Checkout(setup, tmp_path)
    assert f"installing with {BASE_PYTHON}" in checkout.set_up(capsys)
    assert checkout.version() == "1.0"


def test_an_environment_is_made_once_and_follows_its_inputs(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    assert "installing with" in checkout.set_up(capsys)
    assert checkout.version() == "1.0"

    assert checkout.set_up(capsys) == ""

    kept = checkout.folder / ".venv" / "kept"
    kept.touch()
    checkout.environment = checkout.requiring("2.0")
    assert "installing what changed" in checkout.set_up(capsys)
    assert checkout.version() == "2.0"
    assert kept.exists()


def test_an_interrupted_environment_is_made_anew(
    checkout: Checkout, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_logged = checkout.setup.run_logged

    def interrupted(*command: str, **environment: str) -> None:
        if "install" in command:
            raise KeyboardInterrupt
        run_logged(*command, **environment)

    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(checkout.setup, "run_logged", interrupted)
        checkout.set_up(capsys)
    leftover = checkout.folder / ".venv" / "leftover"
    leftover.touch()
    assert "installing with" in checkout.set_up(capsys)
    assert checkout.version() == "1.0"
    assert not leftover.exists()


def test_a_broken_or_moved_environment_is_made_anew(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.set_up(capsys)
    venv = checkout.folder / ".venv"
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").symlink_to("/nonexistent/python")
    assert "installing with" in checkout.set_up(capsys)
    assert checkout.version() == "1.0"

    stamp = venv / "setup-stamp.json"
    stamp.write_text(stamp.read_text().replace(str(checkout.folder), "/elsewhere"))
    assert "installing with" in checkout.set_up(capsys)
    assert checkout.version() == "1.0"


def test_an_environment_made_by_hand_is_kept(checkout: Checkout, empty_venv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    venv = checkout.folder / ".venv"
    shutil.copytree(empty_venv, venv, symlinks=True)
    (venv / "mine").touch()
    assert "installing what changed" in checkout.set_up(capsys)
    assert (venv / "mine").exists()
    assert checkout.version() == "1.0"


def test_a_failed_command_shows_the_end_of_what_it_said(setup: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(setup.SetupFailure, match="ended with 3") as failure:
        setup.run_logged(sys.executable, "-c", "print('no wheel for this machine'); raise SystemExit(3)")
    assert "no wheel for this machine" in capsys.readouterr().err
    assert failure.value.hint == "all of its output is in build/setup.log"


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def bare_debian(setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian with only nasm installed, whose apt-get notes how it was called."""
    monkeypatch.setattr(setup, "TOOLS", tmp_path)
    (tmp_path / "apt-packages.txt").write_text("# why\n\nqemu-user-static|qemu-user base phone\nnasm base jpeg\nlibgl1 paddle opencv\n")
    program(tmp_path / "bin", "dpkg-query", "echo 'nasm installed'; echo 'qemu-user config-files'; exit 1")
    program(tmp_path / "bin", "apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {tmp_path}/apt.log')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin:/usr/bin")
    return tmp_path


def test_without_root_the_one_command_is_shown(setup: ModuleType, bare_debian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(setup.SetupFailure, match="2 Debian packages are missing: qemu-user-static, libgl1") as failure:
        setup.set_up_packages({"base", "paddle"}, [])
    assert failure.value.hint == "sudo apt-get install -y --no-install-recommends qemu-user-static libgl1"
    assert not (bare_debian / "apt.log").exists()


def test_root_installs_what_is_missing_without_questions(setup: ModuleType, bare_debian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    setup.set_up_packages({"base"}, [])
    assert (bare_debian / "apt.log").read_text().splitlines() == [
        "noninteractive -q update",
        "noninteractive install -y --no-install-recommends qemu-user-static",
    ]


def test_nothing_is_asked_of_apt_where_nothing_is_missing(setup: ModuleType, bare_debian: Path) -> None:
    program(bare_debian / "bin", "dpkg-query", "echo 'nasm installed'; echo 'qemu-user installed'")
    setup.set_up_packages({"base"}, [])
    assert not (bare_debian / "apt.log").exists()


def test_debians_own_python_needs_its_venv_package(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def ensurepip(returncode: int) -> None:
        monkeypatch.setattr(setup.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess([], returncode))

    ensurepip(1)
    assert setup.venv_packages(["/usr/bin/python3.11", "/opt/python/bin/python3.10"]) == [("python3.11-venv",)]
    ensurepip(0)
    assert setup.venv_packages(["/usr/bin/python3.11"]) == []


@pytest.fixture
def done_parts(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that a set-up did, which are only noted."""
    done: list[str] = []
    monkeypatch.setattr(setup, "set_up_packages", lambda parts, pythons: done.append(" ".join(sorted(parts))))
    monkeypatch.setattr(setup, "run_logged", lambda *command, **environment: done.append(" ".join([Path(command[0]).name, *command[1:]])))
    monkeypatch.setattr(setup.Environment, "set_up", lambda environment: done.append(environment.name))
    return done


def test_without_cpython_310_all_but_paddle_is_set_up(
    setup: ModuleType, done_parts: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "find_python310", lambda: None)
    setup.set_up(with_paddle=True)
    assert done_parts == ["base", ".venv", "build_runner.sh all --target edgeocr_run"]
    said = capsys.readouterr().err
    assert "no CPython 3.10 was found" in said
    assert "uv python install 3.10" in said


def test_with_cpython_310_paddle_is_set_up_last(setup: ModuleType, done_parts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "find_python310", lambda: "/opt/python3.10")
    setup.set_up(with_paddle=True)
    assert done_parts == ["base paddle", ".venv", "build_runner.sh all --target edgeocr_run", ".venv-paddle"]


def test_paddle_can_be_left_out(
    setup: ModuleType, done_parts: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "find_python310", lambda: pytest.fail("looked for a CPython 3.10"))
    setup.set_up(with_paddle=False)
    assert done_parts == ["base", ".venv", "build_runner.sh all --target edgeocr_run"]
    assert ".venv-paddle" not in capsys.readouterr().err


def test_the_package_list_is_well_formed() -> None:
    packages = debian.read_packages(paths.ROOT / "tools" / "apt-packages.txt", debian.PARTS)
    assert ("libstb-dev",) in packages
    assert ("qemu-user-static", "qemu-user") in packages
    assert len(set(packages)) == len(packages)


@pytest.mark.parametrize("line", ["nasm", "nasm base", "nasm sometimes because"])
def test_a_line_that_is_no_package_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "packages.txt").write_text(line)
    with pytest.raises(ValueError, match="expected package, base or paddle, reason"):
        debian.read_packages(tmp_path / "packages.txt", debian.PARTS)


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_makefile_names_what_exists() -> None:
    for target in ("setup", "runner", "bench", "test", "lint", "clean", "help"):
        done = subprocess.run(["make", "--dry-run", target], cwd=paths.ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        for word in done.stdout.split():
            if word.startswith("tools/"):
                assert os.access(paths.ROOT / word, os.X_OK), f"{target} calls {word}"


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_clean_leaves_what_hours_were_spent_on(tmp_path: Path) -> None:
    built = ["host/edgeocr_run", "aarch64/edgeocr_run", "third_party/jpeg-host/lib/libjpeg.a", "native/depthwise.so"]
    kept = ["train/det_pact/latest.pdopt", "data/train_det/labels.txt", "models/tiny/none/det.nb", "imported/det.pdparams", "eval.json"]
    for name in (*built, *kept):
        (tmp_path / "build" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "build" / name).touch()
    subprocess.run(["make", "-f", paths.ROOT / "Makefile", "clean"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    left = {path.relative_to(tmp_path / "build").as_posix() for path in (tmp_path / "build").rglob("*") if path.is_file()}
    assert left == set(kept)
