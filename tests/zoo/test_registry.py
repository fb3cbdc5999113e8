"""models/registry.toml: the committed one is sound, and every defect of another is one line naming file, entry and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr.cli.common import VARIANTS as OFFERED_VARIANTS
from edgeocr.errors import ModelError
from edgeocr.paths import MODELS
from edgeocr.zoo import registry
from edgeocr.zoo.verify import check_file

READING = """
[reading.r]
limit_side_len = 960
det_db_thresh = 0.3
det_db_box_thresh = 0.6
det_db_unclip_ratio = 1.5
cls_thresh = 0.9
drop_score = 0.5
"""
SHA = "0" * 64
FILE = f'{{ url = "https://example.org/a.nb", sha256 = "{SHA}", bytes = 10 }}'
SOUND = f"""
schema = 1
default = "s"
{READING}
[set.s]
title = "T"
licence = "Apache-2.0"
origin = "here"
reading = "r"
[set.s.variant.none]
detector = {FILE}
recogniser = {{ url = "https://example.org/a.tar", member = "rec.nb" }}
dictionary = {{ path = "s/keys.txt", sha256 = "{SHA}", bytes = 7 }}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "registry.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_sets_variants_files_and_reading_parameters(tmp_path: Path) -> None:
    loaded = registry.load(_write(tmp_path, SOUND))
    models = loaded.find(None)
    assert (models.name, models.title, models.default_variant) == ("s", "T", "none")
    assert models.reading == registry.Reading(960, 0.3, 0.6, 1.5, 0.9, 0.5)
    files = models.variants["none"]
    assert files["detector"].pinned and files["detector"].file_name == "a.nb"
    assert not files["recogniser"].pinned and files["recogniser"].file_name == "rec.nb"
    assert files["dictionary"].path == "s/keys.txt"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema = 1", "schema = 2", "schema is 2, expected 1"),
        ('default = "s"', 'default = "t"', "default is 't', expected one of s"),
        ('title = "T"', "", "set: s: title is None, expected text"),
        ('title = "T"', 'titel = "T"', "set: s: titel is not a field"),
        ('reading = "r"', 'reading = "q"', "set: s: reading is 'q', expected one of r"),
        ("variant.none", "variant.small", "set: s: variant: small is not a variant, expected one of none, pact, prune, prune+pact"),
        ("limit_side_len = 960", "limit_side_len = 9600", "reading: r: limit_side_len is 9600, expected an integer from 32 to 4096"),
        ("det_db_thresh = 0.3", 'det_db_thresh = "0.3"', "det_db_thresh is '0.3', expected a number from 0 to 1"),
        ("drop_score = 0.5", "", "reading: r: drop_score is None, expected a number from 0 to 1"),
        ("drop_score", "drop_skore", "reading: r: drop_skore is not a field, expected limit_side_len, "),
        ("detector = ", "detektor = ", "variant: none: detektor is not a field"),
        (f"detector = {FILE}", "", "variant: none: detector is missing"),
        ("https://example.org/a.nb", "http://example.org/a.nb", "url is 'http://example.org/a.nb', expected one that begins with https://"),
        (', member = "rec.nb"', "", "recogniser: member is missing"),
        ('member = "rec.nb"', 'member = "../rec.nb"', "recogniser: member is '../rec.nb', expected a relative path without .."),
        ('path = "s/keys.txt"', 'path = "/etc/passwd"', "dictionary: path is '/etc/passwd', expected a relative path"),
        ('path = "s/keys.txt", ', "", "dictionary: has neither path nor url, expected one"),
        (f'{SHA}", bytes = 10', f'{SHA[:-1]}g", bytes = 10', "detector: sha256 is"),
        (", bytes = 10", "", "detector: has one of sha256 and bytes, expected both or neither"),
        (f', sha256 = "{SHA}", bytes = 7', "", "dictionary: sha256 is missing, expected it for every file of the checkout"),
        ("bytes = 10", "bytes = true", "detector: bytes is True, expected an integer"),
    ],
)
def test_every_defect_names_file_entry_and_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SOUND
    path = _write(tmp_path, SOUND.replace(old, new, 1))
    with pytest.raises(ModelError) as caught:
        registry.load(path)
    assert caught.value.message.startswith(str(path))
    assert message in caught.value.message


def test_what_is_no_toml_or_no_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not TOML"):
        registry.load(_write(tmp_path, "schema = "))
    with pytest.raises(ModelError, match="cannot be read"):
        registry.load(tmp_path / "none.toml")


def test_unknown_set_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no model set x") as caught:
        registry.load(_write(tmp_path, SOUND)).find("x")
    assert caught.value.hint == "sets: s"


def test_committed_registry_is_sound() -> None:
    loaded = registry.load()
    assert {"ppocr_mobile_v1.1", "ppocr_mobile_v2.0", "pp_ocrv2", "pp_ocrv3"} <= set(loaded.sets)
    for models in loaded.sets.values():
        assert models.licence == "Apache-2.0"
        for files in models.variants.values():
            for entry in files.values():
                if entry.path is not None and entry.sha256 is not None and entry.bytes is not None:
                    check_file(MODELS / entry.path, entry.sha256, entry.bytes)


def test_command_line_offers_the_registry_s_variants() -> None:
    assert tuple(OFFERED_VARIANTS) == registry.VARIANTS


@pytest.mark.data
def test_slim_sets_are_pinned_by_the_official_files(test_data: Path) -> None:
    hashes = {line.split()[0] for line in (test_data / "models/SHA256SUMS").read_text().splitlines()}
    loaded = registry.load()
    for name in ("ppocr_mobile_v2.0_slim", "pp_ocrv2_slim"):
        models = loaded.find(name)
        assert {entry.sha256 for entry in models.variants[models.default_variant].values()} <= hashes
