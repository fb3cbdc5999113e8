"""How a run computes its nets, as options of `edgeocr bench` ask, and which records of nets are of the same arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeocr.convert import nbfile
from edgeocr.zoo.model_files import ModelFiles

EXACT, FAST, COMPOSED = "exact", "fast", "composed"
DYNAMIC = "dynamic int8"


@dataclass(frozen=True)
class Mode:
    """None: not asked for, each net is computed in what its file has, int8 with Paddle-Lite's bits."""

    precision: str | None = None  # fp32: that or nothing; fp16: fp32 nets in fp16
    int8: str | None = None  # exact, fast or composed
    dynamic_int8: bool = False  # large fp32 products of the recogniser in int8

    @property
    def name(self) -> str:
        """As headings have it; empty where nothing was asked for."""
        return ", ".join(filter(None, (self.precision, self.int8 and f"{self.int8} int8", DYNAMIC if self.dynamic_int8 else None)))

    def arguments(self) -> list[str]:
        """Options, as the commands take them."""
        precision = ["--precision", self.precision] if self.precision is not None else []
        int8 = ["--int8", self.int8] if self.int8 is not None else []
        return [*precision, *int8, *(["--dynamic-int8"] if self.dynamic_int8 else [])]

    def refused_net(self, models: ModelFiles) -> tuple[Path, str] | None:
        """The first net that the runner refuses to compute so, an int8 one, and the option that it contradicts."""
        for net in (models.detector, models.recogniser, models.classifier):
            precision, dynamic = self.precision is not None, self.dynamic_int8 and net == models.recogniser
            if net is not None and (precision or dynamic) and _has_int8(net):
                return net, f"--precision {self.precision}" if precision else "--dynamic-int8"
        return None

    def evaluated(self, kind: str, precision: str | None, int8: str | None, dynamic_int8: bool) -> bool:
        """Whether `edgeocr eval` with these options computes a ``kind`` (det or rec) as this run does."""
        same_int8 = _int8_of(kind, int8) == _int8_of(kind, self.int8) and (kind == "det" or dynamic_int8 == self.dynamic_int8)
        return same_int8 and (precision == "fp16") == (self.precision == "fp16")

    def estimated(self, kind: str) -> tuple[str, ...]:
        """The precisions of estimates (benchmarks/a76) that are of a ``kind`` as this run computes it."""
        if self.dynamic_int8 and kind == "rec":
            return (f"fp16 {DYNAMIC}" if self.precision == "fp16" else DYNAMIC,)
        if self.precision == "fp16":
            return ("fp16",)
        int8 = _int8_of(kind, self.int8)
        return ("fp32", "int8" if int8 == EXACT else f"int8 {int8}")


def _int8_of(kind: str, asked: str | None) -> str:
    """How int8 nets of a ``kind`` compute: only detectors have a pyramid to compose."""
    return FAST if asked == COMPOSED and kind != "det" else asked or EXACT


def _has_int8(net: Path) -> bool:
    return any(operator.attributes.get("enable_int8") for operator in nbfile.read(net).operators)
