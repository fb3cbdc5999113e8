"""From what the user named (a set and variant of the registry, or a folder) to the files of one reading, all here and all checked."""

from __future__ import annotations

from pathlib import Path

from edgeocr.convert.nbfile import read
from edgeocr.errors import ModelError, UsageError
from edgeocr.zoo.cache import Cache
from edgeocr.zoo.download import Opener, Progress, download, no_progress, open_https
from edgeocr.zoo.model_files import ModelFiles
from edgeocr.zoo.registry import FileEntry, ModelSet, Registry, load
from edgeocr.zoo.verify import check_dictionary, check_file


def resolve_models(
    set_name: str | None = None,
    variant: str | None = None,
    models_dir: Path | None = None,
    *,
    registry: Registry | None = None,
    cache: Cache | None = None,
    opener: Opener = open_https,
    progress: Progress = no_progress,
) -> ModelFiles:
    """The files of a folder, or of a registry set (None: the default set; its plain variant). Downloads what is pinned and not here.

    Raises `UsageError` if a folder and a set are both named, `ModelError` if a file is missing, several fit, or one is not what it must be.
    """
    if models_dir is not None:
        if set_name is not None or variant is not None:
            raise UsageError("--models names a folder, and --set or --variant a set of the registry: give one of them")
        return models_of_folder(models_dir)
    registry = registry or load()
    models = registry.find(set_name)
    chosen = variant or models.default_variant
    files = _variant_files(models, chosen)
    _refuse_unpinned(models, chosen, files)
    paths = _Fetcher(registry.path.parent, cache or Cache(), opener, progress).bring(files)
    return ModelFiles(
        name=models.name,
        variant=chosen,
        detector=paths["detector"],
        recogniser=paths["recogniser"],
        dictionary=paths["dictionary"],
        classifier=paths.get("classifier"),
    )


def models_of_folder(folder: Path) -> ModelFiles:
    """`*det*.nb`, `*rec*.nb`, perhaps one `*cls*.nb`, and one `*keys*.txt` or `*dict*.txt` that fits the recogniser."""
    detector = _one(folder, ["*det*.nb"])
    recogniser = _one(folder, ["*rec*.nb"])
    classifier = _at_most_one(folder, ["*cls*.nb"])
    dictionary = _one(folder, ["*keys*.txt", "*dict*.txt"])
    for model in (detector, classifier):
        if model is not None:
            read(model)
    check_dictionary(recogniser, dictionary)
    name = folder.resolve().name
    return ModelFiles(name=name, variant="", detector=detector, recogniser=recogniser, dictionary=dictionary, classifier=classifier)


def _matches(folder: Path, patterns: list[str]) -> list[Path]:
    if not folder.is_dir():
        raise ModelError(f"{folder}: is no folder, expected one with *det*.nb, *rec*.nb and a dictionary")
    return sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})


def _at_most_one(folder: Path, patterns: list[str]) -> Path | None:
    found = _matches(folder, patterns)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ModelError(f"{folder}: {len(found)} files match {' or '.join(patterns)} ({names}), expected 1")
    return found[0] if found else None


def _one(folder: Path, patterns: list[str]) -> Path:
    found = _at_most_one(folder, patterns)
    if found is None:
        raise ModelError(f"{folder}: no file matches {' or '.join(patterns)}, expected 1")
    return found


def _variant_files(models: ModelSet, variant: str) -> dict[str, FileEntry]:
    if variant not in models.variants:
        raise ModelError(f"model set {models.name}: variant {variant} is not built", f"variants: {', '.join(models.variants)}")
    return models.variants[variant]


def _refuse_unpinned(models: ModelSet, variant: str, files: dict[str, FileEntry]) -> None:
    unpinned = [entry for entry in files.values() if not entry.pinned]
    if unpinned:
        raise ModelError(
            f"model set {models.name}, variant {variant}: {len(unpinned)} of its files are unpinned (no sha256 is known): not downloaded",
            f"fetch them yourself into a folder and give it with --models: {' '.join(entry.url or '' for entry in unpinned)}",
        )


class _Fetcher:
    def __init__(self, checkout: Path, cache: Cache, opener: Opener, progress: Progress) -> None:
        self.checkout, self.cache, self.opener, self.progress = checkout, cache, opener, progress

    def bring(self, files: dict[str, FileEntry]) -> dict[str, Path]:
        """Role → path; every file is here and checked. Each address is asked once, whatever number of files it gives."""
        missing: dict[str, dict[Path, FileEntry]] = {}
        paths = {}
        for role, entry in files.items():
            if entry.path is not None:
                paths[role] = self._of_checkout(entry, self.checkout / entry.path)
                continue
            paths[role] = self.cache.place(entry)
            if self.cache.find(entry) is None and entry.url is not None:
                missing.setdefault(entry.url, {})[paths[role]] = entry
        for url, wanted in missing.items():
            self._download(url, wanted)
        return paths

    def _download(self, url: str, wanted: dict[Path, FileEntry]) -> None:
        try:
            download(url, wanted, self.opener, self.progress)
        except ModelError as error:
            places = " ".join(str(path) for path in wanted)
            raise ModelError(error.message, error.hint or f"put the files at {places}, or give a folder with --models") from error

    @staticmethod
    def _of_checkout(entry: FileEntry, path: Path) -> Path:
        if entry.sha256 is not None and entry.bytes is not None:
            try:
                check_file(path, entry.sha256, entry.bytes)
            except ModelError as error:
                raise ModelError(error.message, "the checkout's file is not the one that models/registry.toml names") from error
        return path
