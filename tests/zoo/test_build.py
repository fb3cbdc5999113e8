"""Building a set: what is made, what is compared, what is refused. Export and opt are stand-ins, but for the last test."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeocr.convert import opt
from edgeocr.errors import ModelError, SetupError, UsageError
from edgeocr.paths import BUILD, MODELS
from edgeocr.zoo import build as build_module
from edgeocr.zoo import make_net as make_net_module
from edgeocr.zoo import remake as remake_module
from edgeocr.zoo.build import build, buildable_sets, default_folder, read_set, steps
from edgeocr.zoo.make_net import MadeNet
from edgeocr.zoo.manifest import FileRecord, Manifest
from edgeocr.zoo.remake import remake
from edgeocr.zoo.verify import check_dictionary

DOCUMENT = {
    "dictionary": "tiny_keys.txt",
    "nets": {net: {"input": [None, 3, None, None], "architecture": {"model_type": net}} for net in ("det", "rec")},
    "variants": {
        "none": {net: {"weights": f"{net}.pdparams"} for net in ("det", "rec")},
        "pact": {net: {"weights": f"{net}_pact.pdparams", "quantised": True, "recipe": f"{net}.json"} for net in ("det", "rec")},
        "prune": {
            "det": {"weights": "det_prune.pdparams", "pruned": True},
            "rec": {"weights": "rec_pact.pdparams", "quantised": True, "recipe": "rec.json"},
        },
    },
}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models/ folder with the set ``tiny``."""
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    (folder / "set.json").write_text(json.dumps(DOCUMENT))
    (folder / "tiny_keys.txt").write_text("a\nb\n")
    for name in ("det", "rec", "det_pact", "rec_pact", "det_prune"):
        (folder / f"{name}.pdparams").write_bytes(name.encode())
    for recipe in ("det.json", "rec.json"):
        (folder / recipe).write_text("{}")
    return tmp_path / "models"


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Export that notes its description, opt that writes the net's weights, a minimiser that drops a word; the notes."""
    described: list[dict[str, Any]] = []

    def run_module(module: str, arguments: list[Path], *, what: str, timeout_s: float) -> str:
        assert module == "edgeocr.convert.export"
        description = json.loads(arguments[0].read_text())
        described.append(description)
        arguments[1].mkdir()
        (arguments[1] / "inference.pdmodel").write_bytes(Path(description["weights"]).read_bytes())
        return '{"paddle": "2.6.2"}\n'

    def convert(prefix: Path, out: Path) -> opt.Converted:
        out.write_bytes(b"long nb of " + prefix.with_suffix(".pdmodel").read_bytes())
        return opt.Converted(out, "v2.13-rc", "2.13rc0")

    monkeypatch.setattr(build_module, "paddle_python", lambda: Path("python"))
    monkeypatch.setattr(make_net_module, "run_module", run_module)
    monkeypatch.setattr(opt, "convert", convert)
    monkeypatch.setattr(make_net_module, "minimise", lambda content, name: content.removeprefix(b"long "))
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


def test_an_export_hears_how_the_weights_are_to_be_read(models: Path, stand_ins: list[dict[str, Any]], tmp_path: Path) -> None:
    build(read_set("tiny", models), "prune", tmp_path / "out")
    assert [(d["pruned"], d["quantised"]) for d in stand_ins] == [(True, False), (False, True)]


def test_variants_share_the_nets_that_are_the_same(models: Path, stand_ins: list[dict[str, Any]], tmp_path: Path) -> None:
    spec, heard, made = read_set("tiny", models), list[str](), dict[str, MadeNet]()
    for variant in ("pact", "prune"):
        build(spec, variant, tmp_path / variant, heard.append, made=made)
    assert [Path(d["weights"]).stem for d in stand_ins] == ["det_pact", "rec_pact", "det_prune"]
    assert len(heard) == steps(spec, ["pact", "prune"]) == 6
    assert (tmp_path / "prune" / "rec.nb").read_bytes() == (tmp_path / "pact" / "rec.nb").read_bytes() == b"nb of rec_pact"
    assert Manifest.read(tmp_path / "prune" / "manifest.json").versions["paddle"] == "2.6.2"


@pytest.mark.usefixtures("stand_ins")
def test_recipes_are_sources_and_remade_weights_take_their_place(models: Path, tmp_path: Path) -> None:
    remade = tmp_path / "final.pdparams"
    remade.write_bytes(b"another det_pact")
    sources = build(read_set("tiny", models), "pact", tmp_path / "out", remade={"det_pact.pdparams": remade}).manifest.sources
    assert (tmp_path / "out" / "det.nb").read_bytes() == b"nb of another det_pact"
    assert sources["det_pact.pdparams"] == FileRecord.of(remade)
    assert sources["rec.json"] == FileRecord.of(models / "tiny" / "rec.json")


