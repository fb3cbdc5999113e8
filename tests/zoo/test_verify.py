"""What fits and what deserves a warning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nb_writer import Op, Param, linear_net, write_nb

from edgeocr.convert import nbfile
from edgeocr.errors import ModelError
from edgeocr.paths import ROOT
from edgeocr.zoo.verify import KNOWN_OPERATORS, check_file, class_count, dictionary_keys, warnings


@pytest.mark.parametrize("op", ["fc", "mul", "matmul", "matmul_v2"])
def test_classes_are_the_columns_of_the_last_linear_layer(op: str) -> None:
    assert class_count(nbfile.parse(linear_net(96, op=op), "rec.nb")) == 96


def test_classes_of_transposed_weights_are_their_rows() -> None:
    ops = [Op("matmul_v2", {"X": ["x"], "Y": ["w"]}, {"Out": ["y"]}, {"trans_y": True})]
    assert class_count(nbfile.parse(write_nb(ops, [Param("w", [96, 4])]), "rec.nb")) == 96


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        (b"a\nb\nc", 3),
        (b"a\nb\nc\n", 3),
        ("\u3000\n\u2028\n\x0b\n \n".encode(), 4),  # keys that str.splitlines would take for line ends
        (b"a\r\nb\r\n", 2),
    ],
)
def test_dictionary_keys_are_counted_by_line_feeds(tmp_path: Path, content: bytes, keys: int) -> None:
    path = tmp_path / "keys.txt"
    path.write_bytes(content)
    assert dictionary_keys(path) == keys


def test_huge_dictionary_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    with path.open("wb") as file:
        file.truncate(2 << 20)
    with pytest.raises(ModelError, match="has 2097152 bytes, expected at most 1048576"):
        dictionary_keys(path)


def test_check_file_names_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    with pytest.raises(ModelError, match="the file has 3 bytes, expected 4"):
        check_file(path, "0" * 64, 4)
    with pytest.raises(ModelError, match=r"sha256 is ba7816bf.*, expected 0000"):
        check_file(path, "0" * 64, 3)
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        check_file(tmp_path / "g", "0" * 64, 3)


def test_sound_file_has_no_warnings() -> None:
    assert warnings(nbfile.parse(linear_net(5), "x.nb")) == []


def test_unknown_operator_and_foreign_target_are_named() -> None:
    model = nbfile.parse(write_nb([Op("lookup_table", attributes={nbfile.KERNEL_ATTR: "lookup_table/def/2/1/1"})], []), "x.nb")
    assert warnings(model) == [
        "the runtime does not know the operator 'lookup_table'",
        "kernels were chosen for 'x86', expected arm: convert again with --valid_targets=arm",
    ]


def test_known_operators_are_the_runtime_s() -> None:
    """Its table also holds operators that only its own passes make, which no file has."""
    table = (ROOT / "cpp_runtime/src/graph/operators.cpp").read_text()
    assert set(re.findall(r'^ +\{"(\w+)", "', table, re.MULTILINE)) | {"feed", "fetch"} >= KNOWN_OPERATORS


@pytest.mark.parametrize(
    ("scales", "ruined"),
    [([0.01, 0.02, 0.03], False), ([1e-8, 0.02, 10.0], True), ([0.0, 0.1], True), ([float("inf")], True)],
)
def test_scales_ruined_by_opt_are_noticed(scales: list[float], ruined: bool) -> None:
    ops = [Op("relu"), Op("conv2d_transpose", attributes={"enable_int8": True, "Filter0_scale": scales})]
    found = warnings(nbfile.parse(write_nb(ops, []), "x.nb"))
    assert bool(found) is ruined
    assert all(text.startswith("operator 1, an int8 conv2d_transpose, has filter scales from") for text in found)


@pytest.mark.data
def test_official_files_give_no_warnings_and_the_known_class_counts(test_data: Path) -> None:
    for path in sorted((test_data / "models").glob("*slim/*.nb")):
        model = nbfile.read(path)
        assert warnings(model) == []
        assert {operator.type for operator in model.operators} <= KNOWN_OPERATORS
        if "rec" in path.name:
            assert class_count(model) == dictionary_keys(path.parent / "ppocr_keys_v1.txt") + 2 == 6625
        if "cls" in path.name:
            assert class_count(model) == 2
