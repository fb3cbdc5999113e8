"""What `edgeocr train` asks of the Paddle environment, and what it shows of the answer."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgeocr import cli
from edgeocr.cli.train import KINDS, command
from edgeocr.convert import paddle_env
from edgeocr.data.synth import dataset
from edgeocr.data.synth.dataset import Description
from edgeocr.errors import UsageError
from edgeocr.paths import MODELS
from edgeocr.train.config import read_config

RECORDS = [
    {"iteration": 0, "left_out": 3},
    {"iteration": 20, "iterations": 40, "loss": 1.5, "lr": 0.001, "seconds": 9.5},
    {"iteration": 40, "eval": {"exact": 0.93, "characters": 0.99}},
]
STATE = {"iteration": 40, "seconds": 61.2, "best": 0.93, "best_iteration": 40}


class Child:
    """Stands in for the Paddle environment: keeps what it was asked, answers with `RECORDS`."""

    def __init__(self) -> None:
        self.config: dict[str, Any] = {}
        self.out_dir = Path()

    def stream(self, module: str, arguments: Sequence[Path], what: str, on_line: Callable[[str], None]) -> None:
        assert module == "edgeocr.train"
        config_file, self.out_dir = arguments
        self.config = json.loads(config_file.read_text())
        for record in RECORDS:
            on_line(json.dumps(record))
        on_line("a remark of a library")
        self.out_dir.mkdir(parents=True, exist_ok=True)
        (self.out_dir / "state.json").write_text(json.dumps(STATE))


@pytest.fixture
def data(tmp_path: Path) -> list[str | Path]:
    """``--data`` and ``--val`` with a dataset folder."""
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "labels.txt").touch()
    return ["--data", tmp_path / "set", "--val", tmp_path / "set"]


@pytest.fixture(autouse=True)
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    child = Child()
    monkeypatch.setattr(paddle_env, "paddle_python", lambda: Path("python"))
    monkeypatch.setattr(paddle_env, "stream_module", child.stream)
    return child


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result


@pytest.mark.parametrize("kind", KINDS)
def test_the_recipes_are_configurations(kind: str) -> None:
    config = read_config(MODELS / "recipes" / f"{kind}.json")
    assert config.model_type == kind
    assert config.Eval is not None


def test_without_options_the_recipe_is_trained(child: Child, data: list[Path], tmp_path: Path) -> None:
    run("rec", *data, "--out", tmp_path / "run")
    recipe = read_config(MODELS / "recipes" / "rec.json").document()
    for section in ("Train", "Eval"):
        recipe[section]["label_file_list"] = [str(tmp_path / "set" / "labels.txt")]
    assert child.config == recipe
    assert child.out_dir == tmp_path / "run"


@pytest.mark.parametrize(
    ("kind", "section", "count", "seed"),
    [("det", "Train", 2000, 1), ("rec", "Train", 2000, 1), ("det", "Eval", 60, 2), ("rec", "Eval", 500, 2), ("cls", "Eval", 500, 2)],
)
def test_the_command_named_for_missing_data_draws_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, section: str, count: int, seed: int
) -> None:
    missing = tmp_path / "my data" / "labels.txt"
    document = json.loads((MODELS / "recipes" / f"{kind}.json").read_text())
    for name in ("Train", "Eval"):
        document[name]["label_file_list"] = [str(tmp_path / "there.txt" if name != section else missing)]
    (tmp_path / "there.txt").touch()
    (tmp_path / "net.json").write_text(json.dumps(document))
    with pytest.raises(UsageError) as error:
        run(kind, "--config", tmp_path / "net.json")
    assert error.value.message == f"{missing}: no such label file"
    drawn: list[tuple[str, Path, int, int]] = []

    def generate(kind: str, out: Path, *, count: int, seed: int, **options: object) -> Description:
        drawn.append((kind, out, count, seed))
        return Description(kind, count, seed, False, 0, "")

    monkeypatch.setattr(dataset, "generate", generate)
    program, *arguments = shlex.split(str(error.value.hint).split("`")[1])
    assert (program, cli.run(arguments)) == ("edgeocr", 0)
    assert drawn == [(kind, missing.parent, count, seed)]


@pytest.mark.parametrize(("name", "neighbour"), [("lines.txt", None), ("labels.txt", "notes.txt")])
def test_no_command_is_named_that_would_not_draw_it(tmp_path: Path, name: str, neighbour: str | None) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    if neighbour is not None:
        (folder / neighbour).touch()
    document = json.loads((MODELS / "recipes" / "cls.json").read_text())
    document["Train"]["label_file_list"] = [str(folder / name)]
    (tmp_path / "cls.json").write_text(json.dumps(document))
    with pytest.raises(UsageError, match="no such label file") as error:
        run("cls", "--config", tmp_path / "cls.json")
    assert error.value.hint == "name another in Train.label_file_list, or for `edgeocr train` by --data"


def test_options_change_the_recipe(child: Child, data: list[Path], tmp_path: Path) -> None:
    for name in ("more.txt", "w.pdparams"):
        (tmp_path / name).touch()
    files = ["--data", tmp_path / "more.txt", "--weights", tmp_path / "w.pdparams"]
    run("det", *data, *files, "--iterations", 7, "--batch-size", 2, "--lr", 0.5, "--seed", 9, "--out", tmp_path / "run")
    assert child.config["Train"]["label_file_list"] == [str(tmp_path / "set" / "labels.txt"), str(tmp_path / "more.txt")]
    assert child.config["Eval"]["label_file_list"] == [str(tmp_path / "set" / "labels.txt")]
    assert child.config["Global"]["pretrained_model"] == str(tmp_path / "w.pdparams")
    assert (child.config["Global"]["iterations"], child.config["Global"]["seed"]) == (7, 9)
    assert child.config["Train"]["batch_size_per_card"] == 2
    assert child.config["Optimizer"]["lr"]["learning_rate"] == 0.5


def test_scores_and_what_was_left_out_are_noted(data: list[Path], tmp_path: Path) -> None:
    result = run("rec", *data, "--out", tmp_path)
    assert "note: iteration 40: exact 0.9300, characters 0.9900" in result.stderr
    assert "note: 3 lines were left out" in result.stderr
    assert "40 iterations in 61 s" in result.stdout
    assert "best.pdparams: 0.9300 at iteration 40" in result.stdout


def test_json_is_one_document(data: list[Path], tmp_path: Path) -> None:
    assert json.loads(run("rec", *data, "--out", tmp_path, "--json").stdout) == {"folder": str(tmp_path), **STATE}


def test_a_configuration_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"rec\.json: describes a rec, but det was asked for"):
        run("det", "--config", MODELS / "recipes" / "rec.json", "--out", tmp_path)


def test_a_configuration_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(UsageError, match=r"list\.json: is \[1\], expected a table"):
        run("det", "--config", tmp_path / "list.json")
    (tmp_path / "odd.json").write_text('{"Optimizer": 5}')
    with pytest.raises(UsageError, match=r"odd\.json: Optimizer is 5, expected a table"):
        run("det", "--config", tmp_path / "odd.json", "--lr", 1)
