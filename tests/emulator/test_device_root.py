"""The phone's tree: what it says of itself, and what it keeps."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edgeocr.device.adb_output import parse_getprop
from edgeocr.emulator.device_root import PROPERTIES, banner, make_root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_root(tmp_path)
    return tmp_path


def getprop(root: Path, *arguments: str) -> str:
    return subprocess.run([root / "system" / "bin" / "getprop", *arguments], check=True, capture_output=True, text=True).stdout


def test_getprop_lists_what_there_is(root: Path) -> None:
    assert parse_getprop(getprop(root)) == PROPERTIES


def test_getprop_gives_one_value_or_its_default_or_nothing(root: Path) -> None:
    assert getprop(root, "ro.build.version.sdk") == "29\n"
    assert getprop(root, "ro.nothing", "default") == "default\n"
    assert getprop(root, "ro.nothing") == "\n"
    assert getprop(root, "ro.build.version.sd.") == "\n"  # names are no patterns


def test_it_says_that_it_is_emulated(root: Path) -> None:
    assert "emulated" in getprop(root, "ro.product.model")
    assert "emulated" in banner(())


def test_the_banner_lists_features_last() -> None:
    assert banner(("a", "b")).endswith(";features=a,b")


def test_an_older_tree_is_brought_up_to_date_and_keeps_the_users_files(root: Path) -> None:
    (root / "data" / "local" / "tmp" / "mine").write_text("mine")
    (root / "system" / "build.prop").write_text("ro.product.model=old\n")
    make_root(root)
    assert (root / "data" / "local" / "tmp" / "mine").read_text() == "mine"
    assert parse_getprop(getprop(root)) == PROPERTIES
