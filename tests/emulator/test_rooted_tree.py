"""Paths stay in the tree, whatever they say and whatever links lie in it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from edgeocr.emulator.rooted_tree import RootedTree


@pytest.fixture
def tree(tmp_path: Path) -> RootedTree:
    """A phone's tree, with a secret beside it."""
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "root"
    (root / "data" / "local").mkdir(parents=True)
    (root / "system").mkdir()
    (root / "data" / "local" / "file").write_text("file")
    (root / "etc").mkdir()
    (root / "etc" / "passwd").write_text("the phone's")
    return RootedTree(root, "data")


def read(tree: RootedTree, path: str) -> str:
    with os.fdopen(tree.open(path, os.O_RDONLY)) as file:
        return file.read()


@pytest.mark.parametrize(
    "path", ["/data/local/file", "data/local/file", "//data/./local//file", "/data/x/../local/../local/file", "/../../data/local/file"]
)
def test_paths_are_normalised_below_the_root(tree: RootedTree, path: str) -> None:
    (tree.root / "data" / "x").mkdir()
    assert read(tree, path) == "file"


@pytest.mark.parametrize(
    "path",
    ["../secret", "/../secret", "/data/../../secret", "/data/local/../../../secret", "/data/up/secret", "/data/absolute", "/data/relative"],
)
def test_nothing_outside_is_reached(tree: RootedTree, path: str) -> None:
    data = tree.root / "data"
    (data / "up").symlink_to("../..")
    (data / "absolute").symlink_to(tree.root.parent / "secret")
    (data / "relative").symlink_to("../../secret")
    with pytest.raises(FileNotFoundError):
        tree.open(path, os.O_RDONLY)


def test_an_absolute_link_starts_at_the_trees_root(tree: RootedTree) -> None:
    (tree.root / "data" / "users").symlink_to("/etc/passwd")
    (tree.root / "data" / "config").symlink_to("/etc")
    assert read(tree, "/data/users") == "the phone's"
    assert read(tree, "/data/config/passwd") == "the phone's"


def test_a_loop_of_links_ends(tree: RootedTree) -> None:
    (tree.root / "data" / "a").symlink_to("b")
    (tree.root / "data" / "b").symlink_to("a")
    with pytest.raises(OSError) as caught:
        tree.open("/data/a", os.O_RDONLY)
    assert caught.value.errno == errno.ELOOP


def test_a_link_is_followed_only_if_asked(tree: RootedTree) -> None:
    (tree.root / "data" / "link").symlink_to("local/file")
    assert stat.S_ISLNK(tree.stat("/data/link", follow=False).st_mode)
    assert stat.S_ISREG(tree.stat("/data/link", follow=True).st_mode)


def test_a_nul_in_a_path_is_an_error_not_a_crash(tree: RootedTree) -> None:
    with pytest.raises(OSError):
        tree.stat("/data/\0", follow=True)


def test_the_root_itself_can_be_listed(tree: RootedTree) -> None:
    assert tree.names("/") == tree.names("/..") == ["data", "etc", "system"]


def test_folders_are_made_under_the_writable_one_alone(tree: RootedTree) -> None:
    with tree.new_place("/data/a/b/c", follow=False) as place:
        assert (place.name, place.parts) == ("c", ("data", "a", "b", "c"))
    assert (tree.root / "data" / "a" / "b").is_dir()
    for path in ("/new/file", "/system/file", "/system/new/file", "/file", "/data/../file"):
        with pytest.raises(OSError) as caught, tree.new_place(path, follow=False):
            pass
        assert caught.value.errno == errno.EROFS
    assert tree.names("/") == ["data", "etc", "system"]


def test_a_link_out_of_the_writable_folder_makes_nothing_writable(tree: RootedTree) -> None:
    (tree.root / "data" / "out").symlink_to("/system")
    with pytest.raises(OSError) as caught, tree.new_place("/data/out/file", follow=False):
        pass
    assert caught.value.errno == errno.EROFS


def test_used_bytes_counts_regular_files(tree: RootedTree) -> None:
    (tree.root / "data" / "big").write_bytes(bytes(1000))
    (tree.root / "data" / "link").symlink_to("big")
    assert tree.used_bytes("data") == 1004
    assert tree.used_bytes("nothing") == 0


def test_descriptors_are_closed(tree: RootedTree) -> None:
    before = len(os.listdir("/proc/self/fd"))
    tree.stat("/data/local/file", follow=True)
    for path in ("/data/nothing/at/all", "/data/local/../../x"):
        with pytest.raises(FileNotFoundError):
            tree.stat(path, follow=True)
    assert len(os.listdir("/proc/self/fd")) == before
