"""What a training run is: the sections of PaddleOCR's configuration files, as JSON.

Global, Architecture, Optimizer, Loss, Distillation, Train, Eval. A key that is unknown, missing or of another type is refused by its full
name. Paths in a file are relative to the file's folder. Nothing here needs Paddle.
"""

from __future__ import annotations

import dataclasses
import json
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from edgeocr.errors import UsageError

LOSS_OF = {"det": "DBLoss", "rec": "CTCLoss", "cls": "ClsLoss"}  # by model_type

C = TypeVar("C")


@dataclass(frozen=True)
class GlobalConfig:
    """``seed`` and the iteration decide order and augmentation of the data. An iteration is one batch on every card."""

    iterations: int
    seed: int = 0
    pretrained_model: Path | None = None  # a .pdparams file; None: Paddle's initial weights
    character_dict_path: Path | None = None  # recognisers need it
    use_space_char: bool = True
    print_batch_step: int = 20
    save_batch_step: int = 200
    eval_batch_step: int = 500


@dataclass(frozen=True)
class LearningRateConfig:
    """Piecewise takes ``values`` with one entry more than ``decay_iterations``, the others ``learning_rate``; CyclicalCosine takes
    ``cycle_iterations`` and ``cycle_decay`` too."""

    name: Literal["Cosine", "CyclicalCosine", "Const", "Piecewise"] = "Cosine"
    learning_rate: float = 1e-3
    warmup_iterations: int = 0
    decay_iterations: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    cycle_iterations: int = 0
    cycle_decay: float = 1.0


@dataclass(frozen=True)
class RegularizerConfig:
    name: Literal["L2"] = "L2"
    factor: float = 1e-5


@dataclass(frozen=True)
class OptimizerConfig:
    name: Literal["Adam"] = "Adam"
    beta1: float = 0.9
    beta2: float = 0.99
    lr: LearningRateConfig = field(default_factory=LearningRateConfig)
    regularizer: RegularizerConfig | None = None
    clip_norm_global: float | None = None


@dataclass(frozen=True)
class LossConfig:
    """All but ``name`` are of the detector's loss."""

    name: Literal["DBLoss", "CTCLoss", "ClsLoss"]
    alpha: float = 5.0
    beta: float = 10.0
    ohem_ratio: float = 3.0
    min_negatives: int = 1000
    eps: float = 1e-6


@dataclass(frozen=True)
class DistillationConfig:
    """``pretrained_model`` holds the teacher, a net of the whole Architecture; ``output`` and ``neck`` weigh its losses beside Loss."""

    pretrained_model: Path
    output: float = 1.0
    neck: float = 1.0


@dataclass(frozen=True)
class TrainDataConfig:
    """``image_shape`` is 3, height, width: a detector's crop, a recogniser's height and greatest width, a classifier's input.

    ``transforms`` are single-key tables {name: options or null}, applied in order. ``shrink_ratio`` is PaddleOCR's 0.4 rule for the
    detector's kernels; None insets them so that unclipping by 1.5 gives the box back.
    """

    label_file_list: tuple[Path, ...]
    image_shape: tuple[int, ...]
    batch_size_per_card: int
    data_dir: Path | None = None
    transforms: tuple[dict[str, Any], ...] = ()
    shrink_ratio: float | None = None


@dataclass(frozen=True)
class EvalDataConfig:
    """``limit`` takes that many samples, evenly spaced over the set."""

    label_file_list: tuple[Path, ...]
    data_dir: Path | None = None
    limit: int | None = None


@dataclass(frozen=True)
class TrainConfig:
    Global: GlobalConfig
    Architecture: dict[str, Any]
    Loss: LossConfig
    Train: TrainDataConfig
    Optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    Distillation: DistillationConfig | None = None
    Eval: EvalDataConfig | None = None

    @property
    def model_type(self) -> str:
        return str(self.Architecture["model_type"])

    def document(self) -> dict[str, Any]:
        """As JSON has it, paths absolute; `config_of` reads it back."""
        document: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), default=lambda path: str(path.absolute())))
        return document


def read_config(file: Path) -> TrainConfig:
    """Raises UsageError: the file, the key, what was expected."""
    return config_of(read_document(file), source=str(file), folder=file.parent)


