"""Paddle-Lite's opt: an inference model → a `.nb` file for arm.

opt aborts the whole process on input that it does not like and writes its progress to file descriptors 1 and 2, so it runs in a child
process of the Paddle environment (``python -m edgeocr.convert.opt_child``).
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgeocr.convert.paddle_env import run_module
from edgeocr.errors import ModelError

TIMEOUT_S = 300.0
WeightBits = Literal[8, 16]

# `.nb`: u16 meta_version, then 16 bytes of opt's version, NUL terminated; u64 topology_size follows at 18.
_META_VERSION = 2
_VERSION_AT, _VERSION_END = 2, 18
_HEADER_BYTES = 26


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
        content, version = normalise(made.read_bytes(), source=what)
        made.write_bytes(content)
        os.replace(made, out)
    return Converted(out, version, json.loads(report)["paddlelite"])


def _arguments(model: Path, params: Path, out: Path, options: OptOptions) -> list[str | Path]:
    arguments: list[str | Path] = [model, params, out]
    if options.fp16:
        arguments.append("--fp16")
    if options.weight_bits is not None:
        arguments += ["--weight-bits", str(options.weight_bits)]
    return arguments


def normalise(content: bytes, *, source: str) -> tuple[bytes, str]:
    """The bytes of a `.nb` with those after the NUL of its version field zeroed, and that version.

    opt leaves stack garbage there; it is the only thing in which two conversions of one model differ.
    """
    if len(content) <= _HEADER_BYTES:
        raise ModelError(f"{source}: the file has {len(content)} bytes, expected a `.nb`")
    (meta_version,) = struct.unpack_from("<H", content)
    if meta_version != _META_VERSION:
        raise ModelError(f"{source}: meta_version is {meta_version}, expected {_META_VERSION}")
    field = content[_VERSION_AT:_VERSION_END]
    version, nul, _ = field.partition(b"\0")
    if not nul:
        raise ModelError(f"{source}: the version field has no NUL in its {len(field)} bytes")
    return content[:_VERSION_AT] + version.ljust(len(field), b"\0") + content[_VERSION_END:], version.decode("latin-1")
