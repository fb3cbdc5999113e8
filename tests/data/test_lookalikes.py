"""Texts that the font leaves open: found, kept out of lines, and nothing else with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from edgeocr.data.synth import lines, text
from edgeocr.data.synth.fonts import font_files, load_font
from edgeocr.data.synth.lines import Level, make_line
from edgeocr.data.synth.lookalikes import CANDIDATES, is_unclear, lookalikes
from edgeocr.data.synth.text import is_held_out


def font(stem: str) -> Path:
    return next(file for file in font_files() if file.stem == stem)


@pytest.mark.parametrize(
    ("stem", "found"),
    [("LiberationSans-Regular", "Il"), ("Lato-Regular", "Il"), ("DejaVuSansMono", "0O"), ("LiberationSerif-Regular", "")],
)
def test_lookalikes_of_a_font(stem: str, found: str) -> None:
    assert lookalikes(font(stem)) == set(found)


def test_every_font_is_judged() -> None:
    assert all(lookalikes(file) <= set(CANDIDATES) for file in font_files())


@pytest.mark.parametrize("content", ["pl#I", "xIl", "I", "l 5", "sw6l", "mIx", "word lX;"])
def test_unclear_texts(content: str) -> None:
    assert is_unclear(content, font("LiberationSans-Regular"))
    assert not is_unclear(content, font("DejaVuSansMono")), "which draws I, l, | and 1 apart"


@pytest.mark.parametrize("content", ["Item", "TAXI", "(little)", "mail@hotel.com", "$10.01", "11:10", "a b#c", "Best MILL 0.50"])
def test_words_and_numbers_are_clear(content: str) -> None:
    assert not any(is_unclear(content, file) for file in font_files())


def test_no_line_is_unclear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of lines that all would be, in the one font that leaves them open."""
    fonts = (font("LiberationSans-Regular"), font("DejaVuSansMono"))
    monkeypatch.setattr(lines, "font_files", lambda: fonts)
    used: list[str] = []

    def loaded(file: Path, size: int) -> ImageFont.FreeTypeFont:
        used.append(file.stem)
        return load_font(file, size)

    monkeypatch.setattr(lines, "load_font", loaded)
    monkeypatch.setattr(text, "line", lambda rng, shortest, longest: "x#lI;")
    rng = np.random.default_rng(0)
    held_out = is_held_out("x#lI;")
    for _ in range(20):
        assert make_line(rng, Level.USUAL, height=32, most_width=320, lengths=(3, 8), held_out=held_out).text == "x#lI;"
    assert set(used) == {"DejaVuSansMono"}
