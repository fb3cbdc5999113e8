"""What synthetic text says: words, prices, dates, addresses and random strings of printable ASCII."""

from __future__ import annotations

import zlib

from numpy.random import Generator

CHARACTERS = "".join(map(chr, range(33, 127)))  # the dictionary models/edgeocr_en/en_keys.txt; the space is apart, as PaddleOCR has it
RANDOM_STRINGS = 0.25  # of all lines: what no language model could guess

_WORDS = """
about account address after airport all amount apples arrival at bakery balance bank begin best black blue book bottle box bread
bridge building bus butter cafe call card careful cash caution centre change cheese chicken city class clean close closed coffee cold
contact customer daily date days delivery deposit desk dinner discount door down drink east edit electric end engine entrance error exit
family fast fax file fire first fish floor flight food for free fresh from fruit garden gate gift glass gold green guide half hall
harbour help high home hospital hot hotel hour house ice in information invoice island item juice kitchen lane large last left level
library light limit line list local lunch main map market meat medium meeting member menu message middle milk mill mobile model morning
museum music name network new next night no north number of off offer office oil old on one only open orange order out page paid paper
park parking party pass password payment people phone picture piece platform please police post power press price private product public
pull push quantity quay quick rail receipt red register repair reset rice right river road room route salad sale salt school score sea
seat section serial server service shop sign silver small soap south speed square staff stairs start station stop store street subtotal
sugar summer sun switch table tax taxi tea telephone terminal test text thank the ticket time to today toilet total tower town track
traffic train tram tree two type under unit until up use user valley value vat village visit voltage wait walk warm warning watch water
way weather web week weight welcome west white wifi window wine winter with wood work year yellow you zone
"""
WORDS = _WORDS.split()

ONSETS = (*"bcdfghjklmnprstvwxz", "ch", "cl", "gr", "sh", "st", "th", "tr")
NUCLEI = (*"aeiouy", "ai", "ea", "ie", "oo", "ou")
CODE_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ('"', '"'), ("'", "'"))
TAILS = ",.:;!?-"
HELD_OUT = 10  # every tenth text is kept for evaluation


def is_held_out(content: str) -> bool:
    """Evaluation sets have held-out texts alone and training sets none of them, whatever their seeds and sizes."""
    return zlib.crc32(content.encode()) % HELD_OUT == 0


def line(rng: Generator, shortest: int, longest: int) -> str:
    """``shortest`` to ``longest`` characters without spaces at the ends or two in a row."""
    length = int(rng.integers(shortest, longest + 1))
    if rng.random() < RANDOM_STRINGS:
        return _random_string(rng, length)
    words = _chunk(rng)
    while len(words) < length:
        words += " " + _chunk(rng)
    cut = " ".join(words[:length].split())
    return cut if len(cut) >= shortest else line(rng, shortest, longest)


def _random_string(rng: Generator, length: int) -> str:
    text = _draw(rng, CHARACTERS, length)
    if length > 4 and rng.random() < 0.4:
        space = int(rng.integers(1, length - 1))
        text = f"{text[:space]} {text[space + 1 :]}"
    return text


def _chunk(rng: Generator) -> str:
    kind = rng.random()
    if kind < 0.45:
        return _word(rng)
    if kind < 0.55:
        return _digits(rng, int(rng.integers(1, 8)))
    if kind < 0.63:
        return _amount(rng)
    if kind < 0.68:
        day, month = int(rng.integers(1, 32)), int(rng.integers(1, 13))
        return f"{day:02}/{month:02}/{_digits(rng, 4)}" if rng.random() < 0.5 else f"{day % 24:02}:{_digits(rng, 2)}"
    if kind < 0.72:
        return f"{_word(rng).lower()}@{_word(rng).lower()}.com" if rng.random() < 0.5 else f"www.{_word(rng).lower()}.org"
    if kind < 0.77:
        opening, closing = BRACKETS[int(rng.integers(len(BRACKETS)))]
        return opening + _word(rng) + closing
    if kind < 0.84:
        return _word(rng) + _draw(rng, TAILS, 1)
    if kind < 0.9:
        return _draw(rng, CODE_CHARACTERS, int(rng.integers(2, 9)))
    return _draw(rng, CHARACTERS, int(rng.integers(1, 7)))


def _word(rng: Generator) -> str:
    if rng.random() < 0.6:
        word = WORDS[int(rng.integers(len(WORDS)))]
    else:
        syllables = range(int(rng.integers(1, 4)))
        word = "".join(ONSETS[int(rng.integers(len(ONSETS)))] + NUCLEI[int(rng.integers(len(NUCLEI)))] for _ in syllables)
    form = rng.random()
    return word.upper() if form < 0.25 else word.capitalize() if form < 0.55 else word


def _amount(rng: Generator) -> str:
    sign = "$" if rng.random() < 0.5 else ""
    return f"{sign}{_digits(rng, int(rng.integers(1, 4)))}.{_digits(rng, 2)}" + ("%" if rng.random() < 0.1 else "")


def _digits(rng: Generator, count: int) -> str:
    return _draw(rng, "0123456789", count)


def _draw(rng: Generator, characters: str, count: int) -> str:
    return "".join(characters[int(k)] for k in rng.integers(0, len(characters), count))
