from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeocr.cli.build_models import command
from edgeocr.errors import UsageError
from edgeocr.zoo import build as build_module
from edgeocr.zoo import remake as remake_module
from edgeocr.zoo.build import Build, SetSpec, read_set
from edgeocr.zoo.manifest import FileRecord, Manifest


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Builds cost nothing here; the table is what they say about the committed bytes."""
    equal = {"det.nb": True, "rec.nb": True}

    def build(spec: SetSpec, variant: str, out: Path, on_step: Callable[[str], None], **options: object) -> Build:
        spec.nets(variant)
        on_step("det: export")
        files = {name: FileRecord(1234, "ab" * 32) for name in ("det.nb", "rec.nb")}
        return Build(out, Manifest(spec.name, variant, "edgeocr build-models", files, {}, {"paddle": "2.6.2"}), equal)

    monkeypatch.setattr(build_module, "build", build)
    return equal


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_table_says_whether_the_bytes_are_the_committed_ones(built: dict[str, bool]) -> None:
    built["rec.nb"] = False
    det, rec = (
        next(line for line in run("--set", "edgeocr_en", "--variant", "none").splitlines() if name in line) for name in ("det.nb", "rec.nb")
    )
    assert "equal" in det
    assert "1,234" in det
    assert "DIFFERENT" in rec


def test_where_nothing_is_committed_the_table_says_so(built: dict[str, bool]) -> None:
    built.clear()
    assert "none committed" in run()


def test_json_is_one_document(built: dict[str, bool], tmp_path: Path) -> None:
    (document,) = json.loads(run("--set", "edgeocr_en", "--variant", "none", "--out", str(tmp_path / "x"), "--json"))
    assert document["folder"] == str(tmp_path / "x")
    assert document["equals_committed"] is True
    assert document["manifest"]["files"]["det.nb"] == {"bytes": 1234, "sha256": "ab" * 32}
    built["det.nb"] = False
    assert json.loads(run("--json"))[0]["equals_committed"] is False


def test_without_a_variant_all_are_built() -> None:
    built = [document["manifest"]["variant"] for document in json.loads(run("--json"))]
    assert built == list(read_set("edgeocr_en").variants)


def test_from_scratch_the_recipes_make_the_weights_first(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[list[str]] = []

    def remake(spec: SetSpec, variants: list[str], on_line: Callable[[str], None]) -> dict[str, Path]:
        heard.append(variants)
        on_line('{"recipe": "det_pact", "stage": "train", "iteration": 9, "eval": {"hmean": 0.5}}')
        return {}

    monkeypatch.setattr(remake_module, "remake", remake)
    result = CliRunner().invoke(command, ["--variant", "none", "--from-scratch"], catch_exceptions=False)
    assert heard == [["none"]]
    assert "det_pact, iteration 9: hmean 0.5000" in result.stderr


def test_one_folder_is_not_for_several_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = read_set("edgeocr_en")
    several = replace(spec, variants={"none": spec.nets("none"), "pact": spec.nets("none")})
    monkeypatch.setattr(build_module, "read_set", lambda name: several)
    with pytest.raises(UsageError, match="--out is one folder, but several variants would be built"):
        CliRunner().invoke(command, ["--out", "one_for_all"], catch_exceptions=False)


def test_a_set_that_cannot_be_built_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        CliRunner().invoke(command, ["--set", "pp_ocrv2"], catch_exceptions=False)


def test_an_unknown_variant_is_a_usage_error() -> None:
    result = CliRunner().invoke(command, ["--variant", "tiny"])
    assert result.exit_code == 2
