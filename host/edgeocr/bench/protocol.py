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
    def samples_per_pass(self) -> int:
        return -(-self.samples // self.passes)

    @property
    def max_readings(self) -> int:
        """The most readings that a pass can take."""
        return self.max_warmups + self.samples_per_pass

    @property
    def label(self) -> str:
        """What is written beside every figure."""
        return "no speed: emulated" if self.kind == "emulated" else self.kind


PROTOCOLS: dict[Kind, Protocol] = {
    "phone": Protocol("phone", min_warmups=10, max_warmups=200, warmup_seconds=60, samples=100, sample_seconds=60, passes=2),
    "host": Protocol("host", min_warmups=2, max_warmups=2, warmup_seconds=20, samples=10, sample_seconds=10, passes=1),
    "emulated": Protocol("emulated", min_warmups=1, max_warmups=1, warmup_seconds=600, samples=3, sample_seconds=600, passes=1),
}


class Measurement:
    """One pass over one picture: takes readings as they come until warm-up and samples are complete."""

    def __init__(self, protocol: Protocol, clock: Callable[[], float] = time.monotonic) -> None:
        self.warmups: list[PictureRecord] = []
        self.samples: list[PictureRecord] = []
        self.settled = False  # the last five warm-ups agreed
        self._protocol = protocol
        self._clock = clock
        self._start = clock()  # of the warm-up, then of the samples
        self._warm = False

    @property
    def complete(self) -> bool:
        enough = len(self.samples) >= self._protocol.samples_per_pass
        return enough or (bool(self.samples) and self._elapsed() >= self._protocol.sample_seconds / self._protocol.passes)

    def take(self, record: PictureRecord) -> None:
        if self._warm:
            self.samples.append(record)
            return
        self.warmups.append(record)
        self.settled = agree([warmup.ms["total"] for warmup in self.warmups], AGREEING, WITHIN)
        if self._warmed_up():
            self._warm = True
            self._start = self._clock()

    def _warmed_up(self) -> bool:
        protocol = self._protocol
        if len(self.warmups) >= protocol.max_warmups or self._elapsed() >= protocol.warmup_seconds:
            return True
        return self.settled and len(self.warmups) >= protocol.min_warmups

    def _elapsed(self) -> float:
        return self._clock() - self._start
