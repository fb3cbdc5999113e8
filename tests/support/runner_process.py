"""Runs edgeocr_run as a process of this machine, natively or by an explicit qemu prefix, and gives its records."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeocr import paths

Models = Sequence[str | Path]  # the arguments that name a model set


@dataclass(frozen=True)
class Finished:
    code: int
    stdout: str
    stderr: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["type"] == kind]


@dataclass(frozen=True)
class Runner:
    """`prefix` starts the program: the program itself, or qemu, its options and the program."""

    name: str
    prefix: tuple[str, ...]

    def run(self, *arguments: str | Path, stdin: bytes = b"", timeout: float = 300) -> Finished:
        done = subprocess.run([*self.prefix, *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout, check=False)
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def host() -> Runner:
    return Runner("host", (str(paths.HOST_RUNNER),))


def phone(cpu: str) -> Runner:
    """The phone's program under qemu's model of `cpu` ("max", "cortex-a76")."""
    qemu = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64") or "qemu-aarch64"
    return Runner(f"aarch64, {cpu}", (qemu, "-cpu", cpu, str(paths.PHONE_RUNNER)))


def model_arguments(detector: Path, recogniser: Path, dictionary: Path, classifier: Path | None = None) -> Models:
    arguments: list[str | Path] = ["--det", detector, "--rec", recogniser, "--dict", dictionary]
    return arguments + (["--cls", classifier] if classifier else [])