def test_each_recipe_is_followed_once(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[tuple[str, list[Path], str]] = []
    monkeypatch.setattr(remake_module, "stream_module", lambda module, arguments, what, on_line: followed.append((module, arguments, what)))
    made = remake(read_set("tiny", models), ["none", "pact", "prune"], print)
    folder = models / "tiny"
    assert followed == [("edgeocr.compress", [folder / f"{net}.json", BUILD / "train" / net], f"recipe {net}") for net in ("det", "rec")]
    assert made == {f"{net}_pact.pdparams": BUILD / "train" / net / "final.pdparams" for net in ("det", "rec")}


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
    (out / "cls.nb").write_bytes(b"")
    former = Manifest.read(out / "manifest.json")
    replace(former, files={**former.files, "cls.nb": FileRecord.of(out / "cls.nb")}).write(out / "manifest.json")
    build(spec, "none", out)
    assert not (out / "cls.nb").exists()


@pytest.mark.usefixtures("stand_ins")
def test_a_folder_of_something_else_is_left_alone(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / "cat.jpg").write_bytes(b"miaow")
    with pytest.raises(UsageError, match=r"photos: is not empty and holds no manifest\.json of a former build"):
        build(read_set("tiny", models), "none", out)
    assert [p.name for p in out.iterdir()] == ["cat.jpg"]


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("manifest", ['{"name": "photos", "start_url": "/"}', "no JSON", '{"schema": 1}'])
def test_another_program_s_manifest_is_none_of_a_build(models: Path, tmp_path: Path, manifest: str) -> None:
    out = tmp_path / "app"
    out.mkdir()
    (out / "manifest.json").write_text(manifest)
    with pytest.raises(UsageError, match=r"app: is not empty and holds no manifest\.json of a former build"):
        build(read_set("tiny", models), "none", out)
    assert (out / "manifest.json").read_text() == manifest


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("name", ["notes.txt", "rec.nb/notes.txt"])
def test_what_was_put_into_a_build_is_not_removed_with_it(models: Path, tmp_path: Path, name: str) -> None:
    spec, out = read_set("tiny", models), tmp_path / "out"
    build(spec, "none", out)
    added = out / name
    if added.parent != out:
        added.parent.unlink()
        added.parent.mkdir()
    added.write_text("mine")
    with pytest.raises(UsageError, match=rf"out: holds {Path(name).parts[0]}, which no build made"):
        build(spec, "none", out)
    assert added.read_text() == "mine"


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
        build(read_set("tiny", models), "prune+pact", tmp_path / "out")
    assert error.value.message == "variant 'prune+pact' of tiny cannot be built: it has no weights yet"
    assert error.value.hint == "there is: none, pact, prune"


def test_ours_is_the_only_set_with_weights() -> None:
    assert buildable_sets() == ["edgeocr_en"]


def test_a_set_without_weights_names_those_that_there_are(models: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_set("pp_ocrv2", models)
    assert error.value.hint == "sets with weights of their own: tiny"


@pytest.mark.parametrize(
    "change",
    [
        {"dictionary": None},
        {"variants": None},
        {"nets": None},
        {"nets": {"det": {"input": []}, "rec": {"input": []}}},
        {"variants": {"none": {"det": {"weights": "x", "colour": 1}}}},
        {"variants": {"none": {"table": {"weights": "x"}}}},
    ],
)
def test_a_broken_description_is_told_with_its_file(models: Path, change: dict[str, Any]) -> None:
    document = {**DOCUMENT, **change}
    (models / "tiny" / "set.json").write_text(json.dumps({k: v for k, v in document.items() if v is not None}))
    with pytest.raises(ModelError, match=r"tiny/set\.json: "):
        read_set("tiny", models)


@pytest.mark.parametrize("variant", read_set("edgeocr_en").variants)
def test_the_committed_build_is_complete(variant: str) -> None:
    spec = read_set("edgeocr_en")
    assert default_folder(spec, variant).parts[-3:] == ("models", "edgeocr_en", variant)
    committed = spec.committed(variant)
    manifest = Manifest.read(committed / "manifest.json")
    for folder, records in ((committed, manifest.files), (MODELS / "edgeocr_en", manifest.sources)):
        for name, record in records.items():
            assert FileRecord.of(folder / name) == record, name
    assert (committed / spec.dictionary).read_bytes() == (spec.folder / spec.dictionary).read_bytes()
    check_dictionary(committed / "rec.nb", committed / spec.dictionary)


@pytest.mark.paddle
def test_building_the_committed_set_gives_the_committed_bytes(tmp_path: Path) -> None:
    spec, made = read_set("edgeocr_en"), dict[str, MadeNet]()
    for variant in spec.variants:
        result = build(spec, variant, tmp_path / variant, made=made)
        assert all(result.equal.values()), (variant, result.equal)
        assert result.manifest == Manifest.read(spec.committed(variant) / "manifest.json")
