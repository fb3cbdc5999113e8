"""The runner under test: natively, and the phone's program under qemu."""

from __future__ import annotations

from pathlib import Path

import pytest
from runner_process import Models, Runner, host, model_arguments, phone

from edgeocr import paths


@pytest.fixture
def native(host_runner: Path) -> Runner:
    return host()


@pytest.fixture(params=["host", pytest.param("phone", marks=pytest.mark.emulated)])
def runner(request: pytest.FixtureRequest) -> Runner:
    """Both programs, one after the other: for what is quick under qemu too."""
    if request.param == "phone":
        return phone("max")
    request.getfixturevalue("host_runner")
    return host()


@pytest.fixture(scope="session")
def own_set() -> Path:
    """Our own model set, committed: det.nb, rec.nb, en_keys.txt."""
    return paths.MODELS / "edgeocr_en" / "none"


@pytest.fixture(scope="session")
def own_models(own_set: Path) -> Models:
    return model_arguments(own_set / "det.nb", own_set / "rec.nb", own_set / "en_keys.txt")


@pytest.fixture(scope="session")
def sign() -> Path:
    """A small page with six lines."""
    return paths.MODELS / "pictures" / "page_sign.png"
