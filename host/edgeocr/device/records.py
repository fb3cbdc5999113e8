"""The runner's records (cpp_runtime/PROTOCOL.md, protocol 1) as values.

Fields that a newer runner adds are ignored; one that is missing or of the wrong type raises RecordError, naming it. Times are
milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edgeocr.errors import DeviceError

PROTOCOL = 1

Point = tuple[float, float]  # numbers as the runner wrote them: today's are integers


class RecordError(DeviceError):
    """A line of the runner's output is not what the protocol says."""


@dataclass(frozen=True)
class HelloRecord:
    """The first record: who speaks."""

    protocol: int
    version: str
    arch: str
    isa: tuple[str, ...]
    threads: int


@dataclass(frozen=True)
class Line:
    """One line of text. ``box``: four corners, clockwise from top left, in pixels of the picture."""

    box: tuple[Point, Point, Point, Point]
    text: str
    score: float
    box_score: float
    cls_score: float  # probability of the winning direction; 0 without a classifier
    turned: bool
    kept: bool  # score >= drop_score
    rec_width: int


@dataclass(frozen=True)
class PictureRecord:
    """One reading of one picture. ``ms`` has decode, det_pre, det, det_post, crop, cls, rec, rec_per_box, total."""

    picture: str
    repeat: int
    size: tuple[int, int]  # width, height
    det_input: tuple[int, ...]  # N, C, H, W
    det_sum: float
    lines: tuple[Line, ...]
    ms: dict[str, float]


@dataclass(frozen=True)
class ErrorRecord:
    """A picture that could not be read."""

    picture: str
    message: str


@dataclass(frozen=True)
class BenchRecord:
    """Samples of one net, ``ms`` in the order in which they were taken."""

    model: str
    sha256: str
    input: tuple[int, ...]
    output: tuple[int, ...]
    threads: int
    ms: tuple[float, ...]
    load_ms: float
    macs: int
    arena_bytes: int
    weight_bytes: int
    peak_rss_bytes: int
    output_sum: float


@dataclass(frozen=True)
class NodeRecord:
    """One operator of a net's plan; ``ms`` is its mean under ``bench --profile``, None under ``info``.

    ``band_rows``: rows of its output that it computes before the next operator has its turn, 0: all.
    """

    index: int
    op: str
    kernel: str
    output: str  # "1x8x320x320"
    macs: int
    bytes: int
    band_rows: int
    ms: float | None = None


@dataclass(frozen=True)
class InfoRecord:
    """What a `.nb` file holds."""

    meta_version: int
    opt_version: str
    operators: dict[str, int]
    params: int
    weight_bytes: int
    feed: tuple[int, ...]
    precision: str


@dataclass(frozen=True)
class UnknownRecord:
    """A record of a type that this version does not know."""

    type: str
    fields: dict[str, Any] = field(default_factory=dict)


Record = HelloRecord | PictureRecord | ErrorRecord | BenchRecord | NodeRecord | InfoRecord | UnknownRecord


def parse_record(line: str | bytes) -> Record:
    """One line of the runner's stdout; RecordError where it is no record."""
    try:
        document = json.loads(line)
    except ValueError:
        raise RecordError(f"the runner wrote {_shorten(line)}, expected one JSON record") from None
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise RecordError(f"the runner wrote {_shorten(line)}, expected an object with a type")
    kind = document["type"]
    parser = _PARSERS.get(kind)
    if parser is None:
        return UnknownRecord(kind, document)
    return parser(_Fields(kind, document))


def _shorten(line: str | bytes) -> str:
    text = line.decode(errors="replace") if isinstance(line, bytes) else line
    text = text.rstrip("\r\n")
    return repr(text if len(text) <= 80 else text[:77] + "…")


