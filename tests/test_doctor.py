"""What doctor says of things that are there, absent or broken."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgeocr import __version__, doctor, paths
from edgeocr.doctor import Finding
from edgeocr.zoo import registry


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def only(findings: list[Finding], name: str) -> Finding:
    (finding,) = [finding for finding in findings if finding.name == name]
    return finding


@pytest.fixture
def bin_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one empty folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def runners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose runners are not built."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "HOST_RUNNER", tmp_path / "build" / "host" / "edgeocr_run")
    monkeypatch.setattr(paths, "PHONE_RUNNER", tmp_path / "build" / "aarch64" / "edgeocr_run")
    return tmp_path


def test_python_and_its_packages() -> None:
    findings = list(doctor.python())
    assert all(finding.ok for finding in findings)
    assert "numpy " in only(findings, "Python packages").detail


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "DISTRIBUTIONS", ("click", "no-such-distribution"))
    finding = only(list(doctor.python()), "Python packages")
    assert (finding.ok, finding.needed, finding.detail, finding.hint) == (False, True, "missing: no-such-distribution", "make setup")


def test_debian_packages(bin_only: Path) -> None:
    (absent,) = doctor.debian_packages()
    assert (absent.ok, absent.needed) == (False, False)
    program(bin_only / "dpkg-query", "echo 'libstb-dev installed'")
    base, paddle = doctor.debian_packages()
    assert "nasm" in base.detail and "libstb-dev" not in base.detail
    assert base.hint and base.hint.startswith("sudo apt-get install ")
    assert "libgl1" in paddle.detail


@pytest.mark.parametrize(
    ("script", "ok", "detail"),
    [
        (f"echo edgeocr_run {__version__}", True, f"edgeocr_run {__version__}, build/host/edgeocr_run"),
        ("echo edgeocr_run 0.0.1", False, f"version is edgeocr_run 0.0.1, expected edgeocr_run {__version__}"),
        ("echo 'error: illegal instruction' >&2; exit 3", False, "edgeocr_run ended with 3 and said: error: illegal instruction"),
        ("kill -ILL $$", False, "edgeocr_run ended with -4 and said: nothing"),
    ],
)
def test_a_runner_is_judged_by_running_it(runners: Path, script: str, ok: bool, detail: str) -> None:
    program(paths.HOST_RUNNER, script)
    (finding,) = doctor.host_runner()
    assert (finding.ok, finding.needed, finding.detail) == (ok, True, detail)


def test_a_runner_that_fails_is_made_anew_and_nothing_else_is(runners: Path) -> None:
    program(paths.HOST_RUNNER, "exit 3")
    (finding,) = doctor.host_runner()
    assert finding.hint == "rm -r build/host, then make runner"


def test_a_runner_that_is_not_built(runners: Path) -> None:
    (finding,) = doctor.host_runner()
    assert (finding.ok, finding.detail, finding.hint) == (False, "build/host/edgeocr_run is not built", "make runner")


def test_a_runner_for_another_machine_cannot_be_run(runners: Path) -> None:
    program(paths.HOST_RUNNER, "").write_bytes(b"\x7fELF no program")
    (finding,) = doctor.host_runner()
    assert not finding.ok
    assert "cannot be run" in finding.detail


def test_no_qemu(runners: Path, bin_only: Path) -> None:
    findings = list(doctor.phone())
    qemu, runner = only(findings, "qemu"), only(findings, "runner, phone")
    assert (qemu.ok, qemu.needed, runner.ok) == (False, True, False)
    assert "make setup" in (qemu.hint or "")


def test_a_qemu_that_runs_nothing(runners: Path, bin_only: Path) -> None:
    program(bin_only / "qemu-aarch64", "exit 1")
    finding = only(list(doctor.phone()), "qemu")
    assert not finding.ok
    assert finding.detail.endswith("ended with 1, expected 42")


@pytest.mark.emulated
def test_the_phone_is_tried_by_qemu() -> None:
    findings = list(doctor.phone())
    assert only(findings, "qemu").ok
    assert only(findings, "runner, phone").detail.startswith(f"edgeocr_run {__version__}")
    namespace = only(findings, "private namespace")
    assert not namespace.needed
    assert namespace.ok or namespace.detail


FAKE_ADB = """case "$*" in
  version) echo 'Android Debug Bridge version 1.0.41'; echo 'Version 35.0.2-1'; echo 'Installed as here' ;;
  devices*) printf 'List of devices attached\\n%s' "$FAKE_DEVICES" ;;
  *) exit 1 ;;
