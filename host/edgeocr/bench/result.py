"""One benchmark run as data: what was read, every sample, and the sha256 of everything that the figures belong to.

The JSON is the dataclasses below, field by field. `binding` is the sha256 of runner, models, dictionary, pictures and settings together:
two results may be compared only where the device and all but one of the bound things are the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeocr.bench.accuracy import Accuracy
from edgeocr.bench.mode import Mode
from edgeocr.bench.statistics import Summary
from edgeocr.device.device import Kind
from edgeocr.files import write_atomically
from edgeocr.zoo.verify import sha256_of

SCHEMA = 1


@dataclass(frozen=True)
class BoundFile:
    name: str
    sha256: str
    bytes: int

    @classmethod
    def of(cls, path: Path) -> BoundFile:
        return cls(path.name, sha256_of(path), path.stat().st_size)


@dataclass(frozen=True)
class DeviceFacts:
    """`before` and `after`: the device's state around the run (edgeocr.device.preflight), "unavailable" where it does not tell."""

    serial: str
    kind: Kind
    properties: dict[str, str]
    before: dict[str, object]
    after: dict[str, object]


@dataclass(frozen=True)
class RunnerFacts:
    file: BoundFile
    version: str
    protocol: int
    arch: str
    isa: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    threads: int
    cpu_mask: str | None  # hexadecimal, as the device confirmed it; None: left to the scheduler
    fixed_performance: bool  # Android's mode was on
    min_warmups: int
    samples: int
    sample_seconds: float
    passes: int
    mode: Mode


@dataclass(frozen=True)
class ReadLine:
    box: tuple[tuple[float, float], ...]
    text: str
    score: float
    turned: bool
    kept: bool


@dataclass(frozen=True)
class PictureResult:
    """One picture by one variant. `samples` and `summary` hold milliseconds by stage (PROTOCOL.md); nothing is dropped."""

    picture: str
    size: tuple[int, int]
    det_input: tuple[int, ...]
    warmups: int
    settled: bool  # the last five warm-ups agreed within 3 %
    same_text: bool  # every sample gave the same lines
    samples: dict[str, list[float]]
    summary: dict[str, Summary]
    lines: tuple[ReadLine, ...]
    accuracy: Accuracy | None  # None: the picture has no labels


@dataclass(frozen=True)
class VariantResult:
    set: str  # of a folder of the user's its name
    variant: str  # empty for such a folder
    files: dict[str, BoundFile]  # detector, classifier, recogniser, dictionary
    pictures: tuple[PictureResult, ...]
    unquantised_lstm_bytes: int = 0  # of the recogniser's file, where the rest of it is quantised

    @property
    def name(self) -> str:
        return self.variant or self.set

    @property
    def title(self) -> str:
        return f"{self.set} ({self.variant})" if self.variant else self.set

    def model_bytes(self) -> int:
        """Bytes of detector and recogniser, as the published sizes count."""
        return self.files["detector"].bytes + self.files["recogniser"].bytes

    def mean_of_medians(self, stage: str) -> float | None:
        """Milliseconds of a stage: the median of each picture, averaged over the pictures that have the stage."""
        medians = [picture.summary[stage].median for picture in self.pictures if stage in picture.summary]
        return sum(medians) / len(medians) if medians else None

    def exact(self) -> Accuracy | None:
        """Over all labelled pictures."""
        scored = [picture.accuracy for picture in self.pictures if picture.accuracy is not None]
        return Accuracy(sum(a.exact for a in scored), sum(a.lines for a in scored)) if scored else None


@dataclass(frozen=True)
class BenchResult:
    taken_at: str  # UTC, ISO 8601
    edgeocr_version: str
    device: DeviceFacts
    label: str  # "phone", "host" or "no speed: emulated"
    runner: RunnerFacts
    settings: Settings
    pictures: tuple[BoundFile, ...]
    variants: tuple[VariantResult, ...]
    not_built: tuple[str, ...]

    def binding(self) -> str:
        """sha256 over everything that the figures belong to."""
        bound = {
            "runner": self.runner.file.sha256,
            "models": [{role: file.sha256 for role, file in variant.files.items()} for variant in self.variants],
            "pictures": [picture.sha256 for picture in self.pictures],
            "settings": asdict(self.settings),
        }
        return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        return {"schema": SCHEMA, "binding": self.binding(), **asdict(self)}

    def stem(self) -> str:
        """File name without suffix: device and time."""
        serial = re.sub(r"[^A-Za-z0-9._-]+", "_", self.device.serial)
        return f"{serial}-{re.sub('[-:]', '', self.taken_at)}"


def write_result(result: BenchResult, folder: Path) -> Path:
    path = folder / f"{result.stem()}.json"
    write_atomically(path, json.dumps(result.document(), ensure_ascii=False, indent=1).encode())
    return path


def stage_samples(readings: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """Stage → its samples, for the stages that every reading has."""
    stages = set(readings[0]).intersection(*readings[1:]) if readings else set()
    return {stage: [reading[stage] for reading in readings] for stage in sorted(stages)}
