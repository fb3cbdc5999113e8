"""Downloaded files, found by their sha256: CACHE/<sha256>/<name>. A file that is not what its folder says is moved aside and never used."""

from __future__ import annotations

import os
from pathlib import Path

from edgeocr.errors import ModelError
from edgeocr.paths import CACHE
from edgeocr.zoo.registry import FileEntry
from edgeocr.zoo.verify import check_file

REFUSED_SUFFIX = ".refused"


class Cache:
    def __init__(self, root: Path = CACHE) -> None:
        self.root = root

    def place(self, entry: FileEntry) -> Path:
        """Where the file of a pinned entry belongs, whether or not it is there."""
        if entry.sha256 is None:
            raise ModelError(f"{entry.url}: is unpinned, expected a sha256")
        return self.root / entry.sha256 / entry.file_name

    def find(self, entry: FileEntry) -> Path | None:
        """The file if it is there. A wrong one is renamed to `<name>.refused`, and that is a `ModelError`."""
        path = self.place(entry)
        if not path.is_file() or entry.sha256 is None or entry.bytes is None:
            return None
        try:
            check_file(path, entry.sha256, entry.bytes)
        except ModelError as error:
            aside = path.with_name(path.name + REFUSED_SUFFIX)
            os.replace(path, aside)
            raise ModelError(error.message, f"it was moved to {aside}; the next call downloads the file again") from error
        return path
