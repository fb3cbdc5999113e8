"""What the project takes from Debian (tools/apt-packages.txt), and which of it is not installed.

The standard library only, and nothing of this package: tools/setup.py imports it before there is any environment.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

Alternatives = tuple[str, ...]  # packages that serve alike, the preferred one first

PARTS = ("base", "paddle")  # always; only with the Paddle environment


def read_packages(file: Path, parts: Collection[str]) -> list[Alternatives]:
    """The packages of `parts` in a file of lines ``PACKAGE[|ALTERNATIVE…]  PART  why``. ValueError for a line that is none."""
    packages = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split(None, 2)
        if len(fields) != 3 or fields[1] not in PARTS:
            raise ValueError(f"{file.name}: line is {line!r}, expected package, {' or '.join(PARTS)}, reason")
        if fields[1] in parts:
            packages.append(tuple(fields[0].split("|")))
    return packages


def is_debian() -> bool:
    return shutil.which("dpkg-query") is not None


def missing(wanted: Sequence[Alternatives]) -> list[str]:
    """The preferred package of every entry of which nothing is installed."""
    installed = _installed([name for alternatives in wanted for name in alternatives])
    return [alternatives[0] for alternatives in wanted if not installed.intersection(alternatives)]


def install_command(packages: Sequence[str]) -> list[str]:
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def _installed(names: Sequence[str]) -> set[str]:
    """dpkg-query ends with 1 where it does not know a name: that is an answer, no failure."""
    command = ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\\n", *names]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return {line.split()[0] for line in answer.splitlines() if line.endswith(" installed")}