def read_document(file: Path) -> dict[str, Any]:
    """The JSON table in ``file``, unchecked otherwise. Raises UsageError."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as e:
        raise UsageError(f"{file}: cannot be read: {e.strerror}") from e
    except ValueError as e:
        raise UsageError(f"{file}: not JSON: {e}") from e
    if not isinstance(document, dict):
        raise UsageError(f"{file}: is {json.dumps(document)[:40]}, expected a table")
    return document


def config_of(document: Mapping[str, Any], *, source: str, folder: Path) -> TrainConfig:
    """A configuration from its JSON document; ``source`` is named in errors, relative paths start at ``folder``. Raises UsageError."""
    reader = Reader(source, folder)
    config = reader.dataclass(TrainConfig, document, "")
    _check(config, reader)
    return config


def _check(config: TrainConfig, reader: Reader) -> None:
    model_type = config.Architecture.get("model_type")
    if model_type not in LOSS_OF:
        raise reader.error("Architecture.model_type", model_type, f"one of {', '.join(LOSS_OF)}")
    if config.Loss.name != LOSS_OF[model_type]:
        raise reader.error("Loss.name", config.Loss.name, f"{LOSS_OF[model_type]} for model_type {model_type}")
    if model_type == "rec" and config.Global.character_dict_path is None:
        raise reader.error("Global.character_dict_path", None, "the dictionary of the recogniser")
    shape = config.Train.image_shape
    if len(shape) != 3 or shape[0] != 3 or min(shape) < 1:
        raise reader.error("Train.image_shape", list(shape), "[3, height, width]")
    lr = config.Optimizer.lr
    if lr.name == "Piecewise" and len(lr.values) != len(lr.decay_iterations) + 1:
        raise reader.error(
            "Optimizer.lr.values", list(lr.values), f"{len(lr.decay_iterations) + 1} rates for {len(lr.decay_iterations)} steps"
        )
    steps = ("iterations", "print_batch_step", "save_batch_step", "eval_batch_step")
    positive = [("Global." + name, getattr(config.Global, name)) for name in steps]
    if lr.name == "CyclicalCosine":
        positive += [("Optimizer.lr.cycle_iterations", lr.cycle_iterations)]
    positive += [("Train.batch_size_per_card", config.Train.batch_size_per_card)]
    lists = [("Train", config.Train.label_file_list)] + ([("Eval", config.Eval.label_file_list)] if config.Eval else [])
    for section, files in lists:
        if not files:
            raise reader.error(f"{section}.label_file_list", [], "one label file or more")
    positive += [("Eval.limit", config.Eval.limit)] if config.Eval and config.Eval.limit is not None else []
    for key, value in positive:
        if value < 1:
            raise reader.error(key, value, "1 or more")
    teacher = config.Distillation
    for key, factor in (("output", teacher.output), ("neck", teacher.neck)) if teacher else ():
        if factor < 0:
            raise reader.error(f"Distillation.{key}", factor, "0 or more")


class Reader:
    """JSON values into annotated types, with the full name of the key in every complaint."""

    def __init__(self, source: str, folder: Path) -> None:
        self.source = source
        self.folder = folder

    def error(self, key: str, value: object, expected: str) -> UsageError:
        return UsageError(f"{self.source}: {key or 'the document'} is {json.dumps(value, default=str)}, expected {expected}")

    def dataclass(self, cls: type[C], value: object, key: str) -> C:
        if not isinstance(value, Mapping):
            raise self.error(key, value, "a table")
        prefix = f"{key}." if key else ""
        known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        for name in value:
            if name not in known:
                raise UsageError(f"{self.source}: {prefix}{name} is unknown, expected one of {', '.join(known)}")
        for name, f in known.items():
            if name not in value and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
                raise UsageError(f"{self.source}: {prefix}{name} is missing")
        hints = typing.get_type_hints(cls)
        return cls(**{name: self.value(hints[name], v, prefix + name) for name, v in value.items()})

    def value(self, hint: Any, value: object, key: str) -> Any:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is types.UnionType:  # always "or None" here
            return None if value is None else self.value(arguments[0], value, key)
        if dataclasses.is_dataclass(hint):
            return self.dataclass(typing.cast(type[Any], hint), value, key)
        if origin is Literal:
            if value not in arguments:
                raise self.error(key, value, f"one of {', '.join(arguments)}")
            return value
        if origin is tuple:
            if not isinstance(value, (list, tuple)):
                raise self.error(key, value, "a list")
            return tuple(self.value(arguments[0], item, f"{key}[{i}]") for i, item in enumerate(value))
        if origin is dict:
            if not isinstance(value, Mapping):
                raise self.error(key, value, "a table")
            return dict(value)
        return self._plain(hint, value, key)

    def _plain(self, hint: Any, value: object, key: str) -> Any:
        if hint is Path and isinstance(value, (str, Path)):
            return Path(os.path.normpath(self.folder / value))
        if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if hint in (int, bool, str) and type(value) is hint:
            return value
        raise self.error(key, value, {Path: "a path", float: "a number", int: "a whole number", bool: "true or false"}.get(hint, "a text"))
