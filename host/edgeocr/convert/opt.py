"""Paddle-Lite's opt: an inference model → a `.nb` file for arm.

opt aborts the whole process on input that it does not like and writes its progress to file descriptors 1 and 2, so it runs in a child
process of the Paddle environment (``python -m edgeocr.convert.opt_child``).
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgeocr.convert import nbfile
from edgeocr.convert.paddle_env import run_module
from edgeocr.errors import ModelError

TIMEOUT_S = 300.0
WeightBits = Literal[8, 16]


@dataclass(frozen=True)
class OptOptions:
    fp16: bool = False  # kernels for fp16 arithmetic; the file's weights stay fp32
    weight_bits: WeightBits | None = None  # weight-only quantisation; kernels stay fp32


@dataclass(frozen=True)
class Converted:
    path: Path
    opt_version: str  # as the file says: "v2.13-rc"
    paddlelite: str  # the wheel's version


def convert(prefix: Path, out: Path, options: OptOptions | None = None, *, timeout_s: float = TIMEOUT_S) -> Converted:
    """Converts ``prefix``.pdmodel + .pdiparams to ``out`` for arm: the same bytes every time, replaced in one step or left alone.

    Raises ModelError for what opt refuses (its signal and last words are in the message), SetupError without a Paddle environment.
    """
    model, params = prefix.with_name(prefix.name + ".pdmodel"), prefix.with_name(prefix.name + ".pdiparams")
    for file in (model, params):
        if not file.is_file() or not file.stat().st_size:
            raise ModelError(f"{file}: no such file, or empty; opt needs an inference model (.pdmodel and .pdiparams)")
    out.parent.mkdir(parents=True, exist_ok=True)
    what = f"opt of {model.name}"
    with tempfile.TemporaryDirectory(prefix=".opt-", dir=out.parent) as scratch:
        made = Path(scratch) / "model.nb"
        arguments = _arguments(model, params, made, options or OptOptions())
        report = run_module("edgeocr.convert.opt_child", arguments, what=what, timeout_s=timeout_s)
        if not made.is_file():
            raise ModelError(f"{what}: wrote no file")
        # opt leaves stack garbage behind the version, the only thing in which two conversions of one model differ.
        content = nbfile.normalised(made.read_bytes())
        parsed = nbfile.parse(content, f"{what}: the file it wrote")
        made.write_bytes(content)
        os.replace(made, out)
    return Converted(out, parsed.opt_version, json.loads(report)["paddlelite"])


def _arguments(model: Path, params: Path, out: Path, options: OptOptions) -> list[str | Path]:
    arguments: list[str | Path] = [model, params, out]
    if options.fp16:
        arguments.append("--fp16")
    if options.weight_bits is not None:
        arguments += ["--weight-bits", str(options.weight_bits)]
    return arguments
