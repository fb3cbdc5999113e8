"""`edgeocr import-weights`, `convert` and `compress`: what they ask of the Paddle environment, and what they show of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgeocr.cli import compress, convert, import_weights
from edgeocr.convert import opt, paddle_env
from edgeocr.convert.opt import Converted, OptOptions
from edgeocr.errors import ModelError, UsageError
from edgeocr.paths import MODELS
from edgeocr.train.config import read_config
from edgeocr.zoo import make_net, remake, user_models

NB = MODELS / "edgeocr_en" / "none" / "det.nb"
REPORT = {"taken": 256, "initialised": ["head.thresh.conv1.weight", "head.thresh.conv_bn1._mean"], "pruned": False, "difference": 0.0}
RECORDS = [
    {"recipe": "small", "stage": "sensitivity", "weight": "w", "ratio": 0.5, "loss": 0.1, "done": 1, "of": 2},
    {"recipe": "small", "stage": "prune", "loss": 0.1, "macs": 0.8, "parameters": 0.75},
    {"recipe": "small", "stage": "train", "iteration": 2, "eval": {"hmean": 0.5}},
]


class Children:
    """Stand in for the Paddle environment: keep what they were asked by module, answer as it would."""

    def __init__(self) -> None:
        self.asked: dict[str, list[Path]] = {}
        self.spec: dict[str, Any] = {}

    def run(self, module: str, arguments: Sequence[str | Path], *, what: str, timeout_s: float) -> str:
        self.asked[module] = [Path(a) for a in arguments]
        self.spec = json.loads(self.asked[module][0].read_text())
        if module == "edgeocr.convert.export":
            made = self.asked[module][1]
            made.mkdir()
            write_model(made / "inference")
        return json.dumps(REPORT)

    def stream(self, module: str, arguments: Sequence[str | Path], what: str, on_line: Callable[[str], None]) -> None:
        self.asked[module] = [Path(a) for a in arguments]
        (self.asked[module][1] / "train").mkdir(parents=True)
        config = read_config(MODELS / "recipes" / "det.json").document()
        (self.asked[module][1] / "train" / "config.json").write_text(json.dumps(config))
        for record in RECORDS:
            on_line(json.dumps(record))

    def opt(self, prefix: Path, out: Path, options: OptOptions | None = None) -> Converted:
        self.asked["opt"] = [prefix]
        out.write_bytes(NB.read_bytes())
        return Converted(out, "v2.13-rc", "2.13rc0")


@pytest.fixture(autouse=True)
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    children = Children()
    monkeypatch.setattr(paddle_env, "paddle_python", lambda: Path("python"))
    for module in (user_models, make_net):
        monkeypatch.setattr(module, "run_module", children.run)
    monkeypatch.setattr(remake, "stream_module", children.stream)
    monkeypatch.setattr(opt, "convert", children.opt)
    return children


def write_model(prefix: Path) -> Path:
    for suffix in (".pdmodel", ".pdiparams"):
        prefix.with_name(prefix.name + suffix).write_bytes(b"content")
    return prefix


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a model of two files, and with one that belongs to training."""
    (tmp_path / "model").mkdir()
    write_model(tmp_path / "model" / "ch_v2.0_infer")
    (tmp_path / "model" / "ch_v2.0_infer.pdiparams.info").touch()
    return tmp_path / "model"


