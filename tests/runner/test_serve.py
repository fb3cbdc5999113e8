"""`edgeocr_run serve`: requests on stdin."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from runner_process import Finished, Models, Runner


def served(runner: Runner, models: Models, *requests: object, options: Sequence[str] = ()) -> Finished:
    lines = [request if isinstance(request, bytes) else json.dumps(request).encode() for request in requests]
    return runner.run("serve", *models, *options, stdin=b"\n".join(lines))


def answers(done: Finished) -> list[tuple[str, Any]]:
    return [(record["type"], record.get("id")) for record in done.records]


@contextmanager
def conversation(runner: Runner, models: Models) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    process = subprocess.Popen([*runner.prefix, "serve", *map(str, models)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    try:
        yield process.stdin, process.stdout
        process.stdin.close()
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def test_end_of_input_ends_it(native: Runner, own_models: Models) -> None:
    done = served(native, own_models)
    assert (done.code, answers(done), done.stderr) == (0, [("hello", None)], "")


def test_quit_ends_it_with_requests_left(native: Runner, own_models: Models, sign: Path) -> None:
    done = served(native, own_models, {"id": 1, "quit": True}, {"id": 2, "picture": str(sign)})
    assert (done.code, answers(done)) == (0, [("hello", None)])


def test_every_record_carries_the_id_of_its_request(native: Runner, own_models: Models, sign: Path) -> None:
    done = served(
        native,
        own_models,
        {"id": 7, "picture": str(sign), "repeats": 2},
        {"id": "b", "picture": "/none.png"},
        {"id": 9, "picture": str(sign)},
    )
    assert done.code == 0
    assert answers(done) == [
        ("hello", None),
        *[("picture", 7), ("picture", 7), ("done", 7)],
        *[("error", "b"), ("done", "b")],
        *[("picture", 9), ("done", 9)],
    ]
    assert [record["repeat"] for record in done.of_type("picture")] == [0, 1, 0]


def test_a_picture_is_read_as_by_ocr(native: Runner, own_models: Models, sign: Path) -> None:
    by_serve = served(native, own_models, {"id": 1, "picture": str(sign)}).of_type("picture")[0]
    by_ocr = native.run("ocr", *own_models, sign).of_type("picture")[0]
    for record in (by_serve, by_ocr):
        record.pop("ms")
        record.pop("id", None)
    assert by_serve == by_ocr


def test_options_are_defaults_of_the_requests(native: Runner, own_models: Models, sign: Path) -> None:
    request = {"id": 1, "picture": str(sign)}
    done = served(native, own_models, request, {**request, "repeats": 1}, options=["--repeats", "2"])
    assert [kind for kind, _ in answers(done)] == ["hello", "picture", "picture", "done", "picture", "done"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b'{"id":1,"picture":"/x"',
        b"[1]",
        b'{"picture":"/x"}',
        b'{"id":[1],"picture":"/x"}',
        b"\xff\xfe{}",
        b"\0",
        b"[" * 50_000,
        b'{"id":1,"picture":"' + b"x" * 70_000 + b'"}',
    ],
)
def test_a_malformed_request_gives_one_error_and_the_next_is_answered(native: Runner, own_models: Models, line: bytes) -> None:
    done = served(native, own_models, line, {"id": 2, "picture": "/none.png"})
    assert (done.code, done.stderr) == (0, "")
    assert answers(done) == [("hello", None), ("error", None), ("error", 2), ("done", 2)]
    message = done.records[1]["message"]
    assert message and "\n" not in message and len(message) < 300


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "request has no picture"),
        ({"picture": 1}, "request's picture is not a path"),
        ({"picture": "/x", "repeats": 0}, "request's repeats is not an integer from 1 to 1000000"),
        ({"picture": "/x", "thread": 1}, "request has the unknown member 'thread', expected id, picture, repeats or quit"),
    ],
)
def test_a_request_with_an_id_is_answered_by_it(native: Runner, own_models: Models, members: dict[str, Any], message: str) -> None:
    done = served(native, own_models, {"id": 5, **members})
    assert answers(done) == [("hello", None), ("error", 5), ("done", 5)]
    assert done.records[1]["message"] == message


def test_answers_come_while_stdin_is_open(runner: Runner, own_models: Models) -> None:
    with conversation(runner, own_models) as (requests, records):
        assert json.loads(records.readline())["type"] == "hello"
        for number in range(3):
            requests.write(json.dumps({"id": number, "picture": "/none.png"}).encode() + b"\n")
            requests.flush()
            assert json.loads(records.readline())["id"] == number
            assert json.loads(records.readline()) == {"type": "done", "id": number}
