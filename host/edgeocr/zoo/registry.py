"""models/registry.toml as typed data: which model sets exist, where their files come from, what their bytes must be.

A file is either in the checkout (`path`, relative to the folder of registry.toml) or at an address (`url`, https; with `member`, the name
of the file inside the tar archive there). `sha256` and `bytes` pin it; a file without them is unpinned and is never downloaded.
Every defect is a `ModelError`: "<registry>: <entry>: <field> is X, expected Y".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edgeocr.errors import ModelError
from edgeocr.paths import MODELS
from edgeocr.toml import read_toml

REGISTRY = MODELS / "registry.toml"
SCHEMA = 1
ROLES = ("detector", "classifier", "recogniser", "dictionary")
REQUIRED_ROLES = ("detector", "recogniser", "dictionary")
VARIANTS = ("none", "pact", "prune", "prune+pact")
MAX_FILE_BYTES = 256 << 20


@dataclass(frozen=True)
class FileEntry:
    """One file of a variant. Pinned if both `sha256` and `bytes` are known."""

    path: str | None
    url: str | None
    member: str | None
    sha256: str | None
    bytes: int | None

    @property
    def pinned(self) -> bool:
        return self.sha256 is not None and self.bytes is not None

    @property
    def file_name(self) -> str:
        return PurePosixPath(self.path or self.member or self.url or "").name


@dataclass(frozen=True)
class Reading:
    """How large a picture is read, and what counts as found: parameters of the runner, by PaddleOCR's names."""

    limit_side_len: int
    det_db_thresh: float
    det_db_box_thresh: float
    det_db_unclip_ratio: float
    cls_thresh: float
    drop_score: float


@dataclass(frozen=True)
class ModelSet:
    name: str
    title: str
    licence: str
    origin: str
    reading: Reading
    variants: dict[str, dict[str, FileEntry]]  # variant → role → file

    @property
    def default_variant(self) -> str:
        return "none" if "none" in self.variants else next(iter(self.variants))


@dataclass(frozen=True)
class Registry:
    path: Path
    default_set: str
    sets: dict[str, ModelSet]

    def find(self, set_name: str | None) -> ModelSet:
        """The set of that name, or the default one."""
        name = set_name or self.default_set
        if name not in self.sets:
            raise ModelError(f"{self.path}: has no model set {name}", f"sets: {', '.join(self.sets)}")
        return self.sets[name]


def load(path: Path = REGISTRY) -> Registry:
    return _read_registry(_Entry(read_toml(path), str(path)), path)


class _Entry:
    """A table of the document that knows its place and rejects what is missing, misspelt or of the wrong type."""

    def __init__(self, values: Any, place: str) -> None:
        self.place = place
        if not isinstance(values, dict):
            raise self.fail(f"is {values!r}, expected a table")
        self.values: dict[str, Any] = values

    def fail(self, message: str) -> ModelError:
        return ModelError(f"{self.place}: {message}")

    def allow(self, *fields: str) -> None:
        for name in self.values:
            if name not in fields:
                raise self.fail(f"{name} is not a field, expected {', '.join(fields)}")

    def entry(self, name: str) -> _Entry:
        if name not in self.values:
            raise self.fail(f"{name} is missing")
        return _Entry(self.values[name], f"{self.place}: {name}")

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise self.fail(f"{name} is {value!r}, expected text")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if name in self.values else None

    def integer(self, name: str, least: int, most: int) -> int:
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.fail(f"{name} is {value!r}, expected an integer from {least} to {most}")
        return value

    def number(self, name: str, least: float, most: float) -> float:
        value = self.values.get(name)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value <= most:
            raise self.fail(f"{name} is {value!r}, expected a number from {least} to {most}")
        return float(value)


