"""A recipe: one base net made small, from its weights to those of the small net. Resumable at every point.

A recipe file is JSON: {"config": a training configuration, "weights": a .pdparams file or "recipe": another recipe whose result is the
start, "prune": {…} or "pact": {…}, "train": sections of the configuration as this recipe has them, "result": "best" or "last"}. Paths are
relative to its folder.

A recipe's folder gets recipe.json, for pruning sensitivity.json, pruned.json (ratios, what is left) and pruned.pdparams, train/ with the
training's checkpoints, and when all is done final.pdparams, the weights that evaluated best or the last ones.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import paddle
from paddle import nn

from edgeocr.compress.fpgm import FilterGroups, choose_ratios
from edgeocr.compress.pact import freeze_batch_norms, quantise, warm_scales
from edgeocr.compress.sensitivity import measure
from edgeocr.errors import DataError, UsageError
from edgeocr.files import write_atomically
from edgeocr.nets.base_model import build_model
from edgeocr.nets.pruned import load_pruned_checkpoint
from edgeocr.train.checkpoint import BEST, LATEST, RESUME, write_arrays
from edgeocr.train.config import Reader, TrainConfig, config_of, read_document
from edgeocr.train.data_feed import build_feed
from edgeocr.train.depthwise import fast_depthwise
from edgeocr.train.described_net import described_net
from edgeocr.train.label_files import require_label_files
from edgeocr.train.loop import train

Record = dict[str, Any]
OnRecord = Callable[[Record], None]

RECIPE, SENSITIVITY, CHOICE, PRUNED, TRAINING, FINAL = (
    "recipe.json",
    "sensitivity.json",
    "pruned.json",
    "pruned.pdparams",
    "train",
    "final.pdparams",
)


@dataclass(frozen=True)
class PruneConfig:
    """``macs`` and ``parameters``: what share of either may be left. No layer loses more than ``max_ratio`` of its filters, for layers
    that seem useless alone are not all useless together. ``ratios`` are measured on ``pages`` pages. ``freeze_batch_norms`` is as that of
    `PactConfig`."""

    macs: float
    parameters: float
    pages: int
    ratios: tuple[float, ...]
    max_ratio: float = 0.5
    freeze_batch_norms: bool = False


@dataclass(frozen=True)
class PactConfig:
    """``alpha_l2``: the L2 factor of every α, that of the optimiser if null; ``warm_batches`` set the first activation scales.
    ``freeze_batch_norms`` trains with the start's statistics, for a start that has seen more than the pictures of this training."""

    alpha_l2: float | None = None
    warm_batches: int = 20
    freeze_batch_norms: bool = False


@dataclass(frozen=True)
class Recipe:
    config: Path
    weights: Path | None = None
    recipe: Path | None = None
    prune: PruneConfig | None = None
    pact: PactConfig | None = None
    train: dict[str, Any] = dataclasses.field(default_factory=dict)
    result: Literal["best", "last"] = "best"


def read_recipe(file: Path) -> Recipe:
    """Raises UsageError: the file, the key, what was expected."""
    recipe = Reader(str(file), file.parent.absolute()).dataclass(Recipe, read_document(file), "")
    if (recipe.weights is None) == (recipe.recipe is None):
        raise UsageError(f"{file}: expected either weights or recipe to start from")
    if (recipe.prune is None) == (recipe.pact is None):
        raise UsageError(f"{file}: expected either prune or pact")
    return recipe


