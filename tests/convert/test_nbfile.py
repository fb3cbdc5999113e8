"""The `.nb` reader: what it finds in sound files, and that damaged ones are refused with one line, quickly, whatever the damage."""

from __future__ import annotations

import hashlib
import random
import struct
from pathlib import Path

import pytest
from nb_writer import Op, Param, linear_net, write_nb

from edgeocr.convert import nbfile
from edgeocr.convert.flatbuffer import Bytes, Scalar
from edgeocr.convert.flatbuffer import write as flatbuffer
from edgeocr.errors import ModelError


def test_reads_operators_kernels_and_parameters() -> None:
    model = nbfile.parse(linear_net(96), "rec.nb")
    assert (model.meta_version, model.opt_version, model.program_version) == (2, "v2.13-rc", 2006002)
    assert [operator.type for operator in model.operators] == ["feed", "fc", "softmax", "fetch"]
    assert model.operators[1].kernel == ("def", "arm", "fp32")
    assert model.operators[1].inputs == {"Input": ["x"], "W": ["w"]}
    assert model.operators[2].attributes["axis"] == 2
    assert model.feed_shapes() == [[-1, 3, 32, 320]]
    weights = model.parameters["w"]
    assert (weights.data_type, weights.dims, weights.elements, len(weights.data)) == ("fp32", [4, 96], 384, 1536)


def test_reads_every_kind_of_attribute_that_opt_writes() -> None:
    attributes = {"a": True, "b": -3, "c": 0.5, "d": "text", "e": [1, -2], "f": [0.25, 4.0], "g": False}
    model = nbfile.parse(write_nb([Op("relu", {}, {}, attributes)], []), "x.nb")
    assert model.operators[0].attributes == attributes


def test_meta_version_1_holds_the_same_parameters() -> None:
    params = [Param("b", [2, 3]), Param("a", [4], data_type=21, data=b"\x01\xff\x7f\x80")]
    first, second = (nbfile.parse(write_nb([Op("relu")], params, meta=meta), "x.nb") for meta in (1, 2))
    assert first.parameters == second.parameters
    assert bytes(first.parameters["a"].data) == b"\x01\xff\x7f\x80"


def test_normalised_hash_ignores_what_follows_the_version() -> None:
    files = [write_nb([Op("relu")], [], version=b"v2.10\0" + tail) for tail in (bytes(10), b"0123456789")]
    models = [nbfile.parse(content, "x.nb") for content in files]
    assert models[0].sha256 == hashlib.sha256(files[0]).hexdigest() != models[1].sha256
    assert models[0].normalised_sha256 == models[1].normalised_sha256 == models[0].sha256


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file has 0 bytes, expected at least 26"),
        (struct.pack("<H16sQ", 0, b"v2.6", 0), "meta_version is 0, expected 1 or 2"),
        (struct.pack("<H16sQ", 2, b"v2.10", 2**63), "topology_size is 9223372036854775808, expected at most 0"),
        (linear_net(3)[:-1], "parameter section: a field of"),
        (linear_net(3) + b"\0", "1 bytes follow the last of 1 parameters, expected none"),
        (write_nb([], []), "block 0 has no operators, expected at least 1"),
        (write_nb([Op("relu")], [Param("w", [2], data=b"\0" * 7)]), "parameter 'w' holds 7 bytes, expected 8 for fp32[2]"),
        (write_nb([Op("relu")], [Param("w", [-2], data=b"")]), "parameter 'w' has dimensions [-2], expected none negative"),
        (write_nb([Op("relu")], [Param("w", [1] * 7)]), "parameter 'w' has 7 dimensions, expected at most 6"),
        (write_nb([Op("relu")], [Param("w", [2], data_type=9)]), "parameter 'w' has data type 9, expected one of"),
        (write_nb([Op("relu")], [Param("w", [2]), Param("w", [2])]), "parameter 'w' occurs twice, expected once"),
    ],
)
def test_refuses_what_is_not_sound(content: bytes, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        nbfile.parse(content, "x.nb")
    assert caught.value.message.startswith("x.nb: ")
    assert message in caught.value.message


def test_unreadable_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"missing.nb: cannot be read: No such file"):
        nbfile.read(tmp_path / "missing.nb")


