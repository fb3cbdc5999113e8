"""TOML files: the standard library's reader from Python 3.11 on, tomli before."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from edgeocr.errors import ModelError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]


def read_toml(path: Path) -> dict[str, Any]:
    """The document's top table. Raises `ModelError` if the file cannot be read or is not TOML."""
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: is not TOML: {error}") from None
    return document
