"""The nets that peers are compared on, and each peer's own file of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import environment
import numpy as np

from edgeocr.convert import opt
from edgeocr.convert.paddle_env import paddle_python, run_module
from edgeocr.errors import EdgeocrError
from edgeocr.paths import BUILD, MODELS, PADDLE_PYTHON, TEST_DATA
from edgeocr.zoo.build import read_set

SET, VARIANT = "edgeocr_en", "none"
PICTURE = MODELS / "pictures" / "page_receipt.png"
CONVERSION_TIMEOUT_S = 600
FOLDER = BUILD / "peers"

OPT_FOR_X86 = """
import sys
from paddlelite.lite import Opt
opt = Opt()
opt.set_model_file(sys.argv[1] + ".pdmodel")
opt.set_param_file(sys.argv[1] + ".pdiparams")
opt.set_valid_places("x86")
opt.set_model_type("naive_buffer")
opt.set_optimize_out(sys.argv[2])
opt.run()
"""


class ConversionError(Exception):
    """A net could not be made into a peer's file; the message is the reason."""


@dataclass(frozen=True)
class Net:
    net: str  # det or rec
    model: str  # what a reader knows it by
    shape: tuple[int, int, int, int]
    source: Path | None = None  # prefix of Paddle's files; None: a net of our own, to be exported

    @property
    def folder(self) -> Path:
        return FOLDER / f"{self.model}_{self.net}"

    @property
    def input(self) -> str:
        return ",".join(map(str, self.shape))


NETS = [
    Net("det", SET, (1, 3, 640, 640)),
    Net("rec", SET, (1, 3, 32, 320)),
    Net("det", "pp_ocrv2", (1, 3, 640, 640), TEST_DATA / "models" / "pp_ocrv2_det_fp32" / "ch_PP-OCRv2_det_infer"),
]


def picture(shape: Sequence[int]) -> np.ndarray:
    """A page of text at the net's size, as fp32 in [-1, 1]."""
    image = cv2.imread(str(PICTURE))
    assert image is not None, f"{PICTURE} is part of the checkout"
    resized = cv2.resize(image, (shape[3], shape[2])).astype(np.float32)
    return np.ascontiguousarray((resized / 127.5 - 1).transpose(2, 0, 1)[np.newaxis])


def inference_model(net: Net) -> Path:
    """The prefix of Paddle's files. Raises EdgeocrError."""
    if net.source is not None:
        return net.source
    spec = read_set(SET)
    wanted = spec.nets(VARIANT)[net.net]
    description = net.folder / "net.json"
    description.write_text(
        json.dumps({"architecture": wanted.architecture, "weights": str(spec.folder / wanted.weights), "input": wanted.input})
    )
    run_module("edgeocr.convert.export", [description, net.folder], what=f"export of {net.net}", timeout_s=CONVERSION_TIMEOUT_S)
    return net.folder / "inference"


def convert(command: Sequence[str | Path], made: Path) -> Path:
    """Runs a converter that writes ``made``. Raises ConversionError with its last words."""
    made.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=made.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=CONVERSION_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise ConversionError(f"{Path(str(command[0])).name}: {e}") from e
    if done.returncode != 0 or not made.is_file():
        lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
        raise ConversionError(f"{Path(str(command[0])).name} ended with {done.returncode}: {(lines or ['silently'])[-1]}")
    return made


def to_onnx(net: Net, prefix: Path) -> Path:
    model, params = f"{prefix.name}.pdmodel", f"{prefix.name}.pdiparams"
    made = net.folder / "net.onnx"
    command: list[str | Path] = [
        environment.script("paddle2onnx"),
        "--model_dir",
        prefix.parent,
        "--model_filename",
        model,
        "--params_filename",
        params,
    ]
    return convert([*command, "--save_file", made, "--opset_version", "13"], made)


def to_ncnn(net: Net, prefix: Path) -> Path:
    onnx = to_onnx(net, prefix)
    return convert([environment.pnnx(), onnx, f"inputshape=[{net.input}]", "fp16=0"], net.folder / "net.ncnn.param")


def to_mnn(net: Net, prefix: Path) -> Path:
    onnx, made = to_onnx(net, prefix), net.folder / "net.mnn"
    return convert([environment.script("mnnconvert"), "-f", "ONNX", "--modelFile", onnx, "--MNNModel", made, "--bizCode", "edgeocr"], made)


def to_paddle_lite(net: Net, prefix: Path) -> Path:
    made = net.folder / "x86.nb"
    return convert([paddle_python(), "-c", OPT_FOR_X86, prefix, made.with_suffix("")], made)


def to_edgeocr(net: Net, prefix: Path) -> Path:
    if net.source is None:
        return MODELS / SET / VARIANT / f"{net.net}.nb"
    try:
        return opt.convert(prefix, net.folder / "arm.nb").path
    except EdgeocrError as e:
        raise ConversionError(e.message) from e


def to_paddle(_: Net, prefix: Path) -> Path:
    return prefix.with_name(prefix.name + ".pdmodel")


@dataclass(frozen=True)
class Peer:
    name: str  # in worker.py
    convert: Callable[[Net, Path], Path]
    python: Path
    packages: tuple[str, ...] = ()  # keys of environment.PACKAGES


REFERENCE = Peer("paddle", to_paddle, PADDLE_PYTHON)
PEERS = [
    Peer("paddle-lite", to_paddle_lite, PADDLE_PYTHON),
    Peer("onnxruntime", to_onnx, environment.PYTHON, ("onnx", "onnxruntime")),
    Peer("openvino", to_paddle, environment.PYTHON, ("openvino",)),
    Peer("ncnn", to_ncnn, environment.PYTHON, ("onnx", "ncnn")),
    Peer("mnn", to_mnn, environment.PYTHON, ("onnx", "mnn")),
]
