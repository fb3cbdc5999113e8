"""manifest.json: which files a build made, from what and by which versions. It holds no times and no paths, so that a build repeats it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeocr.errors import ModelError
from edgeocr.zoo.verify import sha256_of

MANIFEST = "manifest.json"
SCHEMA = 1


@dataclass(frozen=True)
class FileRecord:
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileRecord:
        return cls(path.stat().st_size, sha256_of(path))


@dataclass(frozen=True)
class Manifest:
    set: str
    variant: str
    command: str
    files: dict[str, FileRecord]  # what was made, by name in the manifest's folder
    sources: dict[str, FileRecord]  # what it was made from, by name in the set's folder
    versions: dict[str, str]  # edgeocr, paddle, paddlelite, opt

    def write(self, path: Path) -> None:
        document = {"schema": SCHEMA, **asdict(self)}
        path.write_text(json.dumps(document, indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Raises ModelError where the file is missing or not a manifest of this schema."""
        try:
            document = json.loads(path.read_text())
        except OSError as e:
            raise ModelError(f"{path}: cannot be read: {e.strerror}") from e
        except ValueError as e:
            raise ModelError(f"{path}: not JSON: {e}") from e
        if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
            raise ModelError(f"{path}: not a manifest of schema {SCHEMA}")
        try:
            for part in ("files", "sources"):
                document[part] = {name: FileRecord(**record) for name, record in document[part].items()}
            return cls(**document)
        except (AttributeError, KeyError, TypeError) as e:
            raise ModelError(f"{path}: not a manifest of schema {SCHEMA}: {_reason(e)}") from e


def _reason(error: Exception) -> Any:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else error
