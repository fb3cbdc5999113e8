"""Greedy CTC decoding and dictionaries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle_ocr
import pytest
from ocr_steps import StepError, Steps

KEYS = ["a", "é", "货", "😀", "''", "b"]
DICTIONARY = "\n".join(KEYS).encode()


def test_text_and_score_equal_paddle_ocr(steps: Steps, rng: np.random.Generator) -> None:
    for _ in range(2000):
        length = int(rng.integers(0, 40))
        classes = rng.integers(0, len(KEYS) + 2, length)
        classes[rng.random(length) < 0.4] = 0
        classes = np.repeat(classes, rng.integers(1, 3, length)).tolist()
        probabilities = rng.random(len(classes), dtype=np.float32).tolist()
        text, score = steps.decode_ctc(DICTIONARY, classes, probabilities)
        expected, expected_score = paddle_ocr.ctc_text(KEYS, classes, probabilities)
        assert text == expected
        assert score == pytest.approx(expected_score, abs=1e-6)


def test_a_class_beyond_the_dictionary_is_refused(steps: Steps) -> None:
    with pytest.raises(StepError, match="dictionary: class is 8, expected 1 to 7"):
        steps.decode_ctc(DICTIONARY, [8], [1.0])


@pytest.mark.parametrize("text", ["a\nb\nc", "a\nb\nc\n", "a\r\nb\r\nc\r\n", "\ufeffa\nb\nc\n"])
def test_line_ends_and_byte_order_mark(steps: Steps, text: str) -> None:
    decoded, _ = steps.decode_ctc(text.encode(), [1, 2, 3, 4], [1.0] * 4)
    assert decoded == "abc "


def test_dictionary_of_the_wrong_size_is_refused(steps: Steps, tmp_path: Path) -> None:
    path = tmp_path / "en_keys.txt"
    path.write_bytes(DICTIONARY)
    assert steps.load_dictionary(path) == len(KEYS) + 2
    assert steps.load_dictionary(path, len(KEYS) + 2) == len(KEYS) + 2
    with pytest.raises(StepError) as failure:
        steps.load_dictionary(path, 6625)
    said = "6 keys give 8 classes (blank, keys, space), but rec.nb has 6625: this dictionary belongs to another recogniser"
    assert str(failure.value) == f"{path}: {said}"


@pytest.mark.parametrize(("data", "said"), [
    (b"", "no key in it, expected one key a line"),
    (b"\xef\xbb\xbf", "no key in it, expected one key a line"),
    (b"a\n\xff\xfe\n", "line 2 is not UTF-8, expected one key of a dictionary"),
    (b"a\n" * (1 << 19) + b"b", "expected at most 1048576"),
], ids=["empty", "mark only", "not UTF-8", "too large"])  # fmt: skip
def test_what_is_no_dictionary_is_refused(steps: Steps, tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "keys.txt"
    path.write_bytes(data)
    with pytest.raises(StepError) as failure:
        steps.load_dictionary(path)
    assert str(failure.value).startswith(f"{path}: ")
    assert said in str(failure.value)


@pytest.mark.data
def test_the_public_dictionary_has_the_classes_of_its_recogniser(steps: Steps, test_data: Path) -> None:
    assert steps.load_dictionary(test_data / "models" / "ppocr_mobile_v2.0_slim" / "ppocr_keys_v1.txt", 6625) == 6625
