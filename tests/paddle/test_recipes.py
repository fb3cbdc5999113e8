"""Recipes from weights to the weights of the small net, on a handful of pictures, and the sensitivity's table."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paddle
import pytest
from paddle_nets import architecture

from edgeocr.compress import recipes, sensitivity
from edgeocr.compress.pact import load_quantised
from edgeocr.compress.recipes import read_recipe, run
from edgeocr.compress.sensitivity_table import SensitivityTable
from edgeocr.errors import UsageError
from edgeocr.nets.base_model import build_model
from edgeocr.nets.checkpoint import read_pdparams
from edgeocr.paths import BUILD, MODELS
from edgeocr.train import loop
from edgeocr.train.checkpoint import BEST, LATEST
from edgeocr.train.config import read_config

pytestmark = pytest.mark.paddle

WEIGHTS = MODELS / "edgeocr_en" / "det.pdparams"
EXPAND = "backbone.stage3.1.expand_conv.conv.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration of two iterations on two pages, det.json."""
    pages = []
    for k in range(2):
        page = np.full((64, 96, 3), 255, np.uint8)
        cv2.putText(page, "text", (8, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 0, 0), 2)
        cv2.imwrite(str(tmp_path / f"{k}.png"), page)
        box = [[6, 14], [76, 14], [76, 46], [6, 46]]
        pages.append(f"{k}.png\t{json.dumps([{'transcription': 'text', 'points': box}])}\n")
    (tmp_path / "labels.txt").write_text("".join(pages))
    document = {
        "Global": {"iterations": 2, "print_batch_step": 1, "pretrained_model": str(WEIGHTS)},
        "Architecture": architecture("det"),
        "Loss": {"name": "DBLoss"},
        "Train": {"label_file_list": ["labels.txt"], "image_shape": [3, 64, 64], "batch_size_per_card": 1},
        "Eval": {"label_file_list": ["labels.txt"]},
    }
    (tmp_path / "det.json").write_text(json.dumps(document))
    return tmp_path


def write(folder: Path, name: str, **keys: Any) -> Path:
    file = folder / name
    file.write_text(json.dumps({"config": "det.json", **keys}))
    return file


def test_pruning_then_quantisation(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "measure", lambda *arguments: {EXPAND: {0.5: 0.01}})
    write(folder, "prune.json", weights=str(WEIGHTS), prune={"macs": 0.999, "parameters": 0.95, "pages": 1, "ratios": [0.5]})
    second = write(folder, "both.json", recipe="prune.json", pact={"warm_batches": 1}, train={"Global": {"iterations": 1}})
    heard: list[dict[str, Any]] = []
    final = run(second, folder / "out" / "both", heard.append)
    assert [(r["recipe"], r["stage"], r.get("iteration")) for r in heard if "eval" not in r] == [
        ("prune", "prune", None),
        ("prune", "train", 1),
        ("prune", "train", 2),
        ("both", "train", 1),
    ]
    ((name, ratio),) = json.loads((folder / "out" / "prune" / "pruned.json").read_text())["ratios"].items()
    assert name == EXPAND and 0 < ratio <= 0.5
    with paddle.utils.unique_name.guard():
        net, _ = load_quantised(build_model(architecture("det")), final)
    assert net.backbone.stage3[1].expand_conv.conv._layer.weight.shape == [round(480 * (1 - ratio)), 80, 1, 1]
    heard.clear()
    before = final.read_bytes()
    assert run(second, folder / "out" / "both", heard.append) == final
    assert (heard, final.read_bytes()) == ([], before)


def test_a_stopped_recipe_goes_on_to_the_same_weights(folder: Path) -> None:
    recipe = write(folder, "pact.json", weights=str(WEIGHTS), pact={"alpha_l2": 1e-4, "warm_batches": 2})
    whole = run(recipe, folder / "whole")

    def stop(record: dict[str, Any]) -> None:
        if record.get("iteration") == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(recipe, folder / "stopped", stop)
    again = run(recipe, folder / "stopped")
    one, other = read_pdparams(whole), read_pdparams(again)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize(("result", "file"), [("best", BEST), ("last", LATEST)])
def test_the_result_is_what_the_recipe_says(folder: Path, monkeypatch: pytest.MonkeyPatch, result: str, file: str) -> None:
    """The first of two iterations scores more."""
    scores = iter([{"hmean": 0.5}, {"hmean": 0.4}])
    monkeypatch.setattr(loop, "evaluate", lambda net, config: next(scores))
    changes = {"Global": {"eval_batch_step": 1}}
    final = run(write(folder, "pact.json", weights=str(WEIGHTS), pact={"warm_batches": 1}, train=changes, result=result), folder / "out")
    training = folder / "out" / "train"
    assert (training / BEST).read_bytes() != (training / LATEST).read_bytes()
    assert final.read_bytes() == (training / file).read_bytes()


