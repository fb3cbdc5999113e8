"""Bytes that an aarch64 program moves beyond a Snapdragon 855 prime core's caches, by a QEMU plugin (caches.c) that simulates them.

Data only, one thread. It repeats exactly where addresses do; the order of the runner's allocations moves it by a few per cent.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulation import build_plugin, run_counted

LINE_BYTES = 64


@dataclass(frozen=True)
class Traffic:
    """Per run: lines of 64 bytes that L2 did not have, and bytes from beyond L3."""

    l2_misses: float
    beyond_l3_bytes: float


def steady_state(once: Sequence[str], more: Sequence[str], repeats: int) -> Traffic:
    """What one repeat costs: ``more`` runs the net ``repeats`` times oftener than ``once``; start-up cancels out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plugin = build_plugin("caches", folder)
        first, both = (_misses(plugin, command, folder) for command in (once, more))
    _, l2, l3 = ((after - before) / repeats for before, after in zip(first, both, strict=True))
    return Traffic(l2, l3 * LINE_BYTES)


def _misses(plugin: Path, command: Sequence[str], folder: Path) -> list[int]:
    return [int(line.split()[1]) for line in run_counted(plugin, command, folder)]
