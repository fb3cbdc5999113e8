"""A net and its weights → a Paddle inference model that Paddle-Lite's opt takes. Runs in the Paddle environment.

As a program: ``python -m edgeocr.convert.export NET.json OUT_DIR``, where NET.json is {"architecture": …, "weights": path,
"input": [null, 3, 32, null], "pruned": true, "quantised": true}; without the last two the weights tell. It writes
OUT_DIR/inference.pdmodel and .pdiparams and prints {"paddle": version}; on failure the exit code is 1 and stderr has a line "error: …".
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import paddle
from paddle import nn
from paddle.static import InputSpec

from edgeocr.child import run_as_program
from edgeocr.compress.export import save_quantised
from edgeocr.compress.pact import holds_scales, load_quantised
from edgeocr.convert import program
from edgeocr.nets.base_model import build_model
from edgeocr.nets.checkpoint import load_checkpoint, read_pdparams
from edgeocr.nets.pruned import load_pruned_checkpoint

INPUT_NAME = "x"
STEM = "inference"


def export_inference_model(net: nn.Layer, input_shape: Sequence[int | None], out_dir: Path, *, rewritten: bool = True) -> Path:
    """Writes ``out_dir``/inference.pdmodel and .pdiparams for inputs [N,C,H,W], None for a dynamic size; returns the common prefix.

    ``rewritten=False`` leaves the program as Paddle writes it, which is how other people's Paddle 2.6 exports look.
    The net's parameters keep the numbers that they got when it was built: build it under ``paddle.utils.unique_name.guard()`` for a file
    that does not depend on what else the process has built.
    """
    net.eval()
    out_dir.mkdir(parents=True, exist_ok=True)
    prefix = out_dir / STEM
    # The guard: names of intermediate results start at 0 whatever was traced before.
    with paddle.utils.unique_name.guard():
        paddle.jit.save(net, str(prefix), input_spec=[InputSpec(list(input_shape), "float32", name=INPUT_NAME)])
    _finish(prefix, rewritten=rewritten)
    return prefix


def export_quantised_model(net: nn.Layer, weights: Path, input_shape: Sequence[int | None], out_dir: Path) -> Path:
    """As `export_inference_model`, of the net of an architecture and the weights and scales of its quantised, perhaps pruned, self."""
    out_dir.mkdir(parents=True, exist_ok=True)
    prefix = out_dir / STEM
    save_quantised(*load_quantised(net, weights), input_shape, prefix, INPUT_NAME)
    _finish(prefix, rewritten=True)
    pdmodel = prefix.with_suffix(".pdmodel")
    pdmodel.write_bytes(program.settle(pdmodel.read_bytes()))
    return prefix


def _finish(prefix: Path, *, rewritten: bool) -> None:
    prefix.with_suffix(".pdiparams.info").unlink(missing_ok=True)  # names for resuming training only
    if rewritten:
        pdmodel = prefix.with_suffix(".pdmodel")
        pdmodel.write_bytes(program.rewrite(pdmodel.read_bytes()))


def main(arguments: Sequence[str]) -> None:
    spec_file, out_dir = map(Path, arguments)
    spec = json.loads(spec_file.read_text())
    with paddle.utils.unique_name.guard():
        net = build_model(spec["architecture"])
    weights = Path(spec["weights"])
    with stdout_on_stderr():
        if spec["quantised"] if "quantised" in spec else holds_scales(read_pdparams(weights)):
            export_quantised_model(net, weights, spec["input"], out_dir)
        else:
            (load_pruned_checkpoint if spec.get("pruned", True) else load_checkpoint)(net, weights)
            export_inference_model(net, spec["input"], out_dir)
    print(json.dumps({"paddle": paddle.__version__}))


class stdout_on_stderr:
    """Paddle's C++ side writes to file descriptor 1, which belongs to the report."""

    def __enter__(self) -> None:
        sys.stdout.flush()
        self.saved = os.dup(1)
        os.dup2(2, 1)

    def __exit__(self, *exc: object) -> None:
        os.dup2(self.saved, 1)
        os.close(self.saved)


if __name__ == "__main__":
    run_as_program(main, sys.argv[1:])
