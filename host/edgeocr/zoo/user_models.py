"""What a user brings along instead of a set: inference models as PaddleOCR offers them, and weights of the nets of a configuration."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeocr.convert.inference_model import find_model
from edgeocr.convert.paddle_env import run_module
from edgeocr.errors import DataError
from edgeocr.train.config import TrainConfig
from edgeocr.zoo.make_net import convert_to_nb, make_net

TIMEOUT_S = 300.0
WEIGHTS = ".pdparams"


def input_of(config: TrainConfig) -> list[int | None]:
    """N, C, H, W of the net's input; None: any. Detectors take every size, recognisers every width."""
    _, height, width = config.Train.image_shape
    return {"det": [None, 3, None, None], "rec": [None, 3, height, None], "cls": [None, 3, height, width]}[config.model_type]


def import_weights(config: TrainConfig, model: Path, out: Path) -> dict[str, Any]:
    """Writes the weights of an inference model (its folder or one of its files) as the ``.pdparams`` of the configuration's net.

    What `edgeocr.convert.import_weights.Imported` says. Raises ModelError for a model that does not fit, SetupError without Paddle.
    """
    prefix = find_model(model)
    _make_folder(out)
    with tempfile.TemporaryDirectory(prefix="edgeocr-import-") as scratch:
        spec = Path(scratch) / "spec.json"
        spec.write_text(json.dumps({"architecture": config.Architecture, "model": str(prefix), "input": input_of(config)}))
        report = run_module("edgeocr.convert.import_weights", [spec, out], what=f"import of {prefix.name}", timeout_s=TIMEOUT_S)
    imported: dict[str, Any] = json.loads(report)
    return imported


def convert_weights(config: TrainConfig, weights: Path, out: Path, on_step: Callable[[str], None] = lambda what: None) -> None:
    """Weights of the configuration's net → `.nb`, whether they are pruned, quantised or neither. Raises as `import_weights`."""
    description = {"architecture": config.Architecture, "weights": str(weights), "input": input_of(config)}
    _write(out, make_net(description, called=weights.name, file=out.name, on_step=on_step).nb)


def convert_model(model: Path, out: Path) -> None:
    """An inference model (its folder or one of its files) → `.nb`. Raises ModelError for what opt refuses."""
    _write(out, convert_to_nb(find_model(model), out.name).nb)


def _write(out: Path, nb: bytes) -> None:
    _make_folder(out)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        made = Path(scratch) / out.name
        made.write_bytes(nb)
        made.replace(out)


def _make_folder(out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise DataError(f"{out.parent}: cannot be made: {e.strerror}") from e
