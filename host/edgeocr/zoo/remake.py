"""Small nets made from the weights of larger ones by recipes, in the Paddle environment: those of a set, or one of the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from edgeocr.convert.paddle_env import stream_module
from edgeocr.paths import BUILD
from edgeocr.train.config import read_config
from edgeocr.zoo.build import SetSpec
from edgeocr.zoo.user_models import convert_weights

RESULT, CONFIG = "final.pdparams", "train/config.json"  # of a recipe's folder, see compress/recipes.py


def recipes(spec: SetSpec, variants: Iterable[str]) -> dict[str, Path]:
    """The recipes that ``variants`` come from, by the weights that they make, in the set's order."""
    nets = [net for variant in variants for net in spec.nets(variant).values()]
    return {net.weights: (spec.folder / net.recipe).resolve() for net in nets if net.recipe is not None}


def remake(spec: SetSpec, variants: Iterable[str], on_line: Callable[[str], None]) -> dict[str, Path]:
    """Follows the recipes in build/train/, each from where it stands; the files that they made, by the name of the weights in the set.

    ``on_line`` hears their records, a JSON document each. KeyboardInterrupt leaves them at a checkpoint.
    """
    made = {}
    for weights, recipe in recipes(spec, variants).items():
        folder = BUILD / "train" / recipe.stem
        made[weights] = _follow(recipe, folder, on_line)
    return made


def follow(recipe: Path, folder: Path, on_line: Callable[[str], None], on_step: Callable[[str], None] = lambda what: None) -> Path:
    """The small net of one recipe, made in ``folder`` from where it stands; its `.nb` there, det.nb, rec.nb or cls.nb.

    ``on_line`` hears as that of `remake`, ``on_step`` what is done after the training.
    """
    weights = _follow(recipe, folder, on_line)
    config = read_config(folder / CONFIG)
    out = folder / f"{config.model_type}.nb"
    convert_weights(config, weights, out, on_step)
    return out


def _follow(recipe: Path, folder: Path, on_line: Callable[[str], None]) -> Path:
    stream_module("edgeocr.compress", [recipe, folder], f"recipe {recipe.stem}", on_line)
    return folder / RESULT
