"""Whole captchas beside the cells that were cut from them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ganbench.figures.tiles import GAP, GROUND, LABEL, line_height, text_width, titled, write

_ROW = 48
"""Pixels of height, at most, that a captcha and its cells are shown in."""
_COLUMNS = 3
_APART = 12


def captcha_sheet(
    images: Sequence[UInt8[np.ndarray, "h w"]],
    cells: Sequence[UInt8[np.ndarray, "k size size"]],
    texts: Sequence[str],
    title: str = "",
) -> Image.Image:
    """Each captcha, its cells from left to right and its text in a row, three rows beside each other."""
    strips = [_strip([image, *parts], text) for image, parts, text in zip(images, cells, texts, strict=True)]
    width, height = (
        max(side) + gap for side, gap in zip(zip(*(s.size for s in strips), strict=True), (_APART, GAP), strict=True)
    )
    sheet = Image.new("L", (_COLUMNS * width, math.ceil(len(strips) / _COLUMNS) * height + GAP), GROUND)
    for i, strip in enumerate(strips):
        sheet.paste(strip, (i % _COLUMNS * width + GAP, i // _COLUMNS * height + GAP))
    return titled(sheet, title)


def _strip(pictures: Sequence[UInt8[np.ndarray, "h w"]], text: str) -> Image.Image:
    shown = [_shown(picture) for picture in pictures]
    width = sum(picture.width + GAP for picture in shown)
    strip = Image.new("L", (width + text_width(text, LABEL) + 2 * GAP, _ROW), GROUND)
    left = 0
    for picture in shown:
        strip.paste(picture, (left, (_ROW - picture.height) // 2))
        left += picture.width + GAP
    write(strip, (left + GAP, (_ROW - line_height(LABEL)) // 2), text, LABEL)
    return strip


def _shown(pixels: UInt8[np.ndarray, "h w"]) -> Image.Image:
    """As large as a row allows, by a whole factor; smaller where it is higher than the row."""
    picture = Image.fromarray(pixels)
    if picture.height <= _ROW:
        factor = max(1, _ROW // picture.height)
        return picture.resize((factor * picture.width, factor * picture.height), Image.Resampling.NEAREST)
    return picture.resize((max(1, round(picture.width * _ROW / picture.height)), _ROW), Image.Resampling.LANCZOS)
