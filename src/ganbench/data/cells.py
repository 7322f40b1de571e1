"""From one grey captcha to a cell for each of its characters: threshold, cut, fit."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Int, UInt8
from PIL import Image
from pydantic import Field, PositiveInt
from scipy import ndimage

from ganbench.settings import settings
from ganbench.types import UsageError

Ink: TypeAlias = Bool[np.ndarray, "h w"]
"""Where the ink is."""

_MARGIN = 1  # pixels of ground around a character in its cell, so that no stroke begins at an edge
_SPECK = 0.1  # of the inked pixels that a character has on average: what has less is no character
_WIDEST = 1.25  # of a character's share of the span: what is wider is not one that fell apart
_NARROWEST = 0.25  # of that share: what is narrower is no character
_UNEVEN = 0.25  # of a character's share of a piece: so far at most from even parts is where the next one should begin
_AWAY = 1.5  # inked pixels that a cut may cross less for each pixel that it is away from where a character should begin


@settings
class Cells:
    """How a captcha is cut into the cells of its characters.

    `size`: the side of a cell, in pixels. `cut`: `components` takes connected ink as a character, parts what touches
    and joins what fell apart; `equal` parts the span of the ink into equal widths. `threshold`: the grey level up to
    which a pixel is dark; `otsu` finds it for each image. `characters`: how many a captcha has.
    """

    size: Annotated[int, Field(ge=4)] = 20
    cut: Literal["components", "equal"] = "components"
    threshold: Literal["otsu"] | Annotated[int, Field(ge=0, le=255)] = "otsu"
    characters: PositiveInt = 4

    def of(self, image: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "characters size size"]:
        """The cells from left to right: white ink on black, as MNIST's digits are.

        Captchas dark on light and light on dark become alike so, and a network's padding with zeros adds ground.

        Raises UsageError with the reason where the image does not come to so many cells.
        """
        ink = ink_of(image, self.threshold)
        if _in_lines(ink):
            raise UsageError(f"its ink is in several lines, where {self.characters} characters in a row are read")
        parts = CUTS[self.cut](ink, self.characters)
        return np.stack([_fitted(part, self.size) for part in parts])


def otsu(image: UInt8[np.ndarray, "h w"]) -> int:
    """The level t for which the classes x <= t and x > t differ most: n0 n1 (m0 - m1)^2 is largest, m being means.

    With N pixels of sum S, of which n of sum s are up to t, that is (S n - N s)^2 / (n (N - n)) but for a factor. Otsu,
    IEEE Transactions on Systems, Man and Cybernetics 9 (1979).

    Raises UsageError where all pixels are of one shade.
    """
    histogram = np.bincount(image.ravel(), minlength=256).astype(np.float64)
    n, s = histogram.cumsum(), (histogram * np.arange(256)).cumsum()
    both = n * (n[-1] - n)
    if not both.any():
        raise UsageError("all of the image is of one shade")
    return int(np.divide((s[-1] * n - n[-1] * s) ** 2, both, out=np.zeros(256), where=both > 0).argmax())


def ink_of(image: UInt8[np.ndarray, "h w"], threshold: Literal["otsu"] | int = "otsu") -> Ink:
    """The ink of an image: the rarer of dark and light, as letters leave more than half of an image free.

    Raises UsageError where the threshold leaves only one of them.
    """
    dark = image <= (otsu(image) if threshold == "otsu" else threshold)
    count = np.count_nonzero(dark)
    if count in (0, dark.size):
        raise UsageError(f"all of the image is {'dark' if count else 'light'} at level {threshold}")
    return dark if 2 * count <= dark.size else ~dark


def equal_parts(ink: Ink, count: int) -> list[Ink]:
    """The ink's span in `count` equal widths: margins, which differ from source to source, do not count.

    Raises UsageError where a part has no ink.
    """
    first, span = _span(ink)
    edges = first + np.linspace(0, span, count + 1).round().astype(int)
    parts = [ink[:, left:right] for left, right in pairwise(edges)]
    if empty := [i for i, part in enumerate(parts, 1) if not part.any()]:
        raise UsageError(f"part {empty[0]} of {count} equal ones has no ink")
    return parts


def connected_parts(ink: Ink, count: int) -> list[Ink]:
    """Connected ink (8 neighbours), from left to right, made `count` parts.

    Specks are joined to what they all but touch, or left out; what stands above each other is one. Of too many pieces
    those two are joined, again and again, that are narrowest together. Of too few the widest for its number of
    characters is parted where little ink crosses and the next character should begin, if characters begin at an even
    pitch and come to nearly even parts of the piece: ink alone would rather lose a leg of M, and the pitch of few
    pieces may lie beyond the ink.

    Raises UsageError where pieces to be joined are wider than a character, and where what is to be parted is narrower.
    """
    share = _span(ink)[1] / count
    pieces = _pieces(ink, count)
    while len(pieces) > count:
        _join_narrowest(pieces, _WIDEST * share, count)
    spans = [_span(piece) for piece in pieces]
    held = [1] * len(pieces)
    while sum(held) < count:
        widths = [width / (n + 1) for (_, width), n in zip(spans, held, strict=True)]
        if max(widths) < max(_NARROWEST * share, 1):
            raise UsageError(f"{_counted(pieces)} too narrow to be {count} characters")
        held[int(np.argmax(widths))] += 1
    before = np.cumsum([0, *held[:-1]])
    pitch, start = share, float(spans[0][0])
    if 1 < len(pieces) < count:
        pitch, start = np.polyfit(before, [first for first, _ in spans], 1)
    parts = []
    for piece, i, n in zip(pieces, before, held, strict=True):
        parts += _parted(piece, [start + pitch * (i + j) for j in range(1, n)])
    if not all(part.any() for part in parts):  # between a piece and a speck that was joined to it
        raise UsageError(f"{_counted(pieces)} not to be parted as {count} characters")
    return parts


CUTS: dict[str, Callable[[Ink, int], list[Ink]]] = {"components": connected_parts, "equal": equal_parts}


def _span(ink: Ink) -> tuple[int, int]:
    """The first column that has ink, and how many there are from it to the last."""
    inked = np.flatnonzero(ink.any(axis=0))
    return int(inked[0]), int(inked[-1] - inked[0]) + 1


def _in_lines(ink: Ink) -> bool:
    """Whether free rows part the ink into bands of which the highest has less than half of the height of all.

    Bands with less than a quarter of the most inked one's pixels do not count: they are specks, or a letter's dot.
    """
    rows = np.flatnonzero(ink.any(axis=1))
    bands = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    inked = [np.count_nonzero(ink[band]) for band in bands]
    lines = [band for band, count in zip(bands, inked, strict=True) if 4 * count >= max(inked)]
    return 2 * max(map(len, lines)) < lines[-1][-1] - lines[0][0] + 1


def _pieces(ink: Ink, count: int) -> list[Ink]:
    """The connected pieces in the order of their middles, without specks."""
    labels, found = ndimage.label(ink, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=found + 1)[1:]
    large = sizes >= min(_SPECK * sizes.sum() / count, sizes.max())
    boxes = ndimage.find_objects(labels)
    kept = np.flatnonzero(large)  # few, however many specks there are
    owner = np.where(large, np.arange(1, found + 1), 0)
    for speck in np.flatnonzero(~large):
        gaps = [_gap(boxes[speck], boxes[i]) for i in kept]
        if min(gaps) <= 1:
            owner[speck] = kept[np.argmin(gaps)] + 1
    labels = np.append(0, owner)[labels]
    middles = [(boxes[i][1].start + boxes[i][1].stop, i) for i in kept]
    return _stacked([labels == i + 1 for _, i in sorted(middles)])


def _stacked(pieces: list[Ink]) -> list[Ink]:
    """Neighbours that share more than half of the narrower's columns joined: they stand above each other."""
    joined = pieces[:1]
    for piece in pieces[1:]:
        (a, wide), (b, width) = _span(joined[-1]), _span(piece)
        if 2 * (min(a + wide, b + width) - max(a, b)) > min(wide, width):
            joined[-1] = joined[-1] | piece
        else:
            joined.append(piece)
    return joined


