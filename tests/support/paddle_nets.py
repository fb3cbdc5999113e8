"""Our nets as Paddle runs them; inputs made of the project's own pictures. For tests/paddle."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import paddle

from edgeocr import paths
from edgeocr.nets.base_model import BaseModel, build_model
from edgeocr.nets.checkpoint import load_checkpoint
from edgeocr.zoo.build import read_set

Array = npt.NDArray[np.float32]

PICTURES = paths.MODELS / "pictures"
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def our_net(name: str) -> BaseModel:
    """The detector ("det") or recogniser ("rec") of edgeocr_en in inference mode, numbered as in a process of its own."""
    spec = read_set("edgeocr_en")
    net_spec = spec.nets("none")[name]
    with paddle.utils.unique_name.guard():
        net = build_model(net_spec.architecture)
    load_checkpoint(net, spec.folder / net_spec.weights)
    net.eval()
    return net


def architecture(name: str) -> dict[str, Any]:
    return read_set("edgeocr_en").nets("none")[name].architecture


def page(name: str, height: int, width: int) -> Array:
    """A page of the project as a detector's input, [1,3,height,width]."""
    picture = cv2.resize(cv2.imread(str(PICTURES / f"{name}.png")), (width, height))
    normalised = (picture.astype(np.float32) / 255 - MEAN) / STD
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None])


def lines(width: int, count: int, height: int = 32) -> Array:
    """Lines of the receipt as a recogniser's input [count,3,height,width]: scaled to the height, zero padded, cut at the width."""
    picture = cv2.imread(str(PICTURES / "page_receipt.png"))
    quads = [np.array(line["quad"], np.float32) for line in json.loads((PICTURES / "page_receipt.json").read_text())]
    batch = np.zeros((count, 3, height, width), np.float32)
    for into, quad in zip(batch, quads, strict=False):
        (x0, y0), (x1, y1) = quad.min(0).astype(int) - 3, quad.max(0).astype(int) + 3
        crop = picture[max(y0, 0) : y1, max(x0, 0) : x1]
        scaled = cv2.resize(crop, (min(width, round(crop.shape[1] * height / crop.shape[0])), height))
        into[:, :, : scaled.shape[1]] = ((scaled.astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)
    return batch


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)
