"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from edgeocr.errors import EdgeocrError


def write_atomically(path: Path, content: bytes) -> None:
    """Under a temporary name first, then renamed. Raises `EdgeocrError` if the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


def check_writable(folder: Path) -> None:
    """Raises `EdgeocrError` if `write_atomically` could write no file there. A folder that does not exist is not made."""
    nearest = folder.absolute()
    while not os.path.exists(nearest):
        nearest = nearest.parent
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(path: Path, error: OSError) -> EdgeocrError:
    return EdgeocrError(f"{path}: cannot be written: {error.strerror or error}")
