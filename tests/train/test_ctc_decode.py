from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeocr.errors import ModelError
from edgeocr.train.ctc_decode import CtcLabels, steps_needed

LABELS = CtcLabels(["a", "b", " "])


def one_hot(*rows: list[int]) -> NDArray[np.float32]:
    return np.asarray(np.eye(len(LABELS))[np.array(rows)], np.float32)


@pytest.mark.parametrize(
    ("steps", "text"),
    [([1, 1, 1, 0], "a"), ([1, 0, 1, 0], "aa"), ([0, 1, 2, 2], "ab"), ([1, 3, 2, 0], "a b"), ([0, 0, 0, 0], ""), ([2, 1, 1, 2], "bab")],
)
def test_repetitions_join_and_blanks_vanish(steps: list[int], text: str) -> None:
    assert LABELS.decode(one_hot(steps)) == [text]


def test_lines_of_a_batch_are_apart() -> None:
    assert LABELS.decode(one_hot([1, 1], [1, 2], [0, 2])) == ["a", "ab", "b"]


def test_texts_and_their_classes() -> None:
    classes = LABELS.encode("ab a")
    assert classes is not None
    assert classes.tolist() == [1, 2, 3, 1]
    assert LABELS.encode("abc") is None


@pytest.mark.parametrize(("text", "steps"), [("", 0), ("a", 1), ("ab", 2), ("aa", 3), ("aab b", 6)])
def test_equal_neighbours_need_a_step_between(text: str, steps: int) -> None:
    classes = LABELS.encode(text)
    assert classes is not None
    assert steps_needed(classes) == steps


def test_a_dictionary_file(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_bytes("ä\r\nb\n".encode())
    assert CtcLabels.read(tmp_path / "keys.txt").characters == ["", "ä", "b", " "]
    assert len(CtcLabels.read(tmp_path / "keys.txt", use_space_char=False)) == 3


def test_a_dictionary_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "latin.txt").write_bytes(b"\xe4\n")
    for name, message in [("empty.txt", "is empty"), ("latin.txt", "cannot be read"), ("none.txt", "cannot be read")]:
        with pytest.raises(ModelError, match=message):
            CtcLabels.read(tmp_path / name)
