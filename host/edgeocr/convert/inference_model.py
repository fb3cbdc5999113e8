"""Where a Paddle inference model lies: two files of one stem, NAME.pdmodel and NAME.pdiparams. Nothing here needs Paddle."""

from __future__ import annotations

from pathlib import Path

from edgeocr.errors import ModelError

PROGRAM, PARAMETERS = ".pdmodel", ".pdiparams"


def find_model(path: Path) -> Path:
    """The prefix, without suffix, of the model in a folder or of one of its two files. Raises ModelError."""
    prefix = _in_folder(path) if path.is_dir() else path.with_suffix("") if path.suffix in (PROGRAM, PARAMETERS) else path
    for suffix in (PROGRAM, PARAMETERS):
        file = with_suffix(prefix, suffix)
        if not file.is_file() or not file.stat().st_size:
            raise ModelError(f"{file}: no such file, or empty; an inference model has a {PROGRAM} and a {PARAMETERS}")
    return prefix


def with_suffix(prefix: Path, suffix: str) -> Path:
    """``prefix`` may have dots of its own: ch_ppocr_mobile_v2.0_det_infer."""
    return prefix.with_name(prefix.name + suffix)


def _in_folder(folder: Path) -> Path:
    programs = sorted(folder.glob(f"*{PROGRAM}"))
    if not programs:
        raise ModelError(f"{folder}: has no *{PROGRAM}, expected an inference model", "PaddleOCR's come in .tar archives: unpack it first")
    if len(programs) > 1:
        names = ", ".join(file.name for file in programs)
        raise ModelError(f"{folder}: has {len(programs)} files *{PROGRAM} ({names}), expected 1", "name the one that is meant")
    return programs[0].with_suffix("")
