"""From a set's name or a folder to files: each way it can fail is one clear line, and a wrong file is never used."""

from __future__ import annotations

import hashlib
import io
import urllib.error
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import pytest
from nb_writer import Op, linear_net, write_nb

from edgeocr.errors import ModelError, UsageError
from edgeocr.zoo import registry
from edgeocr.zoo.cache import Cache
from edgeocr.zoo.registry import FileEntry, ModelSet, Registry
from edgeocr.zoo.resolve import models_of_folder, resolve_models

KEYS = b"a\nb\nc\n"
DETECTOR = write_nb([Op("sigmoid")], [])
RECOGNISER = linear_net(5)


def _folder(path: Path, **extra: bytes) -> Path:
    path.mkdir(exist_ok=True)
    files = {"my_det.nb": DETECTOR, "my_rec.nb": RECOGNISER, "keys.txt": KEYS} | extra
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def test_folder_gives_its_files(tmp_path: Path) -> None:
    files = models_of_folder(_folder(tmp_path / "mine"))
    assert (files.name, files.variant) == ("mine", "")
    assert [path.name for path in files.paths()] == ["my_det.nb", "my_rec.nb", "keys.txt"]
    with_classifier = models_of_folder(_folder(tmp_path / "mine", **{"x_cls.nb": DETECTOR}))
    assert with_classifier.classifier == tmp_path / "mine" / "x_cls.nb"


@pytest.mark.parametrize(
    ("removed", "extra", "message"),
    [
        ("my_det.nb", {}, r"mine: no file matches \*det\*.nb, expected 1"),
        ("my_rec.nb", {}, r"mine: no file matches \*rec\*.nb, expected 1"),
        ("keys.txt", {}, r"mine: no file matches \*keys\*.txt or \*dict\*.txt, expected 1"),
        (None, {"other_det.nb": DETECTOR}, r"mine: 2 files match \*det\*.nb \(my_det.nb, other_det.nb\), expected 1"),
        (None, {"dict.txt": KEYS}, r"2 files match \*keys\*.txt or \*dict\*.txt \(dict.txt, keys.txt\)"),
        (None, {"a_cls.nb": DETECTOR, "b_cls.nb": DETECTOR}, r"2 files match \*cls\*.nb"),
        (None, {"keys.txt": b"a\nb\n"}, r"keys.txt: 2 keys give 4 classes \(blank, keys, space\), but .*my_rec.nb has 5"),
        (None, {"keys.txt": b""}, "keys.txt: the dictionary is empty"),
        (None, {"keys.txt": b"a\n\xff\nc"}, "keys.txt: byte 2 is not UTF-8"),
        (None, {"my_rec.nb": RECOGNISER[:-1]}, "my_rec.nb: parameter section"),
        (None, {"my_det.nb": b"\0\0"}, "my_det.nb: the file has 2 bytes"),
        (None, {"a_cls.nb": b"\0" * 40}, "a_cls.nb: meta_version is 0"),
        (None, {"my_rec.nb": DETECTOR}, "my_rec.nb: has no linear layer"),
    ],
)
def test_folder_failures(tmp_path: Path, removed: str | None, extra: dict[str, bytes], message: str) -> None:
    folder = _folder(tmp_path / "mine", **extra)
    if removed:
        (folder / removed).unlink()
    with pytest.raises(ModelError, match=message):
        models_of_folder(folder)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no folder"):
        models_of_folder(tmp_path / "nothing")


def test_folder_and_set_together_are_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give one of them"):
        resolve_models("s", None, tmp_path)


def _pinned(url: str, content: bytes) -> FileEntry:
    return FileEntry(None, url, None, hashlib.sha256(content).hexdigest(), len(content))


SERVED = {"https://example.org/det.nb": DETECTOR, "https://example.org/rec.nb": RECOGNISER}


@pytest.fixture
def small(tmp_path: Path) -> Registry:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "keys.txt").write_bytes(KEYS)
    files = {
        "detector": _pinned("https://example.org/det.nb", DETECTOR),
        "recogniser": _pinned("https://example.org/rec.nb", RECOGNISER),
        "dictionary": FileEntry("keys.txt", None, None, hashlib.sha256(KEYS).hexdigest(), len(KEYS)),
    }
    unpinned = files | {"recogniser": FileEntry(None, "https://example.org/rec.nb", None, None, None)}
    reading = registry.load().find(None).reading
    models = ModelSet("small", "T", "Apache-2.0", "here", reading, {"none": files, "pact": unpinned})
    return Registry(tmp_path / "checkout" / "registry.toml", "small", {"small": models})


