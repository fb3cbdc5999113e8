"""What a run leaves in its folder, each file written whole or not at all.

``latest.pdopt`` alone is what a run resumes from: weights, optimiser and progress in one file, so that no interruption can leave halves
that do not belong together. ``latest.pdparams`` (its weights) and ``state.json`` (its progress) are for others; ``best.pdparams`` are the
weights that evaluated best. All are pickles of arrays by name, which `edgeocr.nets.checkpoint` reads.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddle import nn

from edgeocr.errors import ModelError
from edgeocr.files import write_atomically
from edgeocr.nets.checkpoint import State, load_state, read_pdparams

LATEST, BEST, RESUME, PROGRESS = "latest.pdparams", "best.pdparams", "latest.pdopt", "state.json"
NET, OPTIMIZER, PROGRESS_KEY = "net/", "optimizer/", "progress"
ACCUMULATORS = ("_moment1_0", "_moment2_0", "_beta1_pow_acc_0", "_beta2_pow_acc_0")  # Adam's, by what follows the parameter's name


@dataclass(frozen=True)
class Progress:
    """``iteration``: how many are done; ``best``: the best indicator so far, of ``best_iteration``; ``seconds`` of training, all told."""

    iteration: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_iteration: int | None = None


def save_weights(net: nn.Layer, file: Path) -> None:
    write_arrays(file, weights_of(net))


def save_checkpoint(out_dir: Path, net: nn.Layer, optimizer: paddle.optimizer.Optimizer, progress: Progress) -> None:
    weights = weights_of(net)
    content: dict[str, Any] = {NET + name: array for name, array in weights.items()}
    content |= {OPTIMIZER + name: array for name, array in _optimizer_arrays(net, optimizer).items()}
    content[PROGRESS_KEY] = np.frombuffer(json.dumps(asdict(progress)).encode(), np.uint8)
    write_arrays(out_dir / RESUME, content)
    write_arrays(out_dir / LATEST, weights)
    write_atomically(out_dir / PROGRESS, (json.dumps(asdict(progress), indent=2) + "\n").encode())


def resume(out_dir: Path, net: nn.Layer, optimizer: paddle.optimizer.Optimizer) -> Progress | None:
    """Brings net and optimiser to where the run in ``out_dir`` stopped; None where it has no checkpoint. Raises ModelError."""
    file = out_dir / RESUME
    if not file.is_file():
        return None
    content = read_pdparams(file)
    try:
        progress = Progress(**json.loads(content[PROGRESS_KEY].tobytes()))
    except (KeyError, ValueError, TypeError) as e:
        raise ModelError(f"{file}: not a checkpoint of a training: {type(e).__name__}: {e}", "remove it to begin anew") from e
    load_state(net, _below(NET, content), source=str(file))
    parameter_names = {name: parameter.name for name, parameter in net.named_parameters()}
    state = {}
    for name, array in _below(OPTIMIZER, content).items():
        structured, suffix = _split(name)
        if structured not in parameter_names:
            raise ModelError(f"{file}: holds {name} of the optimiser, which the net has no parameter for")
        state[parameter_names[structured] + suffix] = paddle.to_tensor(array)
    optimizer.set_state_dict(state)
    return progress


def weights_of(net: nn.Layer) -> State:
    """By structured name. A tensor with several names (of an LSTM) is one array under all of them, and pickled once."""
    arrays: dict[int, np.ndarray[Any, Any]] = {}
    state: State = {}
    for name, tensor in net.state_dict().items():
        if id(tensor) not in arrays:
            arrays[id(tensor)] = tensor.numpy()
        state[name] = arrays[id(tensor)]
    return state


def write_arrays(file: Path, content: Mapping[str, Any]) -> None:
    """A pickle of arrays by name, as `edgeocr.nets.checkpoint` reads it."""
    write_atomically(file, pickle.dumps(dict(content), protocol=4))


def _optimizer_arrays(net: nn.Layer, optimizer: paddle.optimizer.Optimizer) -> State:
    """Under the net's own names: Paddle's parameter names depend on what else the process has built."""
    structured = {parameter.name: name for name, parameter in net.named_parameters()}
    state: State = {}
    for key, tensor in optimizer.state_dict().items():
        if isinstance(tensor, paddle.Tensor):
            parameter, suffix = _split(key)
            state[structured[parameter] + suffix] = tensor.numpy()
    return state


def _split(key: str) -> tuple[str, str]:
    suffix = next((s for s in ACCUMULATORS if key.endswith(s)), None)
    if suffix is None:
        raise ModelError(f"the optimiser's state has {key}, which is none of Adam's")
    return key.removesuffix(suffix), suffix


def _below(prefix: str, content: State) -> State:
    return {name.removeprefix(prefix): array for name, array in content.items() if name.startswith(prefix)}
