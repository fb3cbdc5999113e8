"""Published figures (benchmarks/published/*.toml): data as printed, with their source; nothing here is computed from other rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from edgeocr.errors import ModelError
from edgeocr.paths import ROOT
from edgeocr.toml import read_toml

T = TypeVar("T")

FOLDER = ROOT / "benchmarks" / "published"
SCHEMA = 1


@dataclass(frozen=True)
class Detector:
    model: str
    accuracy: float
    ms: float


@dataclass(frozen=True)
class Recogniser:
    model: str
    accuracy: float
    ms_per_box: float


@dataclass(frozen=True)
class Row:
    """One row of the SlimOCR table. `variant` is the registry's name of the strategy."""

    number: int
    variant: str
    strategy: str
    detector: Detector
    recogniser: Recogniser
    total_ms: float
    size_mb: float
    speed_up_percent: float | None = None
    compression_percent: float | None = None


@dataclass(frozen=True)
class SlimOcr:
    title: str
    source: str
    device: str
    engine: str
    accuracy: str
    rows: tuple[Row, ...] = field(default=())


@dataclass(frozen=True)
class Figure:
    what: str
    source: str
    device: str | None = None
    ms: float | None = None
    size_mb: float | None = None


def slimocr(path: Path = FOLDER / "slimocr.toml") -> SlimOcr:
    """Raises `ModelError` naming file, row and field if the data are not as above."""
    document = _document(path)
    rows = tuple(_row(entry, f"{path}: row {index}") for index, entry in enumerate(_list(document, "row", path)))
    return _build(SlimOcr, document | {"rows": rows}, str(path))


def other_figures(path: Path = FOLDER / "pipelines.toml") -> list[Figure]:
    document = _document(path)
    return [_build(Figure, entry, f"{path}: figure {index}") for index, entry in enumerate(_list(document, "figure", path))]


def _document(path: Path) -> dict[str, Any]:
    document = read_toml(path)
    if document.pop("schema", None) != SCHEMA:
        raise ModelError(f"{path}: schema is missing or another, expected {SCHEMA}")
    return document


def _list(document: dict[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    entries = document.pop(name, None)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ModelError(f"{path}: {name} is {entries!r}, expected tables")
    return entries


def _row(entry: dict[str, Any], place: str) -> Row:
    detector = _build(Detector, entry.get("detector"), f"{place}: detector")
    recogniser = _build(Recogniser, entry.get("recogniser"), f"{place}: recogniser")
    return _build(Row, entry | {"detector": detector, "recogniser": recogniser}, place)


def _build(type_: Callable[..., T], values: Any, place: str) -> T:
    """The dataclass from a table with its fields' names; annotations here are texts such as "float | None"."""
    if not isinstance(values, dict):
        raise ModelError(f"{place} is {values!r}, expected a table")
    known = {item.name: str(item.type) for item in fields(type_)}  # type: ignore[arg-type]
    for name, value in values.items():
        if name not in known:
            raise ModelError(f"{place}: {name} is not a field, expected {', '.join(known)}")
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if ("float" in known[name] or known[name] == "int") and not is_number:
            raise ModelError(f"{place}: {name} is {value!r}, expected a number")
        if known[name].startswith("str") and not isinstance(value, str):
            raise ModelError(f"{place}: {name} is {value!r}, expected text")
    try:
        return type_(**values)
    except TypeError as error:
        raise ModelError(f"{place}: {str(error).split('__init__() ')[-1]}") from None