def _served(url: str) -> AbstractContextManager[IO[bytes]]:
    return io.BytesIO(SERVED[url])


def _offline(url: str) -> AbstractContextManager[IO[bytes]]:
    raise urllib.error.URLError("no route to host")


def test_set_is_downloaded_once_and_then_found_in_the_cache(tmp_path: Path, small: Registry) -> None:
    cache = Cache(tmp_path / "cache")
    first = resolve_models(registry=small, cache=cache, opener=_served)
    assert (first.name, first.variant, first.classifier) == ("small", "none", None)
    assert first.detector.read_bytes() == DETECTOR
    assert first.dictionary == tmp_path / "checkout" / "keys.txt"
    assert resolve_models(registry=small, cache=cache, opener=_offline) == first


def test_no_network_tells_where_to_put_the_file(tmp_path: Path, small: Registry) -> None:
    cache = Cache(tmp_path / "cache")
    with pytest.raises(ModelError, match=r"det.nb: cannot be downloaded: no route to host") as caught:
        resolve_models("small", registry=small, cache=cache, opener=_offline)
    place = cache.place(small.find(None).variants["none"]["detector"])
    assert caught.value.hint is not None and str(place) in caught.value.hint
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(DETECTOR)
    with pytest.raises(ModelError, match=r"rec.nb: cannot be downloaded"):
        resolve_models("small", registry=small, cache=cache, opener=_offline)


def test_wrong_file_in_the_cache_is_moved_aside_and_never_used(tmp_path: Path, small: Registry) -> None:
    cache = Cache(tmp_path / "cache")
    place = cache.place(small.find(None).variants["none"]["detector"])
    place.parent.mkdir(parents=True)
    place.write_bytes(bytes(len(DETECTOR)))
    with pytest.raises(ModelError, match=r"det.nb: sha256 is .*, expected") as caught:
        resolve_models("small", registry=small, cache=cache, opener=_served)
    assert caught.value.hint is not None and "det.nb.refused" in caught.value.hint
    assert not place.exists()
    assert resolve_models("small", registry=small, cache=cache, opener=_served).detector.read_bytes() == DETECTOR


def test_wrong_download_is_never_used(tmp_path: Path, small: Registry) -> None:
    cache = Cache(tmp_path / "cache")
    with pytest.raises(ModelError, match="expected"):
        resolve_models("small", registry=small, cache=cache, opener=lambda url: io.BytesIO(b"something else"))
    assert [path for path in cache.root.rglob("*") if path.is_file()] == []


def test_changed_file_of_the_checkout_is_refused(tmp_path: Path, small: Registry) -> None:
    (tmp_path / "checkout" / "keys.txt").write_bytes(b"a\nb\nd\n")
    with pytest.raises(ModelError, match=r"keys.txt: sha256 is .*, expected"):
        resolve_models("small", registry=small, cache=Cache(tmp_path / "cache"), opener=_served)


def test_unpinned_variant_is_listed_but_not_downloaded(tmp_path: Path, small: Registry) -> None:
    def forbidden(url: str) -> AbstractContextManager[IO[bytes]]:
        raise AssertionError(f"{url} was opened")

    with pytest.raises(ModelError, match="variant pact: 1 of its files are unpinned") as caught:
        resolve_models("small", "pact", registry=small, cache=Cache(tmp_path / "cache"), opener=forbidden)
    assert caught.value.hint is not None and "https://example.org/rec.nb" in caught.value.hint


def test_variant_that_is_not_there_lists_the_others(small: Registry) -> None:
    with pytest.raises(ModelError, match="variant prune is not built") as caught:
        resolve_models("small", "prune", registry=small)
    assert caught.value.hint == "variants: none, pact"


@pytest.mark.data
@pytest.mark.parametrize("name", ["ppocr_mobile_v2.0_slim", "pp_ocrv2_slim"])
def test_official_folders_resolve(test_data: Path, name: str) -> None:
    files = models_of_folder(test_data / "models" / name)
    assert files.classifier is not None and files.name == name


@pytest.mark.data
def test_official_set_is_served_from_the_cache(test_data: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    models = registry.load().find("ppocr_mobile_v2.0_slim")
    for entry in models.variants[models.default_variant].values():
        place = cache.place(entry)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(test_data / "models" / models.name / entry.file_name)
    files = resolve_models(models.name, cache=cache, opener=_offline)
    assert files.detector.name == "ch_ppocr_mobile_v2.0_det_slim_opt.nb"
