"""tests/conftest.py: an unmet need skips, and fails where the machine has to meet it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeocr import paths

PROBE = """
import pytest

@pytest.mark.data
def test_marked(): pass

def test_asks(test_data): pass

@pytest.mark.emulated
def test_phone(): pass

def test_free(): pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(paths.ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_probe.py").write_text(PROBE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  data: d\n  emulated: e\n")
    return tmp_path


def run(project: Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("EDGEOCR_", "PYTEST_"))}
    environment = {**clean, "PYTHONPATH": str(paths.ROOT / "host"), "PATH": "/nonexistent", **environment}
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", str(project)]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120).stdout


def test_an_unmet_need_skips_with_its_reason(project: Path) -> None:
    said = run(project, EDGEOCR_TEST_DATA="/nonexistent")
    assert "1 passed, 3 skipped" in said
    assert "EDGEOCR_TEST_DATA has no images, models, golden" in said
    assert "no qemu-aarch64 on the PATH" in said


def test_an_unmet_need_fails_where_it_is_required(project: Path) -> None:
    said = run(project, EDGEOCR_TEST_DATA="/nonexistent", EDGEOCR_REQUIRE_DATA="1", EDGEOCR_REQUIRE_EMULATED="1")
    assert "1 passed" in said
    assert "skipped" not in said
    assert "data is required here, but EDGEOCR_TEST_DATA has no images, models, golden" in said
    assert "emulated is required here, but no qemu-aarch64 on the PATH" in said


def test_a_met_need_runs(project: Path, tmp_path: Path) -> None:
    for name in ("images", "models", "golden"):
        (tmp_path / "shared" / name).mkdir(parents=True)
    said = run(project, EDGEOCR_TEST_DATA=str(tmp_path / "shared"), EDGEOCR_REQUIRE_DATA="1")
    assert "3 passed, 1 skipped" in said
