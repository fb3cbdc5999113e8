"""Texts that nobody could read for certain: in most sans-serif fonts I and l are one stroke, and no word around it tells which."""

from __future__ import annotations

import re
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edgeocr.data.synth.fonts import load_font

CANDIDATES = "Il|1O0"
ALIKE = 0.8  # intersection over union of two glyphs' ink from which a blurred line does not tell them apart
SIZE = 96  # pixels per em at which glyphs are compared


def is_unclear(content: str, font: Path) -> bool:
    """Whether ``content`` has, outside of words and numbers, a glyph that ``font`` draws like another."""
    alike = lookalikes(font)
    return any(alike.intersection(part) and not _tells_by_itself(part) for part in content.split())


@cache
def lookalikes(font: Path) -> frozenset[str]:
    """Those of `CANDIDATES` that ``font`` draws like another of them."""
    loaded = load_font(font, SIZE)
    ink = {character: _centred_ink(character, loaded) for character in CANDIDATES}
    return frozenset(c for pair in combinations(CANDIDATES, 2) if _overlap(*(ink[c] for c in pair)) >= ALIKE for c in pair)


def _tells_by_itself(part: str) -> bool:
    """A word of two letters or more in one case, capitalised perhaps, or a number."""
    if "|" in part:
        return False
    letters, digits = re.sub(r"[^A-Za-z]", "", part), re.search(r"\d", part)
    if digits:
        return not letters
    return len(letters) > 1 and (letters.islower() or letters.isupper() or letters.istitle())


def _centred_ink(character: str, font: ImageFont.FreeTypeFont) -> NDArray[np.bool_]:
    """The glyph at its height in the line, in the middle of a square of two ems."""
    image = Image.new("L", (2 * SIZE, 2 * SIZE), 0)
    left, _, right, _ = font.getbbox(character)
    ImageDraw.Draw(image).text((SIZE - (left + right) / 2, SIZE / 4), character, font=font, fill=255)
    return np.asarray(image) > 127


def _overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))
