from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from edgeocr.errors import UsageError
from edgeocr.train.config import LearningRateConfig, config_of, read_config

SMALLEST: dict[str, Any] = {
    "Global": {"iterations": 10, "character_dict_path": "keys.txt"},
    "Architecture": {"model_type": "rec"},
    "Loss": {"name": "CTCLoss"},
    "Train": {"label_file_list": ["a.txt", "/data/b.txt"], "image_shape": [3, 32, 320], "batch_size_per_card": 64},
}


def changed(key: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(SMALLEST)
    table: Any = document
    *sections, name = key.split(".")
    for section in sections:
        table = table.setdefault(section, {})
    table[name] = value
    return document


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "rec.json").write_text(json.dumps(SMALLEST))
    config = read_config(tmp_path / "rec.json")
    assert config.Train.label_file_list == (tmp_path / "a.txt", Path("/data/b.txt"))
    assert config.Global.character_dict_path == tmp_path / "keys.txt"
    assert config.Global.pretrained_model is None
    assert config.Optimizer.lr == LearningRateConfig("Cosine", 1e-3)


def test_the_document_is_read_back() -> None:
    document = changed("Optimizer.lr", {"name": "Piecewise", "decay_iterations": [5], "values": [1, 0.1]})
    config = config_of(document, source="x", folder=Path("/data"))
    assert config_of(config.document(), source="y", folder=Path("/elsewhere")) == config


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("Globl", {}, "rec.json: Globl is unknown, expected one of Global, Architecture, Loss, Train, Optimizer, Distillation, Eval"),
        ("Global.iteration", 5, "rec.json: Global.iteration is unknown, expected one of iterations, seed,"),
        ("Global.iterations", "many", 'rec.json: Global.iterations is "many", expected a whole number'),
        ("Global.iterations", 1.5, "rec.json: Global.iterations is 1.5, expected a whole number"),
        ("Global.iterations", True, "rec.json: Global.iterations is true, expected a whole number"),
        ("Global.iterations", 0, "rec.json: Global.iterations is 0, expected 1 or more"),
        ("Global.use_space_char", 1, "rec.json: Global.use_space_char is 1, expected true or false"),
        ("Global.character_dict_path", None, "rec.json: Global.character_dict_path is null, expected the dictionary of the recogniser"),
        ("Global", [1], "rec.json: Global is [1], expected a table"),
        ("Architecture.model_type", "ocr", 'rec.json: Architecture.model_type is "ocr", expected one of det, rec, cls'),
        ("Loss.name", "DBLoss", 'rec.json: Loss.name is "DBLoss", expected CTCLoss for model_type rec'),
        ("Loss.name", "CE", 'rec.json: Loss.name is "CE", expected one of DBLoss, CTCLoss, ClsLoss'),
        ("Optimizer.lr.learning_rate", "1e-3", 'rec.json: Optimizer.lr.learning_rate is "1e-3", expected a number'),
        (
            "Optimizer.lr",
            {"name": "Piecewise", "decay_iterations": [5]},
            "rec.json: Optimizer.lr.values is [], expected 2 rates for 1 steps",
        ),
        ("Train.label_file_list", "a.txt", 'rec.json: Train.label_file_list is "a.txt", expected a list'),
        ("Train.label_file_list", [1], "rec.json: Train.label_file_list[0] is 1, expected a path"),
        ("Train.image_shape", [1, 32, 320], "rec.json: Train.image_shape is [1, 32, 320], expected [3, height, width]"),
        ("Train.batch_size_per_card", 0, "rec.json: Train.batch_size_per_card is 0, expected 1 or more"),
        ("Train.label_file_list", [], "rec.json: Train.label_file_list is [], expected one label file or more"),
        ("Eval", {"label_file_list": []}, "rec.json: Eval.label_file_list is [], expected one label file or more"),
        ("Eval", {"label_file_list": ["a.txt"], "limit": 0}, "rec.json: Eval.limit is 0, expected 1 or more"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(key: str, value: Any, message: str, tmp_path: Path) -> None:
    file = tmp_path / "rec.json"
    file.write_text(json.dumps(changed(key, value)))
    with pytest.raises(UsageError) as error:
        read_config(file)
    assert message in error.value.message
    assert "\n" not in error.value.message


def test_a_missing_key_is_named() -> None:
    document = copy.deepcopy(SMALLEST)
    del document["Train"]["image_shape"]
    with pytest.raises(UsageError, match=r"^x: Train\.image_shape is missing$"):
        config_of(document, source="x", folder=Path())


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(UsageError, match=r"bad\.json: not JSON"):
        read_config(tmp_path / "bad.json")
    with pytest.raises(UsageError, match=r"none\.json: cannot be read: No such file"):
        read_config(tmp_path / "none.json")
