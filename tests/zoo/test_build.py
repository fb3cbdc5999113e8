"""Building a set: what is made, what is compared, what is refused. Export and opt are stand-ins, but for the last test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgeocr.convert import opt
from edgeocr.errors import ModelError, SetupError, UsageError
from edgeocr.paths import MODELS
from edgeocr.zoo import build as build_module
from edgeocr.zoo.build import build, buildable_sets, default_folder, read_set
from edgeocr.zoo.manifest import FileRecord, Manifest
from edgeocr.zoo.verify import check_dictionary

DOCUMENT = {
    "dictionary": "tiny_keys.txt",
    "variants": {
        "none": {
            net: {"weights": f"{net}.pdparams", "input": [None, 3, None, None], "architecture": {"model_type": net}}
            for net in ("det", "rec")
        }
    },
}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models/ folder with the set ``tiny``."""
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    (folder / "set.json").write_text(json.dumps(DOCUMENT))
    (folder / "tiny_keys.txt").write_text("a\nb\n")
    for net in ("det", "rec"):
        (folder / f"{net}.pdparams").write_bytes(net.encode())
    return tmp_path / "models"


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Export that notes its description, opt that writes the net's weights; the notes."""
    described: list[dict[str, Any]] = []

    def run_module(module: str, arguments: list[Path], *, what: str, timeout_s: float) -> str:
        assert module == "edgeocr.convert.export"
        description = json.loads(arguments[0].read_text())
        described.append(description)
        arguments[1].mkdir()
        (arguments[1] / "inference.pdmodel").write_bytes(Path(description["weights"]).read_bytes())
        return '{"paddle": "2.6.2"}\n'

    def convert(prefix: Path, out: Path) -> opt.Converted:
        out.write_bytes(b"nb of " + prefix.with_suffix(".pdmodel").read_bytes())
        return opt.Converted(out, "v2.13-rc", "2.13rc0")

    monkeypatch.setattr(build_module, "paddle_python", lambda: Path("python"))
    monkeypatch.setattr(build_module, "run_module", run_module)
    monkeypatch.setattr(opt, "convert", convert)
    return described


