"""Minimised `.nb` files hold the same net: operators, kernels, numbers and parameters, and nothing that no loader reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from nb_writer import Op, Param, linear_net, write_nb

from edgeocr.convert import nbfile
from edgeocr.convert.flatbuffer import Fields, FlatBuffer, Numbers, Scalar, write
from edgeocr.convert.nb_writer import UNREAD_ATTRIBUTES, minimise
from edgeocr.errors import ModelError
from edgeocr.paths import MODELS

COMMITTED = sorted(MODELS.glob("edgeocr_*/*/*.nb"))
KERNEL = "__@kernel_type_attr@__"


def through_fc(attributes: dict[str, object], params: list[Param] | None = None, version: bytes = b"v2.13-rc\0garbage") -> bytes:
    """feed → fc → fetch under the long names that exporters give."""
    return write_nb(
        [
            Op("feed", {"X": ["feed"]}, {"Out": ["x"]}, {"col": 0, KERNEL: "feed/def/1/4/2"}),
            Op("fc", {"Input": ["x"], "W": ["linear_0.w_0"]}, {"Out": ["linear_0.tmp_0"]}, {KERNEL: "fc/def/4/1/1", **attributes}),
            Op("fetch", {"X": ["linear_0.tmp_0"]}, {"Out": ["fetch"]}, {"col": 0, KERNEL: "fetch/def/1/4/2"}),
        ],
        params or [Param("linear_0.w_0", [4, 3], data=bytes(range(48)))],
        version=version,
    )


def assert_same_net(first: bytes, second: bytes) -> None:
    """The same but for unread attributes and the variables' names, which may change one to one."""
    one, two = nbfile.parse(first, "first"), nbfile.parse(second, "second")
    names = {
        old: new
        for a, b in zip(one.operators, two.operators, strict=True)
        for sides in ((a.inputs, b.inputs), (a.outputs, b.outputs))
        for parameter in sides[0].keys() | sides[1].keys()
        for old, new in zip(sides[0][parameter], sides[1][parameter], strict=True)
    }
    assert len(set(names.values())) == len(names)
    for a, b in zip(one.operators, two.operators, strict=True):
        assert b.type == a.type
        assert (b.inputs, b.outputs) == tuple({p: [names[n] for n in ns] for p, ns in side.items()} for side in (a.inputs, a.outputs))
        assert b.attributes == {name: value for name, value in a.attributes.items() if name not in UNREAD_ATTRIBUTES}
    assert two.parameters == {names[name]: replace(p, name=names[name]) for name, p in one.parameters.items() if name in names}
    assert (two.program_version, two.opt_version, two.feed_shapes()) == (one.program_version, one.opt_version, one.feed_shapes())


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: f"{file.parent.name} {file.stem}")
def test_the_committed_nets_stay_what_they_are(file: Path) -> None:
    content = file.read_bytes()
    smaller = minimise(content)
    assert_same_net(content, smaller)
    assert minimise(smaller) == smaller


@pytest.mark.data
def test_the_official_files_stay_what_they_are_in_a_third_of_their_topology(test_data: Path) -> None:
    for file in sorted((test_data / "models").glob("*slim/*.nb")):
        content = file.read_bytes()
        smaller = minimise(content)
        assert_same_net(content, smaller)
        assert nbfile.parse(smaller, "x").topology_bytes < 0.34 * nbfile.parse(content, "x").topology_bytes


def test_what_no_loader_reads_is_left_out() -> None:
    given = through_fc({"op_callstack": "a.py, line 3", "op_device": "", "use_cudnn": True, "in_num_col_dims": 2, "Input0_scale": [0.1]})
    attributes = nbfile.parse(minimise(given), "x").operators[1].attributes
    assert attributes == {
        KERNEL: "fc/def/4/1/1",
        "in_num_col_dims": 2,
        "Input0_scale": nbfile.parse(given, "x").operators[1].attributes["Input0_scale"],
    }


def test_variables_and_parameters_that_no_operator_names_are_left_out() -> None:
    given = through_fc({}, [Param("linear_0.w_0", [4, 3]), Param("left over", [1000])])
    model = nbfile.parse(minimise(given), "x")
    assert len(model.parameters) == 1
    assert "left over" not in model.variables