def test_one_table_referred_to_many_times_is_refused() -> None:
    """201 operators with one long name: few bytes in the file, 201 times as many in memory."""
    topology = flatbuffer({0: [{3: [{0: "x" * 4000}] * 201}]})
    assert len(topology) < 6000
    with pytest.raises(ModelError, match="the tables refer to more than"):
        nbfile.parse(struct.pack("<H16sQ", 2, b"v2.10", len(topology)) + topology, "x.nb")


def test_unknown_attribute_type_is_refused() -> None:
    topology = flatbuffer({0: [{3: [{0: "relu", 3: [{0: "axis", 1: Scalar("i", 16)}]}]}]})
    with pytest.raises(ModelError, match="attribute 'axis' of 'relu' has type 16, expected 0 to 15"):
        nbfile.parse(struct.pack("<H16sQ", 2, b"v2.10", len(topology)) + topology, "x.nb")


def test_names_must_be_utf8() -> None:
    topology = flatbuffer({0: [{3: [{0: Bytes(b"\xff\xfe")}]}]})
    with pytest.raises(ModelError, match="expected UTF-8"):
        nbfile.parse(struct.pack("<H16sQ", 2, b"v2.10", len(topology)) + topology, "x.nb")


def _assert_bounded(content: bytes) -> None:
    """Damage is refused by a ModelError, or it hit bytes that carry no structure and the rest reads as before."""
    try:
        model = nbfile.parse(content, "x.nb")
    except ModelError as error:
        assert error.message.startswith("x.nb: ") and "\n" not in error.message
    else:
        assert model.bytes == len(content)


def _mutations(content: bytes, count: int, structured: int) -> list[bytes]:
    """Truncations and overwritten words; damage lands in the first `structured` bytes, where nearly all structure is."""
    generator = random.Random(20240501)
    mutated = []
    for _ in range(count):
        damaged = bytearray(content)
        if generator.random() < 0.2:
            del damaged[generator.randrange(len(damaged)) :]
        else:
            for _ in range(generator.randint(1, 4)):
                at = generator.randrange(min(structured, len(damaged)) - 4)
                word = generator.choice([0, 1, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, generator.randrange(1 << 32)])
                struct.pack_into("<I", damaged, at, word)
        mutated.append(bytes(damaged))
    return mutated


def test_damaged_files_are_refused_or_read_within_bounds() -> None:
    for content in (linear_net(5), write_nb([Op("relu", {"X": ["x"]}, {"Out": ["x"]})], [Param("w", [3])], meta=1)):
        for damaged in _mutations(content, 1500, len(content)):
            _assert_bounded(damaged)


@pytest.mark.data
def test_reads_the_official_files(test_data: Path) -> None:
    files = sorted((test_data / "models").glob("*/*.nb"))
    assert len(files) == 6
    for path in files:
        model = nbfile.read(path)
        assert model.opt_version.startswith("v2.10")
        assert {operator.kernel[1] for operator in model.operators} == {"host", "arm"}
        assert model.bytes == path.stat().st_size
    detector = nbfile.read(test_data / "models/ppocr_mobile_v2.0_slim/ch_ppocr_mobile_v2.0_det_slim_opt.nb")
    assert sum(operator.type == "calib" for operator in detector.operators) == 44
    assert detector.feed_shapes() == [[-1, 3, 640, 640]]


@pytest.mark.data
def test_damaged_official_files_are_refused_or_read_within_bounds(test_data: Path) -> None:
    for path in sorted((test_data / "models").glob("*slim/*.nb")):
        content = path.read_bytes()
        (topology,) = struct.unpack_from("<Q", content, 18)
        for damaged in _mutations(content, 25, topology + 4096):
            _assert_bounded(damaged)