def _read_registry(root: _Entry, path: Path) -> Registry:
    root.allow("schema", "default", "reading", "set")
    if root.values.get("schema") != SCHEMA:
        raise root.fail(f"schema is {root.values.get('schema')!r}, expected {SCHEMA}")
    tables = root.entry("reading")
    readings = {name: _read_reading(tables.entry(name)) for name in tables.values}
    entries = root.entry("set")
    sets = {name: _read_set(name, entries.entry(name), readings) for name in entries.values}
    default = root.text("default")
    if default not in sets:
        raise root.fail(f"default is {default!r}, expected one of {', '.join(sets)}")
    return Registry(path, default, sets)


def _read_reading(entry: _Entry) -> Reading:
    entry.allow(*Reading.__dataclass_fields__)
    return Reading(
        limit_side_len=entry.integer("limit_side_len", 32, 4096),
        det_db_thresh=entry.number("det_db_thresh", 0, 1),
        det_db_box_thresh=entry.number("det_db_box_thresh", 0, 1),
        det_db_unclip_ratio=entry.number("det_db_unclip_ratio", 0.1, 10),
        cls_thresh=entry.number("cls_thresh", 0, 1),
        drop_score=entry.number("drop_score", 0, 1),
    )


def _read_set(name: str, entry: _Entry, readings: dict[str, Reading]) -> ModelSet:
    entry.allow("title", "licence", "origin", "reading", "variant")
    reading = entry.text("reading")
    if reading not in readings:
        raise entry.fail(f"reading is {reading!r}, expected one of {', '.join(readings)}")
    tables = entry.entry("variant")
    for variant in tables.values:
        if variant not in VARIANTS:
            raise tables.fail(f"{variant} is not a variant, expected one of {', '.join(VARIANTS)}")
    if not tables.values:
        raise entry.fail("variant is empty, expected at least one")
    variants = {variant: _read_variant(tables.entry(variant)) for variant in tables.values}
    return ModelSet(name, entry.text("title"), entry.text("licence"), entry.text("origin"), readings[reading], variants)


def _read_variant(entry: _Entry) -> dict[str, FileEntry]:
    entry.allow(*ROLES)
    for role in REQUIRED_ROLES:
        entry.entry(role)
    return {role: _read_file(entry.entry(role)) for role in ROLES if role in entry.values}


def _read_file(entry: _Entry) -> FileEntry:
    entry.allow("path", "url", "member", "sha256", "bytes")
    path, url, member = entry.optional_text("path"), entry.optional_text("url"), entry.optional_text("member")
    if (path is None) == (url is None):
        raise entry.fail("has both path and url, expected one" if path else "has neither path nor url, expected one")
    if path is not None:
        _check_relative(entry, "path", path)
    if url is not None and not url.startswith("https://"):
        raise entry.fail(f"url is {url!r}, expected one that begins with https://")
    if member is not None:
        if url is None or not is_archive(url):
            raise entry.fail("member is given, expected it only with the url of a .tar or .tar.gz")
        _check_relative(entry, "member", member)
    elif url is not None and is_archive(url):
        raise entry.fail("member is missing, expected the file's name inside the archive")
    sha256 = entry.optional_text("sha256")
    if sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise entry.fail(f"sha256 is {sha256!r}, expected 64 lower-case hexadecimal digits")
    size = entry.integer("bytes", 1, MAX_FILE_BYTES) if "bytes" in entry.values else None
    if (sha256 is None) != (size is None):
        raise entry.fail("has one of sha256 and bytes, expected both or neither")
    if path is not None and sha256 is None:
        raise entry.fail("sha256 is missing, expected it for every file of the checkout")
    return FileEntry(path, url, member, sha256, size)


def is_archive(url: str) -> bool:
    return url.endswith((".tar", ".tar.gz"))


def _check_relative(entry: _Entry, field: str, value: str) -> None:
    pure = PurePosixPath(value)
    if pure.is_absolute() or ".." in pure.parts or "\\" in value:
        raise entry.fail(f"{field} is {value!r}, expected a relative path without ..")