def test_names_of_inputs_stay_and_others_are_short() -> None:
    fc = nbfile.parse(minimise(through_fc({})), "x").operators[1]
    assert fc.inputs == {"Input": ["x"], "W": ["v0"]}


def test_a_short_name_that_is_taken_is_not_given_again() -> None:
    given = write_nb(
        [
            Op("feed", {"X": ["feed"]}, {"Out": ["v0"]}, {"col": 0}),
            Op("relu", {"X": ["v0"]}, {"Out": ["hidden"]}),
            Op("fetch", {"X": ["hidden"]}, {"Out": ["fetch"]}, {"col": 0}),
            Op("relu", {"X": ["hidden"]}, {"Out": ["unused"]}),
        ],
        [],
    )
    last = nbfile.parse(minimise(given), "x").operators[-1]
    assert (last.inputs, last.outputs) == ({"X": ["hidden"]}, {"Out": ["v1"]})


def test_attributes_named_after_a_variable_follow_it() -> None:
    fc = nbfile.parse(minimise(through_fc({"linear_0.w_0_quant_scale": [0.5, 0.25, 2.0], "a": 1})), "x").operators[1]
    assert fc.inputs["W"] == ["v0"]
    assert fc.attributes["v0_quant_scale"] == [0.5, 0.25, 2.0]
    assert list(fc.attributes) == sorted(fc.attributes)


def test_names_that_paddle_lite_knows_stay() -> None:
    name = "linear_0.w_0/target_trans_persistable"
    given = write_nb([Op("relu", {"X": [name]}, {"Out": ["y"]})], [Param(name, [2])])
    assert nbfile.parse(minimise(given), "x").operators[0].inputs == {"X": [name]}


def test_scales_keep_their_bits() -> None:
    scales = [0.1, 1e-8, 3.4e38, -0.0]
    given = through_fc({"W0_scale": scales})
    before, after = (nbfile.parse(content, "x").operators[1].attributes["W0_scale"] for content in (given, minimise(given)))
    assert repr(after) == repr(before)


def test_the_bytes_after_the_version_do_not_matter() -> None:
    assert minimise(through_fc({}, version=b"v2.13-rc\0garbage")) == minimise(through_fc({}, version=b"v2.13-rc\0GARBAGE"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (write_nb([Op("relu")], [], meta=1), "net.nb: meta_version is 1, expected 2"),
        (b"\0\0" + linear_net(3)[2:], "net.nb: meta_version is 0, expected 1 or 2"),
        (linear_net(3)[:-1], "net.nb: parameter section: a field of"),
    ],
)
def test_other_files_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        minimise(content, "net.nb")
    assert message in caught.value.message


def test_programs_with_control_flow_are_refused() -> None:
    program = write({0: [{3: [{0: "while"}]}, {3: [{0: "relu"}]}]})
    content = linear_net(3)
    empty_section = bytes(4) + b"\6" + bytes(7)
    with pytest.raises(ModelError, match="the program has 2 blocks, expected 1"):
        minimise(content[:18] + len(program).to_bytes(8, "little") + program + empty_section)


def test_an_attribute_holds_the_field_of_its_type_alone() -> None:
    """As opt writes them: every vector and string of every attribute is there, empty."""
    attribute: Fields = {0: "axis", 1: Scalar("i", 3), 4: "", 5: Numbers("i", [1]), 6: Numbers("f", []), 7: [], 13: Numbers("q", [])}
    program = write({0: [{3: [{0: "relu", 1: [], 2: [], 3: [attribute]}]}]})
    section = bytes(4) + b"\6" + bytes(7)
    smaller = minimise(linear_net(3)[:18] + len(program).to_bytes(8, "little") + program + section)
    topology = FlatBuffer(memoryview(smaller)[26:-12], "x").root()
    (operator,) = next(topology.tables(0)).tables(3)
    (found,) = operator.tables(3)
    assert [number for number in range(16) if found.has(number)] == [0, 1, 5]