def run(file: Path, out_dir: Path, on_record: OnRecord = lambda record: None) -> Path:
    """Follows the recipe in ``out_dir`` from where it stands, and the one that it starts from beside it; returns final.pdparams.

    ``on_record`` hears {"recipe", "stage": "sensitivity", "prune" or "train", …} with what that stage tells. Raises UsageError where
    ``out_dir`` holds the work of another recipe or label files are missing; otherwise as `edgeocr.train.loop.train`.
    """
    recipe = read_recipe(file)
    start = recipe.weights or run(_other(recipe), out_dir.parent / _other(recipe).stem, on_record)
    final = out_dir / FINAL
    _claim(out_dir, recipe)
    if final.is_file():
        return final
    config = _config(recipe, start)
    require_label_files(config)

    def tell(stage: str) -> OnRecord:
        return lambda record: on_record({"recipe": file.stem, "stage": stage, **record})

    with paddle.utils.unique_name.guard():  # a checkpoint holds names that count what the process has built
        if recipe.prune is not None:
            net = _pruned(config, recipe.prune, out_dir, tell)
            if recipe.prune.freeze_batch_norms:
                freeze_batch_norms(net)
        else:
            assert recipe.pact is not None  # refused by the reader
            net = _quantised(config, start, recipe.pact, resumes=(out_dir / TRAINING / RESUME).is_file())
        train(net, config, out_dir / TRAINING, on_record=tell("train"))
    best = out_dir / TRAINING / BEST
    write_atomically(final, (best if recipe.result == "best" and best.is_file() else out_dir / TRAINING / LATEST).read_bytes())
    return final


def _other(recipe: Recipe) -> Path:
    assert recipe.recipe is not None  # refused by the reader
    return recipe.recipe


def _config(recipe: Recipe, start: Path) -> TrainConfig:
    document = _merged(read_document(recipe.config), recipe.train)
    document = _merged(document, {"Global": {"pretrained_model": str(start.absolute())}})
    return config_of(document, source=str(recipe.config), folder=recipe.config.parent)


def _merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(document)
    for key, value in changes.items():
        there = merged.get(key)
        merged[key] = _merged(there, value) if isinstance(there, Mapping) and isinstance(value, Mapping) else value
    return merged


def _pruned(config: TrainConfig, prune: PruneConfig, out_dir: Path, tell: Callable[[str], OnRecord]) -> nn.Layer:
    pruned = out_dir / PRUNED
    if not pruned.is_file():
        losses = measure(config, out_dir / SENSITIVITY, prune.pages, prune.ratios, tell("sensitivity"))
        groups = FilterGroups(described_net(config))
        choice = choose_ratios(groups, losses, prune.macs, prune.parameters, prune.max_ratio)
        write_atomically(out_dir / CHOICE, (json.dumps(dataclasses.asdict(choice), indent=1) + "\n").encode())
        write_arrays(pruned, groups.pruned_state(choice.ratios))
        tell("prune")({"loss": choice.loss, "macs": choice.macs, "parameters": choice.parameters})
    return _net(config, pruned)


def _quantised(config: TrainConfig, start: Path, pact: PactConfig, *, resumes: bool) -> nn.Layer:
    """A training that resumes brings its own scales."""
    net = quantise(_net(config, start), pact.alpha_l2)
    if pact.freeze_batch_norms:
        freeze_batch_norms(net)
    if not resumes:
        feed = build_feed(config)
        with fast_depthwise():
            warm_scales(net, (feed.batch(number).images for number in range(pact.warm_batches)))
    return net


def _net(config: TrainConfig, weights: Path) -> nn.Layer:
    """The architecture with what the weights have left of it."""
    paddle.seed(config.Global.seed)
    with paddle.utils.unique_name.guard():
        net = build_model(config.Architecture)
    load_pruned_checkpoint(net, weights)
    return net


def _claim(out_dir: Path, recipe: Recipe) -> None:
    """Makes the folder and notes the recipe there, or finds it noted."""
    document = json.dumps(dataclasses.asdict(recipe), indent=2, default=str) + "\n"
    file = out_dir / RECIPE
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        there = file.read_text() if file.is_file() else None
    except OSError as e:
        raise DataError(f"{e.filename or out_dir}: cannot be used: {e.strerror}") from e
    if there is None:
        write_atomically(file, document.encode())
        return
    noted = Reader(str(file), Path()).dataclass(Recipe, json.loads(there), "")  # compared as read: it may lack an option added since
    if noted != recipe:
        raise UsageError(f"{out_dir}: holds the work of another recipe", "give another folder, or remove this one")
