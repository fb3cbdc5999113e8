from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeocr.errors import ModelError
from edgeocr.zoo.manifest import FileRecord, Manifest

MANIFEST = Manifest(
    set="tiny",
    variant="none",
    command="edgeocr build-models --set tiny --variant none",
    files={"det.nb": FileRecord(3, "ab" * 32)},
    sources={"det.pdparams": FileRecord(5, "cd" * 32)},
    versions={"edgeocr": "0.1.0", "opt": "v2.13-rc"},
)


def test_a_manifest_is_read_back_as_written(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path / "manifest.json")
    assert Manifest.read(tmp_path / "manifest.json") == MANIFEST


def test_a_record_holds_size_and_hash(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert FileRecord.of(tmp_path / "a") == FileRecord(3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a manifest of schema 1"),
        ('{"schema": 2}', "not a manifest of schema 1"),
        ('{"schema": 1}', "not a manifest of schema 1: 'files' is missing"),
        ('{"schema": 1, "files": {"a": {"size": 3}}}', "not a manifest of schema 1: "),
        ('{"schema": 1, "files": [], "sources": {}}', "not a manifest of schema 1: "),
        ('{"schema": 1, "files": {}, "sources": {}, "colour": "red"}', "not a manifest of schema 1: "),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(content)
    with pytest.raises(ModelError) as error:
        Manifest.read(path)
    assert error.value.message.startswith(f"{path}: {message}")


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"manifest\.json: cannot be read: No such file"):
        Manifest.read(tmp_path / "manifest.json")


def test_the_document_is_stable_text(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path / "manifest.json")
    text = (tmp_path / "manifest.json").read_text()
    assert text.endswith("}\n")
    assert list(json.loads(text)) == ["schema", "set", "variant", "command", "files", "sources", "versions"]