def run(command: Any, *arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result


@pytest.mark.parametrize("named", [".", "ch_v2.0_infer.pdmodel", "ch_v2.0_infer.pdiparams"])
def test_a_model_is_named_by_its_folder_or_one_of_its_files(children: Children, model: Path, tmp_path: Path, named: str) -> None:
    out = tmp_path / "new" / "det.pdparams"
    shown = run(import_weights.command, "det", model / named, out).stdout
    assert children.spec["model"] == str(model / "ch_v2.0_infer")
    assert children.spec["input"] == [None, 3, None, None]
    assert children.spec["architecture"] == read_config(MODELS / "recipes" / "det.json").Architecture
    assert children.asked["edgeocr.convert.import_weights"][1] == out
    assert out.parent.is_dir()
    assert "256 tensors" in shown
    assert "initial values that training has to replace: head.thresh\n" in shown


@pytest.mark.parametrize(("kind", "shape"), [("rec", [None, 3, 32, None]), ("cls", [None, 3, 48, 192])])
def test_inputs_are_those_of_the_kind(children: Children, model: Path, tmp_path: Path, kind: str, shape: list[int | None]) -> None:
    shown = json.loads(run(import_weights.command, kind, model, tmp_path / "out.pdparams", "--json").stdout)
    assert children.spec["input"] == shape
    assert shown == {"weights": str(tmp_path / "out.pdparams"), **REPORT}


def test_a_folder_without_a_model_or_with_several_is_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"empty: has no \*\.pdmodel, expected an inference model"):
        run(import_weights.command, "det", tmp_path / "empty", tmp_path / "out.pdparams")
    write_model(model / "second")
    with pytest.raises(ModelError, match=r"model: has 2 files \*\.pdmodel \(ch_v2\.0_infer\.pdmodel, second\.pdmodel\), expected 1"):
        run(import_weights.command, "det", model, tmp_path / "out.pdparams")
    (model / "second.pdiparams").unlink()
    with pytest.raises(ModelError, match=r"second\.pdiparams: no such file, or empty"):
        run(import_weights.command, "det", model / "second.pdmodel", tmp_path / "out.pdparams")


def test_a_configuration_of_another_kind_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"rec\.json: describes a rec, but det was asked for"):
        run(import_weights.command, "det", model, tmp_path / "out.pdparams", "--config", MODELS / "recipes" / "rec.json")
    with pytest.raises(UsageError, match=r"out\.bin: the suffix of weights is \.bin, expected \.pdparams"):
        run(import_weights.command, "det", model, tmp_path / "out.bin")


def test_a_model_is_converted_as_it_is(children: Children, model: Path, tmp_path: Path) -> None:
    shown = run(convert.command, model, tmp_path / "new" / "det.nb").stdout
    assert children.asked == {"opt": [model / "ch_v2.0_infer"]}
    assert shown == f"{tmp_path / 'new' / 'det.nb'}: {(tmp_path / 'new' / 'det.nb').stat().st_size:,} bytes\n"
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["det.nb"]


def test_weights_are_exported_first(children: Children, tmp_path: Path) -> None:
    weights, config = MODELS / "edgeocr_en" / "det_pact.pdparams", MODELS / "recipes" / "det.json"
    shown = json.loads(run(convert.command, weights, tmp_path / "det.nb", "--config", config, "--json").stdout)
    assert shown == {"file": str(tmp_path / "det.nb"), "bytes": (tmp_path / "det.nb").stat().st_size}
    assert children.spec == {"architecture": read_config(config).Architecture, "weights": str(weights), "input": [None, 3, None, None]}


def test_weights_need_a_configuration_and_models_none(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"det\.pdparams: weights need the --config of their net"):
        run(convert.command, MODELS / "edgeocr_en" / "det.pdparams", tmp_path / "det.nb")
    with pytest.raises(UsageError, match=r"--config is of weights \(\.pdparams\), but .*model is none"):
        run(convert.command, model, tmp_path / "det.nb", "--config", MODELS / "recipes" / "det.json")
    with pytest.raises(UsageError, match=r"det\.onnx: the suffix of the file to make is \.onnx, expected \.nb"):
        run(convert.command, model, tmp_path / "det.onnx")


def test_a_recipe_is_followed_to_the_nb(children: Children, tmp_path: Path) -> None:
    recipe = MODELS / "recipes" / "det_pact.json"
    result = run(compress.command, recipe, "--out", tmp_path / "run")
    assert children.asked["edgeocr.compress"] == [recipe, tmp_path / "run"]
    assert children.spec["weights"] == str(tmp_path / "run" / "final.pdparams")
    assert (tmp_path / "run" / "det.nb").is_file()
    assert "small, iteration 2: hmean 0.5000" in result.stderr
    assert "small: 80.0% of the multiplications and 75.0% of the parameters are left" in result.stderr
    assert result.stdout.startswith(f"{tmp_path / 'run' / 'det.nb'}: ")
