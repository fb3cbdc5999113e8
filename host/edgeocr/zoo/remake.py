"""The weights of a set's small variants made anew from its base weights, by their recipes, in the Paddle environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from edgeocr.convert.paddle_env import stream_module
from edgeocr.paths import BUILD
from edgeocr.zoo.build import SetSpec

RESULT = "final.pdparams"  # of a recipe's folder, see compress/recipes.py


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
        stream_module("edgeocr.compress", [recipe, folder], f"recipe {recipe.stem}", on_line)
        made[weights] = folder / RESULT
    return made
