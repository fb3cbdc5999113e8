"""The label files that a configuration names: whether they are there, and what draws them. Nothing here needs Paddle."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from edgeocr.errors import UsageError
from edgeocr.train.config import TrainConfig

LABELS = "labels.txt"  # of a dataset folder
OPTIONS = {"Train": "--data", "Eval": "--val"}  # of `edgeocr train`, by what they change


def require_label_files(config: TrainConfig, sections: Iterable[str] = OPTIONS) -> None:
    """Raises UsageError for the first one of these sections that is missing, with the command that draws it where one can."""
    for section in sections:
        data = config.Train if section == "Train" else config.Eval
        for file in data.label_file_list if data else ():
            if file.is_file():
                continue
            hint = f"name another in {section}.label_file_list, or for `edgeocr train` by {OPTIONS[section]}"
            if file.name == LABELS and not _in_use(file.parent):
                draw = f"edgeocr synth {config.model_type} {_drawn_as(section, config.model_type)} --out {shlex.quote(str(file.parent))}"
                hint = f"`{draw}` draws one; or {hint}"
            raise UsageError(f"{file}: no such label file", hint)


def _drawn_as(section: str, kind: str) -> str:
    """With a seed of its own for Eval: by that of Train it would be the first pictures of the training."""
    return "--count 2000" if section == "Train" else f"--count {60 if kind == 'det' else 500} --seed 2"


def _in_use(folder: Path) -> bool:
    """Whether `edgeocr synth` would refuse to make it."""
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
