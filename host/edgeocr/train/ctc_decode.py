"""Characters ↔ classes of a CTC recogniser: class 0 is the blank, the dictionary follows, then perhaps the space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeocr.errors import ModelError

BLANK = 0


class CtcLabels:
    def __init__(self, characters: Sequence[str]) -> None:
        """``characters`` of classes 1, 2, …"""
        self.characters = ["", *characters]
        self.classes = {character: number for number, character in enumerate(self.characters) if number != BLANK}

    @classmethod
    def read(cls, dictionary: Path, *, use_space_char: bool = True) -> CtcLabels:
        """A dictionary file has one character a line. Raises ModelError."""
        try:
            lines = dictionary.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as e:
            raise ModelError(f"{dictionary}: cannot be read as a dictionary: {e}") from e
        characters = [line.rstrip("\r") for line in lines if line.rstrip("\r")]
        if not characters:
            raise ModelError(f"{dictionary}: is empty, expected one character a line")
        return cls([*characters, " "] if use_space_char else characters)

    def __len__(self) -> int:
        """Classes, the blank included."""
        return len(self.characters)

    def encode(self, text: str) -> NDArray[np.int32] | None:
        """The classes of ``text``; None if it has a character that is not in the dictionary."""
        if any(character not in self.classes for character in text):
            return None
        return np.array([self.classes[character] for character in text], np.int32)

    def decode(self, probabilities: NDArray[np.float32]) -> list[str]:
        """[N,T,classes] → N texts: the best class of each step, repetitions joined, blanks dropped."""
        best = probabilities.argmax(axis=2)
        kept = best != BLANK
        kept[:, 1:] &= best[:, 1:] != best[:, :-1]
        return ["".join(self.characters[c] for c in row[keep]) for row, keep in zip(best, kept, strict=True)]


def steps_needed(classes: NDArray[np.int32]) -> int:
    """The fewest steps of the net that CTC can lay ``classes`` on: equal neighbours need a blank between."""
    return len(classes) + int((classes[1:] == classes[:-1]).sum())
