"""What is recorded of nets, found by the sha256 of their files, never by name: accuracy (`edgeocr eval`), estimated cycles (`make a76`).

A record counts where it was made as `edgeocr bench` reads: on the whole of today's frozen evaluation set, in the same arithmetic (mode.py);
estimates with one thread. The committed records are under benchmarks/results; those of build/eval.json, which `edgeocr eval` writes, count
for what is not committed. Of several records of a net in a file the first counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from edgeocr.bench.mode import Mode
from edgeocr.errors import DataError

T = TypeVar("T")

ACCURACY_FILE, ESTIMATES_FILE = "accuracy.json", "a76.json"
SHARES = {"det": "hmean", "rec": "exact"}


@dataclass(frozen=True)
class Score:
    """How accurate a net is on a frozen evaluation set."""

    share: float  # 0…1: hmean of a detector's boxes, lines that a recogniser reads letter by letter
    pictures: int
    device: str  # kind of the one that computed it: host, emulated or phone
    frozen: str  # sha256 of the evaluation set


@dataclass(frozen=True)
class Estimate:
    """What one run of a net costs, by counting and scheduling instructions: no phone, no cache misses."""

    a76_cycles: int  # Cortex-A76 cycles, one thread
    input: str  # N,C,H,W


@dataclass(frozen=True)
class Net:
    """What records are found by."""

    kind: str  # det or rec
    sha256: str  # of the .nb file


@dataclass(frozen=True)
class Recorded:
    scores: dict[Net, Score]
    estimates: dict[Net, Estimate]
    absent: tuple[Path, ...] = ()  # files of committed records that are not there


def load_recorded(results: Path, own_evaluation: Path, frozen: Mapping[str, str], mode: Mode) -> Recorded:
    """The records in ``results``, and those that the user's own evaluation adds, of nets computed in ``mode``.

    ``frozen``: det and rec → sha256 of today's evaluation set. Raises DataError for a file that cannot be used.
    """
    accuracy, estimates = results / ACCURACY_FILE, results / ESTIMATES_FILE
    score, estimate = partial(_score, frozen=frozen, mode=mode), partial(_estimate, mode=mode)
    return Recorded(
        scores=_parse(own_evaluation, score) | _parse(accuracy, score),
        estimates=_parse(estimates, estimate),
        absent=tuple(path for path in (accuracy, estimates) if not path.exists()),
    )


def other_evaluations(path: Path, made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records of `edgeocr eval` in ``path`` but for those that ``made`` has anew: one net, computed alike, on the same pictures.

    Raises DataError for a file that `edgeocr eval` did not write.
    """
    renewed = [_measurement(record) for record in made]
    recorded = _records(path, lambda record: (_measurement(record), record))
    return [record for measurement, record in recorded if measurement not in renewed]


def _measurement(record: dict[str, Any]) -> tuple[Any, ...]:
    """What makes two evaluations the same one, taken twice."""
    model, labels = (_typed(_typed(record[name], dict)["sha256"], str) for name in ("model", "labels"))
    asked = record["precision"], record["int8"], record.get("dynamic_int8", False), record["limit"]
    return model, record["net"], *asked, labels, record.get("frozen"), record["device"]


def _parse(path: Path, parse: Callable[[dict[str, Any]], tuple[Net, T] | None]) -> dict[Net, T]:
    """Every record that ``parse`` does not leave out; none without the file."""
    found: dict[Net, T] = {}
    for entry in _records(path, parse):
        if entry is not None:
            found.setdefault(*entry)
    return found


def _records(path: Path, parse: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    """What ``parse`` makes of each record; nothing without the file."""
    if not path.exists():
        return
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{path}: is not JSON: {error}") from None
    if not isinstance(document, list):
        raise DataError(f"{path}: is no list of records")
    for number, record in enumerate(document):
        try:
            parsed = parse(_typed(record, dict))
        except KeyError as error:
            raise DataError(f"{path}: record {number}: has no {error}") from None
        except ValueError as error:
            raise DataError(f"{path}: record {number}: {error}") from None
        yield parsed


def _score(record: dict[str, Any], frozen: Mapping[str, str], mode: Mode) -> tuple[Net, Score] | None:
    kind = _typed(record["net"], str)
    int8, precision, limit = (record[name] for name in ("int8", "precision", "limit"))
    if kind not in SHARES or limit is not None or record.get("frozen") != frozen[kind]:
        return None
    if not mode.evaluated(kind, precision, int8, record.get("dynamic_int8", False)):
        return None
    share = _typed(_typed(record["scores"], dict)[SHARES[kind]], float, int)
    if not 0 <= share <= 1:
        raise ValueError(f"{SHARES[kind]} is {share}, expected 0…1")
    score = Score(float(share), _typed(record["pictures"], int), _typed(record["device"], str), frozen[kind])
    return Net(kind, _typed(_typed(record["model"], dict)["sha256"], str)), score


def _estimate(record: dict[str, Any], mode: Mode) -> tuple[Net, Estimate] | None:
    """Records without a sha256 (a whole picture by several nets, nets of before there was one) belong to no file."""
    kind = _typed(record["net"], str)
    if kind not in SHARES or "sha256" not in record or record["precision"] not in mode.estimated(kind) or record["threads"] != 1:
        return None
    cycles = _typed(record["a76_cycles"], int)
    if cycles <= 0:
        raise ValueError(f"a76_cycles is {cycles}, expected a positive number")
    return Net(kind, _typed(record["sha256"], str)), Estimate(cycles, _typed(record["input"], str))


def _typed(value: Any, *types: type) -> Any:
    if not isinstance(value, types) or isinstance(value, bool):
        raise ValueError(f"{json.dumps(value)[:40]} found, expected {types[0].__name__}")
    return value
