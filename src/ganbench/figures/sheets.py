"""Sheets of images: plain, with a label a column, and rows of steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ganbench.figures import tiles
from ganbench.types import UsageError


def sheet(pixels: UInt8[np.ndarray, "n h w *c"], columns: int | None = None, title: str = "") -> Image.Image:
    """All images, row by row, enlarged by a whole factor; near-square without `columns`.

    `pixels` are uint8 of shape (n, h, w) or (n, h, w, 3). The longer side is at most 900 pixels, unless the images
    themselves take more: they are never made smaller. Raises `UsageError` for other arrays, no images, or
    `columns` below 1.

    >>> sheet(np.zeros((64, 28, 28), np.uint8)).size
    (690, 690)
    """
    images = tiles.as_images(pixels, "n")
    n, h, w, _ = images.shape
    if columns is None:
        columns = min(n, math.ceil(math.sqrt(n * h / w)))
    if columns < 1:
        raise UsageError(f"a sheet has at least 1 column, not {columns}")
    picture, _ = tiles.grid(images, columns)
    return tiles.titled(picture, title)


def labelled_sheet(
    pixels: UInt8[np.ndarray, "n h w *c"],
    rows_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str = "",
) -> Image.Image:
    """A table of images, row by row: one noise vector a row, one label a column, whose names stand beside them.

    `pixels` are uint8 of shape (n, h, w) or (n, h, w, 3), with n a multiple of the number of columns.
    `rows_labels` is empty or has a name for each row. Raises `UsageError` for other arrays, no columns, and
    counts that do not fit.
    """
    images = tiles.as_images(pixels, "n")
    if not column_labels or len(images) % len(column_labels):
        raise UsageError(
            f"a labelled sheet has one image in each row and column, and {len(images)} images "
            f"do not fill rows of {len(column_labels)}"
        )
    return _table(images, rows_labels, column_labels, len(column_labels), title)


def sweep(
    pixels: UInt8[np.ndarray, "rows steps h w *c"], row_names: Sequence[str] = (), title: str = ""
) -> Image.Image:
    """Rows of steps, as an InfoGAN code (arXiv:1606.03657) or an interpolation goes through them, left to right.

    `pixels` are uint8 of shape (rows, steps, h, w) or (rows, steps, h, w, 3). `row_names` is empty or has a name
    for each row. Raises `UsageError` for other arrays and for counts that do not fit.

    >>> sweep(np.zeros((2, 10, 28, 28), np.uint8), ["code 1", "code 2"]).mode
    'L'
    """
    images = tiles.as_images(pixels, "rows, steps")
    return _table(images, row_names, (), pixels.shape[1], title)


def _table(
    images: UInt8[np.ndarray, "n h w c"],
    row_names: Sequence[str],
    column_names: Sequence[str],
    columns: int,
    title: str,
) -> Image.Image:
    _, h, w, _ = images.shape
    rows = len(images) // columns
    if row_names and len(row_names) != rows:
        raise UsageError(f"a sheet of {rows} rows needs a name for each or none, not {len(row_names)}")
    row_names, column_names = ([" ".join(name.split()) for name in names] for names in (row_names, column_names))
    # A row is at least as high, a column at least as wide, as a line of text beside it.
    line = tiles.line_height(tiles.LABEL)
    least = max(line / h if row_names else 1, line / w if column_names else 1)
    picture, factor = tiles.grid(images, columns, least)
    if column_names:
        height = picture.height
        picture = tiles.with_column_names(picture, column_names, tiles.places(columns, factor * w), factor * w)
        above = picture.height - height
    else:
        above = 0
    if row_names:
        tops = [above + top for top in tiles.places(rows, factor * h)]
        picture = tiles.with_row_names(picture, row_names, tops, factor * h)
    return tiles.titled(picture, title)
