"""Images with words below each: what was misread, which labels are doubted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ganbench.figures import tiles
from ganbench.types import UsageError

_LETTERS = 11
_LARGEST = 80
"""Pixels to which an image is enlarged, more or less, however few there are."""
_APART = 4
"""Pixels between a caption and the next row."""


class Row(NamedTuple):
    """Images side by side, each with its caption, of one or more lines; the name stands on their left."""

    name: str
    pixels: UInt8[np.ndarray, "n h w *c"]
    captions: Sequence[str]


def captioned_sheet(pixels: UInt8[np.ndarray, "n h w *c"], captions: Sequence[str], title: str = "") -> Image.Image:
    """All images, row by row, about as wide as high, each above its caption.

    `pixels` are uint8 of shape (n, h, w) or (n, h, w, 3). Raises `UsageError` for other arrays, no images, and counts
    that do not fit.
    """
    tiles.as_images(pixels, "n")
    across = min(len(pixels), max(8, math.ceil(math.sqrt(2 * len(pixels)))))
    starts = range(0, len(pixels), across)
    return captioned_rows([Row("", pixels[i : i + across], captions[i : i + across]) for i in starts], title)


def captioned_rows(rows: Sequence[Row], title: str = "") -> Image.Image:
    """Rows of images of one size, each image above its caption; rows may differ in length.

    Raises `UsageError` for no rows, for other arrays than those of images of one size, and counts that do not fit.
    """
    if not rows:
        raise UsageError("a sheet of captioned images has at least one row")
    images = [tiles.as_images(row.pixels, "n") for row in rows]
    if len({row.shape[1:] for row in images}) > 1:
        raise UsageError(f"the images of a sheet are of one size, not {' and '.join({str(x.shape) for x in images})}")
    if wrong := [row for row in rows if len(row.captions) != len(row.pixels)]:
        raise UsageError(f"{len(wrong[0].pixels)} images have as many captions, not {len(wrong[0].captions)}")
    _, h, w, _ = images[0].shape
    lines = [line for row in rows for caption in row.captions for line in caption.split("\n")]
    deep = max(caption.count("\n") + 1 for row in rows for caption in row.captions)
    most = max(map(len, images))
    widest = max(tiles.text_width(line, _LETTERS) for line in lines)
    least = (widest + 2) / w
    factor = min(tiles.enlargement(most, len(rows), w, h, least), max(1, math.ceil(max(least, _LARGEST / max(h, w)))))
    wide, high = factor * w, factor * h
    step = high + deep * tiles.line_height(_LETTERS) + _APART
    tops = [tiles.GAP + i * step for i in range(len(rows))]
    lefts = tiles.places(most + 1, wide)
    corners = [(x, y) for row, y in zip(images, tops, strict=True) for x in lefts[: len(row)]]
    picture = tiles.lay(np.concatenate(images), corners, (lefts[-1], tiles.GAP + len(rows) * step), factor)
    for (x, y), caption in zip(corners, [caption for row in rows for caption in row.captions], strict=True):
        tiles.write(picture, (x, y + high), caption, _LETTERS)
    if any(row.name for row in rows):
        picture = tiles.with_row_names(picture, [row.name for row in rows], tops, high)
    return tiles.titled(picture, title)
