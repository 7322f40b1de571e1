"""Generated images beside the training images that are nearest to them: whether a generator repeats its data."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from ganbench.figures import style, tiles
from ganbench.types import UsageError

_FRAME, _APART, _GROUPS = 3, 12, 28
"""Pixels of the frame around a generated image, from there to its neighbours, and between groups."""
_LETTERS = 11
_SAID = "framed: generated; beside it the nearest training images, nearest first"


def neighbours(
    generated: UInt8[np.ndarray, "n h w *c"],
    nearest: UInt8[np.ndarray, "n k h w *c"],
    distances: Float[np.ndarray, "n k"] | None = None,
    title: str = "",
) -> Image.Image:
    """Each generated image, framed, beside its k nearest training images; below these their distances.

    Images are uint8 of one size, grey or with 3 colours; distances are in any unit, which the title may name.
    Raises `UsageError` for other arrays, no images, and shapes that do not fit each other.
    """
    fakes, reals = tiles.as_images(generated, "n"), tiles.as_images(nearest, "n, k")
    n, k = nearest.shape[:2]
    if generated.shape != (n, *nearest.shape[2:]):
        raise UsageError(
            "each generated image has neighbours of its own size, but the shapes are "
            f"{generated.shape} for the generated and {nearest.shape} for the nearest images"
        )
    if distances is not None and distances.shape != (n, k):
        raise UsageError(f"{n} times {k} neighbours have distances of shape {(n, k)}, not {distances.shape}")
    words = [] if distances is None else [f"{distance:.3g}" for distance in distances.ravel()]
    picture = _groups(fakes, reals, words)
    said = _SAID + ("; below, the distance" if words else "")
    return tiles.titled(tiles.titled(picture, said, tiles.LABEL), title)


def _groups(fakes: UInt8[np.ndarray, "n h w c"], reals: UInt8[np.ndarray, "m h w c"], words: list[str]) -> Image.Image:
    """Groups of one generated image and its neighbours, about as wide together as high."""
    n, h, w, _ = fakes.shape
    k = len(reals) // n
    across = max(1, round(math.sqrt(n * h / (w * (k + 1)))))
    rows = math.ceil(n / across)
    widest = max((tiles.text_width(word, _LETTERS) for word in words), default=0)
    factor = tiles.enlargement(across * (k + 1), rows, w, h, least=(widest + 4) / w)
    wide, high = factor * w, factor * h
    group = wide + _APART + k * (wide + tiles.GAP) + _GROUPS
    row = high + 3 * _FRAME + (tiles.line_height(_LETTERS) if words else 0)
    edge = _FRAME + tiles.GAP
    firsts = [(edge + i % across * group, edge + i // across * row) for i in range(n)]
    others = [(x + wide + _APART + j * (wide + tiles.GAP), y) for x, y in firsts for j in range(k)]
    size = (edge + min(n, across) * group - _GROUPS, edge + rows * row)
    picture = tiles.lay(np.concatenate((fakes, reals)), firsts + others, size, factor).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for x, y in firsts:
        frame = (x - _FRAME, y - _FRAME, x + wide + _FRAME - 1, y + high + _FRAME - 1)
        draw.rectangle(frame, outline=style.FAKE, width=_FRAME)
    for (x, y), word in zip(others if words else [], words, strict=True):
        tiles.write(picture, (x + (wide - tiles.text_width(word, _LETTERS)) // 2, y + high), word, _LETTERS)
    return picture
