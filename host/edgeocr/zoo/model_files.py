"""The files that one reading needs, wherever they come from (registry, cache, a folder of the user's)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModelFiles:
    """A detector, a recogniser and its dictionary, optionally a direction classifier; all exist on this machine."""

    name: str  # the set's name in models/registry.toml, or the folder's
    variant: str  # "none", "pact", "prune", "prune+pact"; "" for a folder
    detector: Path
    recogniser: Path
    dictionary: Path
    classifier: Path | None = None

    def paths(self) -> list[Path]:
        return [p for p in (self.detector, self.classifier, self.recogniser, self.dictionary) if p is not None]
