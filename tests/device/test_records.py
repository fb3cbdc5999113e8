"""Records: what the protocol says is taken, what is more is ignored, what is less is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from script_runner import BENCH, HELLO, INFO, NODE, PICTURE

from edgeocr.device.records import (
    BenchRecord,
    ErrorRecord,
    HelloRecord,
    InfoRecord,
    NodeRecord,
    PictureRecord,
    RecordError,
    UnknownRecord,
    parse_record,
)


def parse(record: dict[str, Any], **changes: Any) -> Any:
    return parse_record(json.dumps({**record, **changes}))


def test_hello() -> None:
    assert parse(HELLO) == HelloRecord(1, "0.1.0", "aarch64", ("asimd",), 1)


def test_hello_of_another_protocol_needs_nothing_else() -> None:
    assert parse_record('{"type":"hello","protocol":2}') == HelloRecord(2, "unknown", "", (), 0)


def test_a_picture() -> None:
    record = parse(PICTURE)
    assert isinstance(record, PictureRecord)
    assert (record.picture, record.size, record.det_input, record.det_sum) == ("PICTURE", (640, 480), (1, 3, 480, 640), 12.5)
    (line,) = record.lines
    assert (line.box, line.text, line.kept) == (((1, 2), (3, 2), (3, 4), (1, 4)), '文字 \\ " text', True)
    assert record.ms == {"decode": 1.0, "det": 2.5, "total": 9.0}


def test_the_others() -> None:
    assert parse(BENCH) == BenchRecord("MODEL", "00", (1, 3, 32, 320), (1, 80, 6625), 1, (1.5, 1.0), 3.0, 10, 20, 30, 40, 5.5)
    assert parse(NODE) == NodeRecord(0, "conv2d", "generic.conv2d.int8", "1x8x16x160", 7, 9, 0, 0.5)
    assert parse({key: value for key, value in NODE.items() if key != "ms"}).ms is None
    assert parse(INFO) == InfoRecord(2, "v2.10", {"conv2d": 3}, 100, 400, (1, 3, 32, 320), "int8")
    assert parse_record('{"type":"error","picture":"p","message":"m"}') == ErrorRecord("p", "m")
    assert parse_record('{"type":"error","message":"m"}') == ErrorRecord("", "m")


@pytest.mark.parametrize("record", [HELLO, PICTURE, BENCH, NODE, INFO])
def test_fields_of_a_newer_runner_are_ignored(record: dict[str, Any]) -> None:
    assert parse(record, newer=[1, {"x": None}]) == parse(record)


def test_a_type_of_a_newer_runner_is_passed_on() -> None:
    assert parse_record(b'{"type":"newer","x":1}\r\n') == UnknownRecord("newer", {"type": "newer", "x": 1})


@pytest.mark.parametrize("record", [HELLO, PICTURE, BENCH, NODE, INFO])
def test_a_missing_field_is_named(record: dict[str, Any]) -> None:
    for name in set(record) - {"type"} - ({"ms"} if record is NODE else set()):
        with pytest.raises(RecordError, match=f"field {name} of the runner's {record['type']} record is missing, expected"):
            parse({key: value for key, value in record.items() if key != name})


@pytest.mark.parametrize(
    ("record", "name", "value"),
    [
        (HELLO, "protocol", "1"),
        (HELLO, "protocol", True),
        (HELLO, "isa", [1]),
        (PICTURE, "size", [1]),
        (PICTURE, "size", [1, "2"]),
        (PICTURE, "det_sum", None),
        (PICTURE, "lines", {}),
        (PICTURE, "lines", [1]),
        (PICTURE, "ms", {"det": "fast"}),
        (BENCH, "ms", [True]),
        (BENCH, "macs", 1.5),
        (INFO, "operators", {"conv2d": "many"}),
    ],
)
def test_a_field_of_the_wrong_type_is_named(record: dict[str, Any], name: str, value: object) -> None:
    with pytest.raises(RecordError, match=rf"field {name} of the runner's {record['type']} record .*expected"):
        parse(record, **{name: value})


@pytest.mark.parametrize("box", [[[1, 2]] * 3, [[1, 2, 3]] * 4, [["1", 2]] * 4, [[True, 2]] * 4, [1, 2, 3, 4]])
def test_a_box_has_four_corners(box: list[Any]) -> None:
    with pytest.raises(RecordError, match="expected four corners"):
        parse(PICTURE, lines=[{**PICTURE["lines"][0], "box": box}])  # type: ignore[index]


@pytest.mark.parametrize("line", ["", "Segmentation fault", "[1]", "{}", '{"type":1}', "x" * 1000, b"\xff\xfe", '{"type":"hello"'])
def test_what_is_no_record_is_shown(line: str | bytes) -> None:
    with pytest.raises(RecordError, match="the runner wrote ") as caught:
        parse_record(line)
    assert len(caught.value.message) < 160
