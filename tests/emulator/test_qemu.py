"""Finding qemu, and what it is asked to be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edgeocr.emulator.qemu import ELF_MAGIC, ELF_MASK, PROBE_EXIT_CODE, find_qemu, probe_program
from edgeocr.errors import SetupError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def fake_qemu(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_kernels_rule_fits_a_compiled_program(aarch64_program: Path) -> None:
    head = aarch64_program.read_bytes()[: len(ELF_MAGIC)]
    assert bytes(byte & mask for byte, mask in zip(head, ELF_MASK, strict=True)) == bytes(
        byte & mask for byte, mask in zip(ELF_MAGIC, ELF_MASK, strict=True)
    )


def test_the_probe_runs(tmp_path: Path) -> None:
    try:
        qemu = find_qemu()
    except SetupError as error:
        pytest.skip(error.message)
    program = tmp_path / "probe"
    program.write_bytes(probe_program())
    program.chmod(0o755)
    assert subprocess.run([qemu.path, "-cpu", qemu.cpu, program], check=False).returncode == PROBE_EXIT_CODE


def test_without_qemu_the_hint_says_what_to_install(folder: Path) -> None:
    with pytest.raises(SetupError, match="qemu-aarch64 is missing") as caught:
        find_qemu()
    assert "make setup" in (caught.value.hint or "")


def test_the_a76_is_asked_for_where_qemu_knows_it(folder: Path) -> None:
    fake_qemu(folder / "qemu-aarch64", "echo Available CPUs:; echo '  cortex-a72'; echo '  cortex-a76'; echo '  max'")
    assert find_qemu().cpu == "cortex-a76"


def test_an_older_qemu_is_asked_for_all_it_can(folder: Path) -> None:
    fake_qemu(folder / "qemu-aarch64", "echo Available CPUs:; echo '  cortex-a72'; echo '  max'")
    assert find_qemu().cpu == "max"


def test_the_static_one_comes_first(folder: Path) -> None:
    for name in ("qemu-aarch64", "qemu-aarch64-static"):
        fake_qemu(folder / name, "echo max")
    assert find_qemu().path == str(folder / "qemu-aarch64-static")


def test_a_broken_one_is_told(folder: Path) -> None:
    (folder / "qemu-aarch64").write_bytes(b"\x7fELF")
    (folder / "qemu-aarch64").chmod(0o755)
    with pytest.raises(SetupError, match="cannot be run"):
        find_qemu()
