"""What sheets are made of: images enlarged and laid out on a ground, with words around them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from ganbench.figures import style
from ganbench.types import UsageError

GROUND = style.FAINT
"""The colour between images: told apart from the black and the white edges that images have."""
GAP = 2
"""Pixels between neighbouring images, and around all of them."""
TITLE, LABEL = 16, 13
"""Sizes of letters, in pixels."""

_LONGEST = 900
"""Pixels of a sheet's longer side that enlarging keeps to, unless words beside the images ask for more."""
_TITLED = 300
"""Pixels of width that a title has at least, however narrow the images are."""
_MARGIN = 6


def as_images(pixels: UInt8[np.ndarray, "..."], axes: str) -> UInt8[np.ndarray, "n h w c"]:
    """The images of an array in their order, with one channel or three.

    `axes` names the axes before height and width, such as "n" or "rows, steps". Raises `UsageError` for what is no
    uint8 array of these axes, h, w and perhaps 3 colours, and for one without pixels.

    >>> as_images(np.zeros((2, 5, 28, 28), np.uint8), "rows, steps").shape
    (10, 28, 28, 1)
    """
    leading = len(axes.split(","))
    grey = pixels.ndim == leading + 2
    colour = pixels.ndim == leading + 3 and pixels.shape[-1] == 3
    if pixels.dtype != np.uint8 or not (grey or colour):
        raise UsageError(
            f"images to be shown are a uint8 array of shape ({axes}, h, w) or ({axes}, h, w, 3), "
            f"not {pixels.dtype} of shape {pixels.shape}"
        )
    if pixels.size == 0:
        raise UsageError(f"there is no image to be shown in an array of shape {pixels.shape}")
    h, w, *channels = pixels.shape[leading:]
    return pixels.reshape(-1, h, w, *(channels or [1]))


def enlargement(columns: int, rows: int, w: int, h: int, least: float = 1.0) -> int:
    """The whole factor for so many images of w times h pixels: the largest that keeps the sheet in bounds.

    It is never below `least`, nor below 1: a sheet of many or large images is larger than others.

    >>> enlargement(8, 8, 28, 28)
    3
    """
    across, down = ((_LONGEST - GAP * (count + 1)) // (count * side) for count, side in ((columns, w), (rows, h)))
    return max(1, math.ceil(least), min(across, down))


def places(count: int, side: int) -> list[int]:
    """Where `count` images of `side` pixels begin, side by side with thin gaps.

    >>> places(3, 10)
    [2, 14, 26]
    """
    return [GAP + i * (side + GAP) for i in range(count)]


def lay(
    images: UInt8[np.ndarray, "n h w c"], corners: Sequence[tuple[int, int]], size: tuple[int, int], factor: int
) -> Image.Image:
    """A picture of `size` (width, height) with each image, enlarged, at its left upper corner (x, y).

    Every pixel becomes `factor` times `factor` equal ones. The picture is grey ("L") where the images are.
    """
    picture = Image.new("L" if images.shape[-1] == 1 else "RGB", size, GROUND)
    for image, corner in zip(images, corners, strict=True):
        large = image.repeat(factor, axis=0).repeat(factor, axis=1)
        picture.paste(Image.fromarray(large.squeeze(axis=2) if picture.mode == "L" else large), corner)
    return picture


def grid(images: UInt8[np.ndarray, "n h w c"], columns: int, least: float = 1.0) -> tuple[Image.Image, int]:
    """Images row by row, `columns` a row, and the factor by which they are enlarged. Places left over stay empty."""
    n, h, w, _ = images.shape
    rows = math.ceil(n / columns)
    factor = enlargement(columns, rows, w, h, least)
    lefts, tops = places(columns + 1, factor * w), places(rows + 1, factor * h)
    corners = [(x, y) for y, x in product(tops[:-1], lefts[:-1])][:n]
    return lay(images, corners, (lefts[-1], tops[-1]), factor), factor


def text_width(text: str, size: int) -> int:
    """Pixels that a line of text takes."""
    return math.ceil(ImageFont.load_default(size).getlength(text))


def line_height(size: int) -> int:
    """Pixels from one line of text to the next: all letters lie within, those with tails too."""
    return round(1.3 * size)


def write(picture: Image.Image, corner: tuple[int, int], text: str, size: int) -> None:
    """Write lines of text with their left upper corner there."""
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    x, y = corner
    for i, line in enumerate(text.split("\n")):
        draw.text((x, y + i * line_height(size)), line, fill=style.INK, font=font)


def enlarged(picture: Image.Image, left: int = 0, top: int = 0, width: int = 0) -> Image.Image:
    """The picture with more ground on the left and above, and on the right up to `width`."""
    size = (max(left + picture.width, width), top + picture.height)
    room = Image.new(picture.mode, size, GROUND)
    room.paste(picture, (left, top))
    return room


def titled(picture: Image.Image, title: str, size: int = TITLE) -> Image.Image:
    """The picture below its title, in as many lines as it needs; the picture itself where the title is empty."""
    width = max(picture.width, _TITLED)
    text = _wrapped(title, size, width - 2 * _MARGIN)
    if not text:
        return picture
    top = _MARGIN + line_height(size) * len(text.split("\n"))
    room = enlarged(picture, top=top, width=width)
    write(room, (_MARGIN, _MARGIN), text, size)
    return room


def _wrapped(text: str, size: int, width: int) -> str:
    """The text in lines of at most `width` pixels."""
    font = ImageFont.load_default(size)
    for letters in range(max(min(len(text), width // 2), 1), 0, -1):
        wrapped = style.wrap(text, letters)
        if all(font.getlength(line) <= width for line in wrapped.split("\n")):
            break
    return wrapped


def with_row_names(picture: Image.Image, names: Sequence[str], tops: Sequence[int], height: int) -> Image.Image:
    """The picture with a name on the left of each row of images, of which each begins at its top."""
    width = max(text_width(name, LABEL) for name in names) + 2 * _MARGIN
    room = enlarged(picture, left=width)
    for name, top in zip(names, tops, strict=True):
        write(room, (_MARGIN, top + (height - line_height(LABEL)) // 2), name, LABEL)
    return room


def with_column_names(picture: Image.Image, names: Sequence[str], lefts: Sequence[int], side: int) -> Image.Image:
    """The picture with a name above each column of images; upright where one is wider than its column."""
    upright = any(text_width(name, LABEL) > side for name in names)
    words = [_word(name, picture.mode) for name in names]
    if upright:
        words = [word.transpose(Image.Transpose.ROTATE_90) for word in words]
    top = max(word.height for word in words) + (GAP if upright else 0)
    room = enlarged(picture, top=top)
    for word, left in zip(words, lefts, strict=True):
        room.paste(word, (left + (side - word.width) // 2, top - word.height))
    return room


def _word(text: str, mode: str) -> Image.Image:
    word = Image.new(mode, (max(1, text_width(text, LABEL)), line_height(LABEL)), GROUND)
    write(word, (0, 0), text, LABEL)
    return word
