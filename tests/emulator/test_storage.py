"""A full phone."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from edgeocr.emulator.rooted_tree import RootedTree
from edgeocr.emulator.storage import Storage


@pytest.fixture
def tree(tmp_path: Path) -> RootedTree:
    (tmp_path / "data").mkdir()
    return RootedTree(tmp_path, "data")


def test_what_lies_there_counts(tree: RootedTree) -> None:
    (tree.root / "data" / "old").write_bytes(bytes(600))
    storage = Storage(tree, 1000)
    with storage.writing():
        storage.take(400)
        with pytest.raises(OSError) as caught:
            storage.take(1)
    assert caught.value.errno == errno.ENOSPC


def test_concurrent_writers_share_the_room(tree: RootedTree) -> None:
    storage = Storage(tree, 1000)
    with storage.writing(), storage.writing():
        storage.take(600)
        with pytest.raises(OSError):
            storage.take(600)


def test_room_comes_back_when_files_go(tree: RootedTree) -> None:
    storage = Storage(tree, 1000)
    for _ in range(3):  # nothing of what was taken was kept
        with storage.writing():
            storage.take(1000)


def test_without_a_limit_everything_fits(tree: RootedTree) -> None:
    storage = Storage(tree, None)
    with storage.writing():
        storage.take(1 << 50)
