"""The fonts of synthetic text: TrueType files of Debian packages (tools/apt-packages.txt), the same list in the same order everywhere."""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path

from PIL import ImageFont

from edgeocr.debian import install_command
from edgeocr.errors import SetupError

FOLDER = Path("/usr/share/fonts/truetype")
PACKAGES = {  # folder → package
    "dejavu": "fonts-dejavu-core",
    "freefont": "fonts-freefont-ttf",
    "lato": "fonts-lato",
    "liberation": "fonts-liberation",
    "open-sans": "fonts-open-sans",
    "roboto": "fonts-roboto-unhinted",
}
TOO_THIN = ("Hairline", "Thin", "ExtraLight")
PLAIN = ("DejaVuSans", "FreeSans", "Lato-Regular", "LiberationSans-Bold", "LiberationSans-Regular", "OpenSans-Regular", "Roboto-Regular")
FONTS_KEPT = 2000  # loaded ones, a font in two sizes counting twice


@cache
def font_files(folder: Path = FOLDER) -> tuple[Path, ...]:
    """Raises SetupError naming the packages that are missing."""
    missing = [package for name, package in PACKAGES.items() if not any((folder / name).rglob("*.ttf"))]
    if missing:
        raise SetupError(f"{folder}: the fonts of synthetic text are missing", f"as root: {shlex.join(install_command(missing))}")
    files = [file for name in PACKAGES for file in sorted((folder / name).rglob("*.ttf"))]
    return tuple(file for file in files if not any(thin in file.stem for thin in TOO_THIN))


@cache
def plain_fonts(folder: Path = FOLDER) -> tuple[Path, ...]:
    """The ones that print and screens use most."""
    return tuple(file for file in font_files(folder) if file.stem in PLAIN)


_loaded: dict[tuple[Path, int], ImageFont.FreeTypeFont] = {}


def load_font(file: Path, size: int) -> ImageFont.FreeTypeFont:
    """``size`` in pixels per em. The basic layout engine: it is in every build of Pillow and places glyphs alike everywhere."""
    key = file, size
    if key not in _loaded:
        if len(_loaded) >= FONTS_KEPT:
            _loaded.clear()
        _loaded[key] = ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)
    return _loaded[key]