def test_a_build_holds_nets_dictionary_and_manifest(models: Path, stand_ins: list[dict[str, Any]], tmp_path: Path) -> None:
    out, steps = tmp_path / "out", list[str]()
    result = build(read_set("tiny", models), "none", out, steps.append)
    assert sorted(p.name for p in out.iterdir()) == ["det.nb", "manifest.json", "rec.nb", "tiny_keys.txt"]
    assert (out / "rec.nb").read_bytes() == b"nb of rec"
    assert [d["architecture"] for d in stand_ins] == [{"model_type": "det"}, {"model_type": "rec"}]
    assert steps == ["det: export", "det: opt", "rec: export", "rec: opt"]
    manifest = Manifest.read(out / "manifest.json")
    assert manifest == result.manifest
    assert manifest.files == {name: FileRecord.of(out / name) for name in ("det.nb", "rec.nb", "tiny_keys.txt")}
    assert set(manifest.sources) == {"set.json", "tiny_keys.txt", "det.pdparams", "rec.pdparams"}
    assert manifest.versions | {"edgeocr": ""} == {"edgeocr": "", "paddle": "2.6.2", "paddlelite": "2.13rc0", "opt": "v2.13-rc"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["models", "out"]


@pytest.mark.usefixtures("stand_ins")
def test_a_build_is_compared_with_the_committed_one(models: Path, tmp_path: Path) -> None:
    spec = read_set("tiny", models)
    assert build(spec, "none", tmp_path / "out").equal == {}
    build(spec, "none", spec.committed("none"))
    (spec.committed("none") / "rec.nb").write_bytes(b"another")
    assert build(spec, "none", tmp_path / "out").equal == {"det.nb": True, "rec.nb": False, "tiny_keys.txt": True}


@pytest.mark.usefixtures("stand_ins")
def test_a_former_build_is_replaced_whole(models: Path, tmp_path: Path) -> None:
    spec, out = read_set("tiny", models), tmp_path / "out"
    build(spec, "none", out)
    (out / "stale.nb").write_bytes(b"")
    build(spec, "none", out)
    assert not (out / "stale.nb").exists()


@pytest.mark.usefixtures("stand_ins")
def test_a_folder_of_something_else_is_left_alone(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / "cat.jpg").write_bytes(b"miaow")
    with pytest.raises(UsageError, match=r"photos: is not empty and holds no manifest\.json of a former build"):
        build(read_set("tiny", models), "none", out)
    assert [p.name for p in out.iterdir()] == ["cat.jpg"]


@pytest.mark.usefixtures("stand_ins")
def test_a_failure_keeps_the_former_build_and_leaves_nothing_behind(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, out = read_set("tiny", models), tmp_path / "out"
    build(spec, "none", out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}

    def convert(prefix: Path, out: Path) -> opt.Converted:
        raise ModelError("opt of inference.pdmodel: aborted (SIGABRT)")

    monkeypatch.setattr(opt, "convert", convert)
    with pytest.raises(ModelError, match="aborted"):
        build(spec, "none", out)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["models", "out"]


@pytest.mark.usefixtures("stand_ins")
def test_a_place_that_cannot_be_written_is_named(models: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelError, match=r"file: cannot be written: (File exists|Not a directory)"):
        build(read_set("tiny", models), "none", tmp_path / "file" / "out")


def test_without_paddle_nothing_is_made(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_paddle() -> Path:
        raise SetupError("no Paddle environment")

    monkeypatch.setattr(build_module, "paddle_python", no_paddle)
    with pytest.raises(SetupError):
        build(read_set("tiny", models), "none", tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()


def test_a_variant_without_weights_names_those_that_there_are(models: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        build(read_set("tiny", models), "pact", tmp_path / "out")
    assert error.value.message == "variant 'pact' of tiny cannot be built: it has no weights yet"
    assert error.value.hint == "there is: none"


def test_a_set_without_weights_names_those_that_there_are(models: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_set("pp_ocrv2", models)
    assert error.value.hint == "sets with weights of their own: tiny"


@pytest.mark.parametrize(
    "change",
    [
        {"dictionary": None},
        {"variants": None},
        {"variants": {"none": {"det": {"weights": "x"}}}},
        {"variants": {"none": {"det": {"weights": "x", "input": [], "architecture": {}, "colour": 1}}}},
        {"variants": {"none": {"table": {"weights": "x", "input": [], "architecture": {}}}}},
    ],
)
def test_a_broken_description_is_told_with_its_file(models: Path, change: dict[str, Any]) -> None:
    document = {**DOCUMENT, **change}
    (models / "tiny" / "set.json").write_text(json.dumps({k: v for k, v in document.items() if v is not None}))
    with pytest.raises(ModelError, match=r"tiny/set\.json: "):
        read_set("tiny", models)


def test_the_committed_set_is_complete() -> None:
    assert buildable_sets() == ["edgeocr_en"]
    spec = read_set("edgeocr_en")
    assert default_folder(spec, "none").parts[-3:] == ("models", "edgeocr_en", "none")
    committed = spec.committed("none")
    manifest = Manifest.read(committed / "manifest.json")
    for folder, records in ((committed, manifest.files), (MODELS / "edgeocr_en", manifest.sources)):
        for name, record in records.items():
            assert FileRecord.of(folder / name) == record, name
    assert (committed / spec.dictionary).read_bytes() == (spec.folder / spec.dictionary).read_bytes()
    check_dictionary(committed / "rec.nb", committed / spec.dictionary)


@pytest.mark.paddle
def test_building_the_committed_set_gives_the_committed_bytes(tmp_path: Path) -> None:
    result = build(read_set("edgeocr_en"), "none", tmp_path / "none")
    assert result.equal == {"det.nb": True, "en_keys.txt": True, "rec.nb": True}
    assert result.manifest == Manifest.read(MODELS / "edgeocr_en" / "none" / "manifest.json")