class _Fields:
    """Typed access to one JSON object, with the record's name in every complaint."""

    def __init__(self, record: str, document: dict[str, Any]) -> None:
        self.record = record
        self.document = document

    def _get(self, name: str, expected: type | tuple[type, ...], what: str) -> Any:
        value = self.document.get(name)
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            shown = "missing" if name not in self.document else repr(value)
            raise RecordError(f"field {name} of the runner's {self.record} record is {shown}, expected {what}")
        return value

    def text(self, name: str) -> str:
        return str(self._get(name, str, "text"))

    def integer(self, name: str) -> int:
        return int(self._get(name, int, "an integer"))

    def number(self, name: str) -> float:
        return float(self._get(name, (int, float), "a number"))

    def flag(self, name: str) -> bool:
        return bool(self._get(name, bool, "true or false"))

    def array(self, name: str) -> list[Any]:
        value: list[Any] = self._get(name, list, "a list")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = self._get(name, dict, "an object")
        return value

    def numbers(self, name: str) -> tuple[float, ...]:
        return tuple(float(v) for v in self._checked(name, self.array(name), (int, float), "a list of numbers"))

    def integers(self, name: str) -> tuple[int, ...]:
        return tuple(int(v) for v in self._checked(name, self.array(name), int, "a list of integers"))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(str(v) for v in self._checked(name, self.array(name), str, "a list of texts"))

    def counts(self, name: str) -> dict[str, int]:
        mapping = self.mapping(name)
        self._checked(name, list(mapping.values()), int, "counts")
        return mapping

    def times(self, name: str) -> dict[str, float]:
        mapping = self.mapping(name)
        self._checked(name, list(mapping.values()), (int, float), "milliseconds")
        return {key: float(value) for key, value in mapping.items()}

    def objects(self, name: str, record: str) -> list[_Fields]:
        return [_Fields(record, v) for v in self._checked(name, self.array(name), dict, "a list of objects")]

    def _checked(self, name: str, values: list[Any], expected: type | tuple[type, ...], what: str) -> list[Any]:
        for value in values:
            if not isinstance(value, expected) or isinstance(value, bool):
                raise RecordError(f"field {name} of the runner's {self.record} record holds {value!r}, expected {what}")
        return values


def _hello(fields: _Fields) -> HelloRecord:
    # A runner of another protocol may have changed every other field: the caller judges the protocol first.
    protocol = fields.integer("protocol")
    if protocol != PROTOCOL:
        return HelloRecord(protocol, str(fields.document.get("version", "unknown")), "", (), 0)
    return HelloRecord(protocol, fields.text("version"), fields.text("arch"), fields.texts("isa"), fields.integer("threads"))


def _line(fields: _Fields) -> Line:
    corners = fields.array("box")
    if len(corners) != 4 or not all(isinstance(c, list) and len(c) == 2 and all(type(v) in (int, float) for v in c) for c in corners):
        raise RecordError(f"field box of the runner's {fields.record} record is {corners!r}, expected four corners [x, y]")
    a, b, c, d = ((x, y) for x, y in corners)
    return Line(
        box=(a, b, c, d),
        text=fields.text("text"),
        score=fields.number("score"),
        box_score=fields.number("box_score"),
        cls_score=fields.number("cls_score"),
        turned=fields.flag("turned"),
        kept=fields.flag("kept"),
        rec_width=fields.integer("rec_width"),
    )


def _picture(fields: _Fields) -> PictureRecord:
    size = fields.integers("size")
    if len(size) != 2:
        raise RecordError(f"field size of the runner's picture record is {list(size)}, expected [width, height]")
    return PictureRecord(
        picture=fields.text("picture"),
        repeat=fields.integer("repeat"),
        size=(size[0], size[1]),
        det_input=fields.integers("det_input"),
        det_sum=fields.number("det_sum"),
        lines=tuple(_line(line) for line in fields.objects("lines", "picture's line")),
        ms=fields.times("ms"),
    )


def _error(fields: _Fields) -> ErrorRecord:
    return ErrorRecord(str(fields.document.get("picture", "")), fields.text("message"))


def _bench(fields: _Fields) -> BenchRecord:
    return BenchRecord(
        model=fields.text("model"),
        sha256=fields.text("sha256"),
        input=fields.integers("input"),
        output=fields.integers("output"),
        threads=fields.integer("threads"),
        ms=fields.numbers("ms"),
        load_ms=fields.number("load_ms"),
        macs=fields.integer("macs"),
        arena_bytes=fields.integer("arena_bytes"),
        weight_bytes=fields.integer("weight_bytes"),
        peak_rss_bytes=fields.integer("peak_rss_bytes"),
        output_sum=fields.number("output_sum"),
    )


def _node(fields: _Fields) -> NodeRecord:
    return NodeRecord(
        index=fields.integer("index"),
        op=fields.text("op"),
        kernel=fields.text("kernel"),
        output=fields.text("output"),
        macs=fields.integer("macs"),
        bytes=fields.integer("bytes"),
        band_rows=fields.integer("band_rows"),
        ms=fields.number("ms") if "ms" in fields.document else None,
    )


def _info(fields: _Fields) -> InfoRecord:
    return InfoRecord(
        meta_version=fields.integer("meta_version"),
        opt_version=fields.text("opt_version"),
        operators=fields.counts("operators"),
        params=fields.integer("params"),
        weight_bytes=fields.integer("weight_bytes"),
        feed=fields.integers("feed"),
        precision=fields.text("precision"),
    )


_PARSERS: dict[str, Callable[[_Fields], Record]] = {
    "hello": _hello,
    "picture": _picture,
    "error": _error,
    "bench": _bench,
    "node": _node,
    "info": _info,
}
