"""One net made from its weights: export in the Paddle environment, conversion by Paddle-Lite's opt, what no loader reads dropped."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeocr.convert import opt
from edgeocr.convert.nb_writer import minimise
from edgeocr.convert.paddle_env import run_module

EXPORT_TIMEOUT_S = 300.0
STEPS_PER_NET = 2  # export, conversion


@dataclass(frozen=True)
class MadeNet:
    nb: bytes
    versions: dict[str, str]  # of what made it


def make_net(description: Mapping[str, Any], *, called: str, file: str, on_step: Callable[[str], None]) -> MadeNet:
    """The net that ``description`` (see convert/export.py) tells of.

    ``called`` and ``file`` are what errors call the net and its `.nb`; ``on_step`` hears "export" and "opt" right before them. Raises
    ModelError for weights that do not fit or a conversion that fails, SetupError without a Paddle environment.
    """
    with tempfile.TemporaryDirectory(prefix="edgeocr-export-") as scratch:
        exported, spec = Path(scratch) / "net", Path(scratch) / "net.json"
        spec.write_text(json.dumps(description))
        on_step("export")
        report = run_module("edgeocr.convert.export", [spec, exported], what=f"export of {called}", timeout_s=EXPORT_TIMEOUT_S)
        on_step("opt")
        made = convert_to_nb(exported / "inference", file)
    return MadeNet(made.nb, {**json.loads(report), **made.versions})


def convert_to_nb(prefix: Path, file: str) -> MadeNet:
    """An inference model, ``prefix``.pdmodel and .pdiparams, converted. Raises as `make_net`."""
    with tempfile.TemporaryDirectory(prefix="edgeocr-opt-") as scratch:
        by = opt.convert(prefix, Path(scratch) / "net.nb")
        return MadeNet(minimise(by.path.read_bytes(), file), {"paddlelite": by.paddlelite, "opt": by.opt_version})
