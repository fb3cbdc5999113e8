"""How a run computes its nets, as --precision and --int8 of `edgeocr bench` ask, and which records of nets are of the same arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeocr.convert import nbfile
from edgeocr.zoo.model_files import ModelFiles

FAST = "fast"


@dataclass(frozen=True)
class Mode:
    """None: not asked for, each net is computed in what its file has, int8 with Paddle-Lite's bits."""

    precision: str | None = None  # fp32: that or nothing; fp16: fp32 nets in fp16
    int8: str | None = None  # exact or fast

    @property
    def name(self) -> str:
        """As headings have it; empty where nothing was asked for."""
        return ", ".join(filter(None, (self.precision, self.int8 and f"{self.int8} int8")))

    def arguments(self) -> list[tuple[str, str]]:
        """Options and their values, as the commands take them."""
        return [(option, value) for option, value in (("precision", self.precision), ("int8", self.int8)) if value is not None]

    def refused_net(self, models: ModelFiles) -> Path | None:
        """The first net that the runner refuses to compute so: an int8 one where a precision was asked for."""
        nets = [path for path in (models.detector, models.recogniser, models.classifier) if path is not None]
        return next((path for path in nets if self.precision is not None and _has_int8(path)), None)

    def evaluated(self, kind: str, precision: str | None, int8: str | None) -> bool:
        """Whether `edgeocr eval` with these options computes a ``kind`` (det or rec) as this run does."""
        same_int8 = kind != "det" or (int8 == FAST) == (self.int8 == FAST)  # recognisers have one way only
        return same_int8 and (precision == "fp16") == (self.precision == "fp16")

    def estimated(self, kind: str) -> tuple[str, ...]:
        """The precisions of estimates (benchmarks/a76) that are of a ``kind`` as this run computes it."""
        if self.precision == "fp16":
            return ("fp16",)
        return ("fp32", "int8 fast" if self.int8 == FAST and kind == "det" else "int8")


def _has_int8(net: Path) -> bool:
    return any(operator.attributes.get("enable_int8") for operator in nbfile.read(net).operators)
