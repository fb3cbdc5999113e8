"""Weights into nets: PaddleOCR's ``.pdparams`` checkpoints, by name.

A ``.pdparams`` file is a pickle. It is read here by an unpickler that knows NumPy arrays and nothing else: a hostile file runs no code.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from paddle import nn

from edgeocr.errors import ModelError

Array = npt.NDArray[Any]
State = dict[str, Array]

# What pickles of dictionaries of arrays call, under NumPy 1 and 2 and pickle protocols 2 to 5.
_SAFE_GLOBALS = {
    ("collections", "OrderedDict"),
    ("_codecs", "encode"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _SAFE_GLOBALS:
            raise pickle.UnpicklingError(f"it names {module}.{name}, expected arrays only")
        return super().find_class(module, name)


def read_pdparams(path: Path) -> State:
    """The arrays of a ``.pdparams`` file by structured name (``backbone.conv.conv.weight``). Raises ModelError."""
    try:
        with path.open("rb") as f:
            content = _unpickle(f)
    except OSError as e:
        raise ModelError(f"{path}: cannot be read: {e.strerror}") from e
    except Exception as e:  # an unpickler fails in as many ways as bytes can be wrong
        raise ModelError(f"{path}: not a .pdparams checkpoint: {e}") from e
    if not isinstance(content, dict):
        raise ModelError(f"{path}: holds a {type(content).__name__}, expected a dictionary of arrays")
    state: State = {}
    for name, value in content.items():
        if name == "StructuredToParameterName@@":  # Paddle's own table from structured names to Parameter.name
            continue
        array = value[1] if isinstance(value, tuple) and len(value) == 2 else value  # since Paddle 2.1: (Parameter.name, array)
        if not isinstance(name, str) or not isinstance(array, np.ndarray) or array.dtype.hasobject:
            raise ModelError(f"{path}: {name!r} is a {type(value).__name__}, expected an array")
        state[name] = array
    return state


def _unpickle(f: IO[bytes]) -> Any:
    # encoding: Paddle 1.x checkpoints were pickled by Python 2
    return _ArrayUnpickler(f, encoding="latin1").load()


def load_state(net: nn.Layer, state: Mapping[str, Array], *, source: str, not_needed: Iterable[str] = ()) -> None:
    """Sets every parameter and buffer of ``net`` from ``state``, by name.

    A tensor that the net knows by several names (an LSTM's ``weight_ih_l0`` and ``0.cell_fw.weight_ih``) needs one of them. Names that
    begin with one of ``not_needed`` may be missing. Raises ModelError naming what is missing, unexpected or of another shape; nothing is
    set then.
    """
    wanted = net.state_dict()
    names_of: dict[int, list[str]] = {}
    for name, tensor in wanted.items():
        names_of.setdefault(id(tensor), []).append(name)
    prefixes = tuple(not_needed)
    missing = [names[0] for names in names_of.values() if not names[0].startswith(prefixes) and not any(n in state for n in names)]
    unexpected = [name for name in state if name not in wanted]
    reshaped = [
        f"{name} {list(state[name].shape)} (expected {list(tensor.shape)})"
        for name, tensor in wanted.items()
        if name in state and list(state[name].shape) != list(tensor.shape)
    ]
    found = {"missing": missing, "unexpected": unexpected, "of another shape": reshaped}
    problems = [f"{what}: {_some(names)}" for what, names in found.items() if names]
    if problems:
        raise ModelError(f"{source}: does not fit the net; " + "; ".join(problems), "check that architecture and weights belong together")
    for name, tensor in wanted.items():
        if name in state:
            tensor.set_value(np.ascontiguousarray(state[name], dtype=np.float32))


def _some(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def load_checkpoint(net: nn.Layer, path: Path) -> None:
    """Loads a ``.pdparams`` file whose names are PaddleOCR's. Raises ModelError."""
    load_state(net, read_pdparams(path), source=str(path))
