"""Paddle-Lite's own opt and predictor on this machine's processor, for tests/paddle. Either aborts its process on what it does not like.

As a program, in the Paddle environment: ``paddle_lite.py convert PREFIX OUT.nb`` | ``paddle_lite.py run MODEL.nb INPUT.npy OUTPUT.npy``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def convert_for_x86(prefix: Path, out: Path) -> Path:
    _in_a_process("convert", prefix, out)
    return out


def output(model: Path, x: Array, scratch: Path) -> Array:
    """The first output of a `.nb` file for x86."""
    given, made = scratch / "input.npy", scratch / "output.npy"
    np.save(given, x)
    _in_a_process("run", model, given, made)
    result: Array = np.load(made)
    return result


def _in_a_process(*arguments: str | Path) -> None:
    done = subprocess.run([sys.executable, __file__, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{arguments}: {done.stderr[-2000:]}"


def _convert(prefix: str, out: str) -> None:
    from paddlelite.lite import Opt

    opt = Opt()
    opt.set_model_file(f"{prefix}.pdmodel")
    opt.set_param_file(f"{prefix}.pdiparams")
    opt.set_valid_places("x86")
    opt.set_model_type("naive_buffer")
    opt.set_optimize_out(out.removesuffix(".nb"))  # opt appends it
    opt.run()


def _run(model: str, given: str, made: str) -> None:
    from paddlelite.lite import MobileConfig, create_paddle_predictor

    config = MobileConfig()
    config.set_model_from_file(model)
    predictor = create_paddle_predictor(config)
    predictor.get_input(0).from_numpy(np.load(given))
    predictor.run()
    np.save(made, predictor.get_output(0).numpy())


if __name__ == "__main__":
    if sys.argv[1] == "convert":
        _convert(*sys.argv[2:])
    else:
        _run(*sys.argv[2:])
