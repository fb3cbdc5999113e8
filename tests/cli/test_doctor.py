"""`edgeocr doctor`: lines for people, JSON, and the exit code."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from edgeocr import doctor
from edgeocr.cli.doctor import command
from edgeocr.doctor import Finding

THERE = Finding("adb", True, "35.0.2, /usr/bin/adb")
OPTIONAL = Finding("devices", False, "adb lists none", "plug a phone in", needed=False)
NEEDED = Finding("qemu", False, "qemu-aarch64 is missing", "make setup")


def install(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {finding.name: lambda finding=finding: iter([finding]) for finding in findings})


def test_all_that_is_needed_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, THERE, OPTIONAL)
    done = CliRunner().invoke(command)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "ok      adb      35.0.2, /usr/bin/adb",
        "absent  devices  adb lists none",
        "                 → plug a phone in",
        "everything that `edgeocr bench` needs is here",
    ]


def test_something_needed_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, THERE, NEEDED)
    done = CliRunner().invoke(command)
    assert done.exit_code == 1
    assert "MISSING qemu  qemu-aarch64 is missing" in done.stdout
    assert "→ make setup" in done.stdout


def test_json_is_alone_on_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, NEEDED)
    done = CliRunner().invoke(command, ["--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "ready": False,
        "findings": [{"name": "qemu", "ok": False, "detail": "qemu-aarch64 is missing", "hint": "make setup", "needed": True}],
    }
