"""A net from PaddleOCR's ``Architecture`` dictionary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from paddle import Tensor, nn

from edgeocr.errors import ModelError
from edgeocr.nets.cls import ClsHead
from edgeocr.nets.crnn import CTCHead, SequenceEncoder
from edgeocr.nets.db import DBFPN, DBHead
from edgeocr.nets.mobilenet_v3 import DetMobileNetV3, RecMobileNetV3

Config = Mapping[str, Any]
Builder = Callable[..., nn.Layer]

BACKBONES: dict[str, dict[str, Builder]] = {
    "det": {"MobileNetV3": DetMobileNetV3},
    "rec": {"MobileNetV3": RecMobileNetV3},
    "cls": {"MobileNetV3": RecMobileNetV3},
}
NECKS: dict[str, Builder] = {"DBFPN": DBFPN, "SequenceEncoder": SequenceEncoder}
HEADS: dict[str, Builder] = {"DBHead": DBHead, "CTCHead": CTCHead, "ClsHead": ClsHead}


class BaseModel(nn.Layer):
    """Backbone → neck (optional) → head, as ``{"model_type", "Backbone": {"name", …}, "Neck": …, "Head": …}`` says.

    In inference the output is one tensor: a detector's shrink map, a recogniser's or classifier's probabilities.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        model_type = config.get("model_type")
        if model_type not in BACKBONES:
            raise ModelError(f"model_type is {model_type!r}, expected one of {', '.join(BACKBONES)}")
        self.model_type: str = model_type
        self.backbone = _build("Backbone", config.get("Backbone"), BACKBONES[model_type], in_channels=config.get("in_channels", 3))
        channels = self.backbone.out_channels
        self.use_neck = config.get("Neck") is not None
        if self.use_neck:
            self.neck = _build("Neck", config["Neck"], NECKS, in_channels=channels)
            channels = self.neck.out_channels
        self.head = _build("Head", config.get("Head"), HEADS, in_channels=channels)

    def forward(self, x: Tensor) -> Any:
        y = self.backbone(x)
        if self.use_neck:
            y = self.neck(y)
        y = self.head(y)
        return y["maps"] if isinstance(y, dict) and not self.training else y


def build_model(config: Config) -> BaseModel:
    """Raises ModelError, naming the key, for a configuration that no net answers to."""
    return BaseModel(config)


def _build(part: str, config: Config | None, builders: Mapping[str, Builder], **extra: Any) -> nn.Layer:
    if not isinstance(config, Mapping) or "name" not in config:
        raise ModelError(f"Architecture.{part} is {config!r}, expected a table with a name")
    options = dict(config)
    name = options.pop("name")
    if name not in builders:
        raise ModelError(f"Architecture.{part}.name is {name!r}, expected one of {', '.join(builders)}")
    try:
        return builders[name](**{**options, **extra})
    except (TypeError, ValueError) as e:
        raise ModelError(f"Architecture.{part} ({name}): {e}") from e
