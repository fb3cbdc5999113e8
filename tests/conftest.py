"""What tests may need beyond the checkout: each need is named once here, with the reason that a skipped test shows.

Needs are the markers ``data``, ``emulated`` and ``paddle``, and the built runners (fixtures ``host_runner``, ``phone_runner``). An unmet
need skips the test, or fails it where EDGEOCR_REQUIRE_<NEED>=1 says that this machine has to meet it (`make test`, .ci/run).

tests/paddle runs under the Paddle environment's own pytest: elsewhere it is not collected.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from edgeocr import paths

NEEDS = ("data", "emulated", "paddle")
collect_ignore = [] if importlib.util.find_spec("paddle") else ["paddle"]


def missing_data() -> str | None:
    absent = [name for name in ("images", "models", "golden") if not (paths.TEST_DATA / name).is_dir()]
    return f"EDGEOCR_TEST_DATA has no {', '.join(absent)}" if absent else None


def missing_paddle() -> str | None:
    if importlib.util.find_spec("paddle") or paths.PADDLE_PYTHON.is_file():
        return None
    return "no Paddle environment: `make setup` makes it where a CPython 3.10 is found"


def missing_runner(runner: Path) -> str | None:
    return None if runner.is_file() else f"{runner.relative_to(paths.ROOT)} is not built: `make runner` builds it"


def missing_emulated() -> str | None:
    if not (shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")):
        return "no qemu-aarch64 on the PATH: `make setup` installs it"
    return missing_runner(paths.PHONE_RUNNER)


MISSING = {"data": missing_data, "emulated": missing_emulated, "paddle": missing_paddle}


def demand(need: str, reason: str | None) -> None:
    """Skip the test, or fail it if this machine has to meet `need`; nothing where `reason` is None."""
    if reason is None:
        return
    if os.environ.get(f"EDGEOCR_REQUIRE_{need.upper()}") == "1":
        pytest.fail(f"{need} is required here, but {reason}", pytrace=False)
    pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for need in NEEDS:
        if item.get_closest_marker(need):
            demand(need, MISSING[need]())


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with images/, models/ and golden/; use with the marker ``data``."""
    demand("data", missing_data())
    return paths.TEST_DATA


@pytest.fixture(scope="session")
def host_runner() -> Path:
    """The runner built for this machine."""
    demand("runner", missing_runner(paths.HOST_RUNNER))
    return paths.HOST_RUNNER


@pytest.fixture(scope="session")
def host_library() -> Path:
    """The C API's library for this machine."""
    library = paths.HOST_RUNNER.with_name("libedgeocr.so")
    demand("runner", missing_runner(library))
    return library


@pytest.fixture(scope="session")
def phone_runner() -> Path:
    """The runner built for the phone (aarch64, static)."""
    demand("runner", missing_runner(paths.PHONE_RUNNER))
    return paths.PHONE_RUNNER