def test_a_folder_of_another_recipe_is_left_alone(folder: Path) -> None:
    run(write(folder, "pact.json", weights=str(WEIGHTS), pact={}, train={"Global": {"iterations": 1}}), folder / "out")
    with pytest.raises(UsageError, match=r"out: holds the work of another recipe"):
        run(write(folder, "pact.json", weights=str(WEIGHTS), pact={"alpha_l2": 1.0}), folder / "out")


def test_a_folder_of_before_an_option_was_added_is_the_same_recipes(folder: Path) -> None:
    recipe = write(folder, "pact.json", weights=str(WEIGHTS), pact={}, train={"Global": {"iterations": 1}})
    final = run(recipe, folder / "out")
    note = folder / "out" / "recipe.json"
    document = json.loads(note.read_text())
    del document["pact"]["freeze_batch_norms"]
    note.write_text(json.dumps(document))
    assert run(recipe, folder / "out") == final


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"pact": {}}, r"pact\.json: expected either weights or recipe to start from"),
        ({"weights": "w", "recipe": "r", "pact": {}}, r"pact\.json: expected either weights or recipe to start from"),
        ({"weights": "w"}, r"pact\.json: expected either prune or pact"),
        ({"weights": "w", "pact": {"alpha": 3}}, r"pact\.json: pact\.alpha is unknown, expected one of alpha_l2, warm_batches"),
    ],
)
def test_what_a_recipe_lacks_is_named(folder: Path, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_recipe(write(folder, "pact.json", **keys))


def test_a_recipe_is_the_same_from_wherever_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(folder, "pact.json", weights=str(WEIGHTS), pact={})
    monkeypatch.chdir(folder)
    assert read_recipe(Path("pact.json")) == read_recipe(file)


@pytest.mark.parametrize("file", sorted((MODELS / "recipes").glob("*_*.json")), ids=lambda file: file.stem)
def test_the_recipes_of_the_project_can_be_read(file: Path) -> None:
    recipe = read_recipe(file)
    assert recipe.config.is_file()
    start = recipe.weights or recipe.recipe
    assert start is not None
    assert start.is_file() or BUILD in start.resolve().parents  # what `edgeocr import-weights` makes


def test_pictures_that_only_an_evaluation_misses_are_named_before_the_training(folder: Path) -> None:
    changes = {"Eval": {"label_file_list": [str(folder / "val" / "labels.txt")]}}
    recipe = write(folder, "pact.json", weights=str(WEIGHTS), pact={}, train=changes)
    with pytest.raises(UsageError, match=r"val/labels\.txt: no such label file") as error:
        run(recipe, folder / "out", lambda record: pytest.fail(f"trained: {record}"))
    assert error.value.hint is not None and f"`edgeocr synth det --count 60 --seed 2 --out {folder / 'val'}`" in error.value.hint


class OneGroup:
    def __init__(self, net: paddle.nn.Layer) -> None:
        self.filters = {EXPAND: 480}

    def pruned(self, ratios: dict[str, float]) -> AbstractContextManager[None]:
        return nullcontext()


def test_a_sensitivity_goes_on_with_what_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensitivity, "FilterGroups", OneGroup)
    scores = iter([0.8, 0.6, 0.8, 0.4])
    monkeypatch.setattr(sensitivity, "evaluate", lambda net, config: {"hmean": next(scores)})
    config, out, heard = read_config(folder / "det.json"), folder / "table.json", list[float]()
    for ratios in ([0.2], [0.2, 0.4]):
        losses = sensitivity.measure(config, out, 2, ratios, lambda record: heard.append(record["ratio"]))
    assert heard == [0.2, 0.4]
    assert losses == SensitivityTable.read(out).losses == {EXPAND: {0.2: pytest.approx(0.25), 0.4: pytest.approx(0.5)}}
    monkeypatch.setattr(sensitivity, "evaluate", lambda net, config: {"hmean": 0.7})
    with pytest.raises(UsageError, match=r"table\.json: holds the sensitivity of other weights or on other pictures"):
        sensitivity.measure(config, out, 2, [0.2])
    monkeypatch.setattr(sensitivity, "evaluate", lambda net, config: {"hmean": 0.0})
    with pytest.raises(UsageError, match=r"det\.pdparams: scores 0\.0 before pruning"):
        sensitivity.measure(config, out, 2, [0.2])