def _gap(a: tuple[slice, slice], b: tuple[slice, slice]) -> int:
    """Pixels that lie free between two boxes, the more of across and down."""
    return max(max(x.start, y.start) - min(x.stop, y.stop) for x, y in zip(a, b, strict=True))


def _join_narrowest(pieces: list[Ink], widest: float, count: int) -> None:
    joined = [a | b for a, b in pairwise(pieces)]
    widths = [_span(piece)[1] for piece in joined]
    i = int(np.argmin(widths))
    if widths[i] > widest:
        raise UsageError(f"{_counted(pieces)} more than {count} characters")
    pieces[i : i + 2] = [joined[i]]


def _parted(piece: Ink, starts: list[float]) -> list[Ink]:
    """One piece cut before the columns near those starts where least ink crosses, each part at least a pixel wide."""
    if not starts:
        return [piece]
    first, width = _span(piece)
    share = width / (len(starts) + 1)
    columns = np.arange(piece.shape[1])
    crossing = _crossing(piece)
    edges = [0]
    for left, expected in enumerate(starts, 1):
        start = float(np.clip(expected, first + share * (left - _UNEVEN), first + share * (left + _UNEVEN)))
        room = columns[max(edges[-1], first) + 1 : first + width - len(starts) + left]
        edges.append(int(room[np.argmin(crossing[room] + _AWAY * np.abs(room - start))]))
    edges.append(piece.shape[1])
    return [piece & (columns >= left) & (columns < right) for left, right in pairwise(edges)]


def _crossing(ink: Ink) -> Int[np.ndarray, "w"]:
    """For each column how many of its inked pixels touch ink of the column before."""
    before = ink[:, :-1].copy()
    before[1:] |= ink[:-1, :-1]
    before[:-1] |= ink[1:, :-1]
    return np.append(0, (before & ink[:, 1:]).sum(axis=0))


def _counted(pieces: list[Ink]) -> str:
    return f"{len(pieces)} pieces of ink are" if len(pieces) != 1 else "one piece of ink is"


def _fitted(ink: Ink, size: int) -> UInt8[np.ndarray, "size size"]:
    """The ink's box as large as the cell allows, in its own proportions, in the middle; edges in shades of grey."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = (size - 2 * _MARGIN) / max(box.shape)
    height, width = (max(1, round(scale * side)) for side in box.shape)
    # Pillow's bilinear filter averages over all that a pixel covers when it makes smaller, and does not overshoot.
    fitted = Image.fromarray(box.astype(np.uint8) * 255).resize((width, height), Image.Resampling.BILINEAR)
    cell = np.zeros((size, size), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    cell[top : top + height, left : left + width] = np.asarray(fitted)
    return cell
