"""Text as ink: a mask that touches the text's outermost pixels on all four sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MARGIN = 4  # pixels around the text, for glyphs that leave their box
VISIBLE = 60  # of 255: fainter pixels are no ink when the mask is cut

Mask = NDArray[np.uint8]  # [height, width], 255 where there is ink


def draw_ink(text: str, font: ImageFont.FreeTypeFont, spacing: int = 0) -> Mask | None:
    """The text in one line, ``spacing`` pixels between letters beyond the font's own. None where nothing is visible."""
    ascent, descent = font.getmetrics()
    pieces = [text] if spacing == 0 else list(text)
    starts, width = [], 0.0
    for piece in pieces:
        starts.append(width)
        width += font.getlength(piece) + spacing
    image = Image.new("L", (int(width + font.size / 2) + 2 * MARGIN, ascent + descent + 2 * MARGIN), 0)
    draw = ImageDraw.Draw(image)
    for piece, start in zip(pieces, starts, strict=True):
        draw.text((start + MARGIN, MARGIN), piece, font=font, fill=255)
    mask = np.asarray(image)
    rows, columns = (np.flatnonzero(mask.max(axis) > VISIBLE) for axis in (1, 0))
    if not len(rows):
        return None
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