esac"""


@pytest.fixture
def fake_adb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("ADB", str(program(tmp_path / "adb", FAKE_ADB)))
    return monkeypatch


def test_devices(fake_adb: pytest.MonkeyPatch) -> None:
    fake_adb.setenv("FAKE_DEVICES", "R58M123\tdevice\nR58M456\tunauthorized\n")
    findings = list(doctor.adb())
    assert only(findings, "adb").detail.startswith("35.0.2-1, ")
    assert only(findings, "device R58M123").ok
    locked = only(findings, "device R58M456")
    assert (locked.ok, locked.needed, locked.detail) == (False, False, "unauthorized")
    assert "allow USB debugging" in (locked.hint or "")


def test_no_devices(fake_adb: pytest.MonkeyPatch) -> None:
    fake_adb.setenv("FAKE_DEVICES", "")
    finding = only(list(doctor.adb()), "devices")
    assert (finding.ok, finding.needed) == (False, False)
    assert "edgeocr emulator start" in (finding.hint or "")


def test_no_adb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADB", "/nonexistent/adb")
    (finding,) = doctor.adb()
    assert (finding.ok, finding.needed) == (False, True)


@pytest.fixture
def paddle_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the Paddle environment's interpreter is looked for; it is not there."""
    interpreter = tmp_path / ".venv-paddle" / "bin" / "python"
    monkeypatch.setattr("edgeocr.convert.paddle_env.PADDLE_PYTHON", interpreter)
    return interpreter


@pytest.mark.parametrize(
    ("script", "ok", "detail"),
    [
        ("""echo noise; echo '{"paddlepaddle": "2.6.2", "numpy": "1.26.4"}'""", True, "paddlepaddle 2.6.2, numpy 1.26.4"),
        ("echo \"ModuleNotFoundError: No module named 'paddle'\" >&2; exit 1", False, "No module named 'paddle'"),
        ("exit 0", False, "the environment's imports say nothing"),
    ],
)
def test_the_paddle_environment_is_judged_by_importing(paddle_python: Path, script: str, ok: bool, detail: str) -> None:
    program(paddle_python, script)
    (finding,) = doctor.paddle()
    assert (finding.ok, finding.needed) == (ok, False)
    assert finding.detail.endswith(detail)
    assert ok or finding.hint == "rm -r .venv-paddle, then make setup"


def test_no_paddle_environment_is_no_obstacle(paddle_python: Path) -> None:
    (finding,) = doctor.paddle()
    assert (finding.ok, finding.needed) == (False, False)
    assert "3.10" in (finding.hint or "")


@pytest.mark.paddle
def test_the_real_paddle_environment() -> None:
    (finding,) = doctor.paddle()
    assert finding.ok, finding.detail
    assert "paddlepaddle 2.6.2, paddlelite 2.13rc0, paddleslim 2.6.0" in finding.detail


def test_the_committed_models_have_the_right_hashes() -> None:
    registered = registry.load()
    findings = [finding for finding in doctor.models() if finding.name.startswith(f"models {registered.default_set} ")]
    assert [finding.detail for finding in findings if not finding.ok] == []
    assert len(findings) == len(registered.sets[registered.default_set].variants)


def test_a_model_that_was_changed_is_what_bench_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tmp_path / "models"
    shutil.copytree(paths.MODELS, models)
    registered = registry.load(models / "registry.toml")
    files = registered.sets[registered.default_set].variants["none"]
    changed = models / (files["detector"].path or "")
    data = bytearray(changed.read_bytes())
    data[-1] ^= 1
    changed.write_bytes(data)
    monkeypatch.setattr(doctor, "load_registry", lambda: registered)
    finding = only(list(doctor.models()), f"models {registered.default_set} none")
    assert (finding.ok, finding.needed) == (False, True)
    assert "sha256 is" in finding.detail


def test_models_that_are_not_here_are_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeocr.zoo.cache.Cache.__init__.__defaults__", (tmp_path,))
    findings = {finding.name: finding for finding in doctor.models()}
    absent = [finding for finding in findings.values() if finding.detail == "not downloaded yet"]
    assert absent and not any(finding.needed for finding in absent)
    assert not findings["models without hashes"].needed


@pytest.mark.parametrize(("free", "ok"), [(2 << 30, True), (1 << 20, False)])
def test_disk_space(monkeypatch: pytest.MonkeyPatch, free: int, ok: bool) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    (finding,) = doctor.disk()
    assert finding.ok is ok
    assert (finding.hint is None) is ok


def test_every_check_is_made_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Finding("a", True, ""), Finding("b", False, "", "do it")
    monkeypatch.setattr(doctor, "CHECKS", {"first": lambda: iter([a]), "second": lambda: iter([b])})
    steps: list[str] = []
    assert doctor.examine(steps.append) == [a, b]
    assert steps == ["first", "second"]
