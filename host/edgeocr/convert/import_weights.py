"""A Paddle inference model → the weights of our net, to be trained on. Runs in the Paddle environment.

As a program: ``python -m edgeocr.convert.import_weights SPEC.json OUT.pdparams``, where SPEC.json is {"architecture": …, "model": prefix,
"input": [null, 3, 32, null]}. It writes OUT.pdparams and prints an `Imported` as JSON; on failure the exit code is 1 and stderr has a line
"error: …".
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import paddle
from paddle import nn

from edgeocr.child import run_as_program
from edgeocr.convert.export import export_inference_model, stdout_on_stderr
from edgeocr.convert.inference_model import PARAMETERS, PROGRAM, find_model, with_suffix
from edgeocr.convert.matching import Program, another_architecture, match_parameters
from edgeocr.errors import ModelError
from edgeocr.nets.base_model import build_model
from edgeocr.nets.checkpoint import State, load_state
from edgeocr.nets.pruned import shrink_to
from edgeocr.train.checkpoint import save_weights

Array = npt.NDArray[np.float32]
InputShape = Sequence[int | None]

TRAINING_ONLY = ("head.thresh.",)  # what no inference model has
TRIED = {0: 1, 2: 64, 3: 96}  # sizes where the input may have any: pictures, height, width
RELATIVE, ABSOLUTE = 1e-3, 1e-6  # what outputs may differ by; relative: a map of background is small everywhere


@dataclass(frozen=True)
class Imported:
    """``taken`` tensors came from the model, the ``initialised`` ones have random values; ``difference`` is the largest between the
    outputs of model and net on one noise; ``pruned``: the model has fewer channels than its architecture."""

    taken: int
    initialised: list[str]
    pruned: bool
    difference: float


def import_weights(net: nn.Layer, prefix: Path, input_shape: InputShape) -> Imported:
    """Loads the inference model ``prefix`` into ``net``, which takes [N,C,H,W], None for any size.

    The tensors are matched by their place in the two programs (see matching.py), and both have to give the same on noise. Raises ModelError
    for a model of another architecture, a quantised one, or what is no inference model.
    """
    find_model(prefix)
    net.eval()
    structured: dict[str, str] = {}
    for name, tensor in net.state_dict().items():
        structured.setdefault(tensor.name, name)
    theirs = Program(with_suffix(prefix, PROGRAM).read_bytes(), str(prefix))
    matched = match_parameters(_program_of(net, input_shape), theirs, structured, str(prefix))
    arrays = read_arrays(prefix)
    state = {structured[ours]: arrays[name] for ours, name in matched.items()}
    full = {name: list(tensor.shape) for name, tensor in net.state_dict().items()}
    shrink_to(net, state, source=str(prefix))
    load_state(net, state, source=str(prefix), not_needed=TRAINING_ONLY)
    difference = _compare(net, prefix, input_shape)
    initialised = [name for name in structured.values() if name not in state]
    pruned = any(list(array.shape) != full[name] for name, array in state.items())
    return Imported(len(state), initialised, pruned, difference)


def read_arrays(prefix: Path) -> State:
    """The arrays of ``prefix``.pdmodel + .pdiparams by Parameter.name (``conv2d_0.w_0``). Raises ModelError."""
    find_model(prefix)
    static_before = not paddle.in_dynamic_mode()
    paddle.enable_static()
    try:
        scope = paddle.static.Scope()
        with paddle.static.scope_guard(scope):
            program, _, _ = paddle.static.load_inference_model(str(prefix), paddle.static.Executor(paddle.CPUPlace()))
            names = [v.name for v in program.list_vars() if v.persistable and v.name not in ("feed", "fetch")]
            return {name: np.array(scope.find_var(name).get_tensor()) for name in names}
    except (ValueError, RuntimeError, OSError) as e:
        raise ModelError(f"{prefix}: not an inference model, or cut off: Paddle does not load it ({type(e).__name__})") from e
    finally:
        if not static_before:
            paddle.disable_static()


def run_inference_model(prefix: Path, x: Array) -> Array:
    """The first output of an inference model by Paddle on the CPU, operator by operator: no oneDNN, no fusion."""
    config = paddle.inference.Config(str(with_suffix(prefix, PROGRAM)), str(with_suffix(prefix, PARAMETERS)))
    config.disable_glog_info()
    config.disable_mkldnn()
    config.switch_ir_optim(False)
    config.set_cpu_math_library_num_threads(1)  # more change the order of sums
    predictor = paddle.inference.create_predictor(config)
    handle = predictor.get_input_handle(predictor.get_input_names()[0])
    handle.reshape(x.shape)
    handle.copy_from_cpu(np.ascontiguousarray(x))
    predictor.run()
    output: Array = predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()
    return output


def _program_of(net: nn.Layer, input_shape: InputShape) -> Program:
    with tempfile.TemporaryDirectory(prefix="edgeocr-import-") as scratch:
        prefix = export_inference_model(net, input_shape, Path(scratch), rewritten=False)
        return Program(with_suffix(prefix, PROGRAM).read_bytes(), "the net")


def _compare(net: nn.Layer, prefix: Path, input_shape: InputShape) -> float:
    """Same operators may have other attributes: strides, slopes. The outputs tell."""
    shape = [TRIED.get(axis, 3) if size is None else size for axis, size in enumerate(input_shape)]
    x = np.random.default_rng(0).uniform(-2, 2, shape).astype(np.float32)
    with paddle.no_grad():
        ours: Array = net(paddle.to_tensor(x)).numpy()
    try:
        theirs = run_inference_model(prefix, x)
    except (ValueError, RuntimeError) as e:
        raise ModelError(f"{prefix}: does not run on an input of {shape}: {type(e).__name__}") from e
    if ours.shape != theirs.shape:
        raise another_architecture(str(prefix), f"gives {list(theirs.shape)} for {shape}, the net {list(ours.shape)}")
    if not np.allclose(ours, theirs, RELATIVE, ABSOLUTE):
        raise another_architecture(str(prefix), f"gives up to {np.abs(ours - theirs).max():.3g} else than the net with its weights")
    return float(np.abs(ours - theirs).max())


def main(arguments: Sequence[str]) -> None:
    spec_file, out = map(Path, arguments)
    spec: dict[str, Any] = json.loads(spec_file.read_text())
    paddle.seed(0)  # what is initialised has the same values every time
    with paddle.utils.unique_name.guard():
        net = build_model(spec["architecture"])
    with stdout_on_stderr():
        imported = import_weights(net, Path(spec["model"]), spec["input"])
    save_weights(net, out)
    print(json.dumps(dataclasses.asdict(imported)))


if __name__ == "__main__":
    run_as_program(main, sys.argv[1:])
