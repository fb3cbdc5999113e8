"""How often a picture is read before a time counts, and how many times are taken: by the kind of the device.

phone     warm up until the last five agree within 3 % (at least 10 readings, at most 60 s), then 100 samples or 60 s, in two passes: the
          variants are measured A B C … C B A, so that a drift of the clock or the temperature does not favour one of them
host      a short protocol: the figures say something of this machine only
emulated  one warm-up and three samples: instructions are translated, so the times are no speed; they only show that everything ran
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from edgeocr.bench.statistics import agree
from edgeocr.device.device import Kind
from edgeocr.device.records import PictureRecord

AGREEING = 5
WITHIN = 0.03


@dataclass(frozen=True)
class Protocol:
    kind: Kind
    min_warmups: int
    max_warmups: int
    warmup_seconds: float
    samples: int
    sample_seconds: float
    passes: int

    @property
    def label(self) -> str:
        """What is written beside every figure."""
        return "no speed: emulated" if self.kind == "emulated" else self.kind


PROTOCOLS: dict[Kind, Protocol] = {
    "phone": Protocol("phone", min_warmups=10, max_warmups=200, warmup_seconds=60, samples=100, sample_seconds=60, passes=2),
    "host": Protocol("host", min_warmups=2, max_warmups=2, warmup_seconds=20, samples=10, sample_seconds=10, passes=1),
    "emulated": Protocol("emulated", min_warmups=1, max_warmups=1, warmup_seconds=600, samples=3, sample_seconds=600, passes=1),
}


@dataclass
class Measurement:
    """Readings of one picture by one variant, in the order in which they were taken; `settled`: whether every warm-up came to agree."""

    warmups: list[PictureRecord]
    samples: list[PictureRecord]
    settled: bool


def measure(
    read: Callable[[], PictureRecord],
    protocol: Protocol,
    on_reading: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
) -> Measurement:
    """One pass over one picture: warm-up, then this pass's share of the samples. `read` reads the picture once on the device."""
    warmups: list[PictureRecord] = []
    start = clock()
    settled = False
    while len(warmups) < protocol.max_warmups and (not warmups or clock() - start < protocol.warmup_seconds):
        warmups.append(read())
        on_reading()
        settled = agree([record.ms["total"] for record in warmups], AGREEING, WITHIN)
        if len(warmups) >= protocol.min_warmups and (settled or protocol.min_warmups == protocol.max_warmups):
            break
    samples: list[PictureRecord] = []
    start = clock()
    wanted = -(-protocol.samples // protocol.passes)
    while len(samples) < wanted and (not samples or clock() - start < protocol.sample_seconds / protocol.passes):
        samples.append(read())
        on_reading()
    return Measurement(warmups, samples, settled)
