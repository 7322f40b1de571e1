"""Images of several latents in one picture, as films and sliders show them."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ganbench.figures import tiles

_WIDE = 420
"""Pixels of width to which a frame is enlarged, about."""


def frame(pixels: UInt8[np.ndarray, "n h w *c"]) -> Image.Image:
    """The images in two rows.

    >>> frame(np.zeros((10, 28, 28), np.uint8)).size
    (432, 174)
    """
    images = tiles.as_images(pixels, "n")
    n, h, w, _ = images.shape
    across = -(-n // 2)
    factor = max(1, _WIDE // (across * w))
    lefts, tops = tiles.places(across + 1, factor * w), tiles.places(3 if n > 1 else 2, factor * h)
    corners = [(lefts[i % across], tops[i // across]) for i in range(n)]
    return tiles.lay(images, corners, (lefts[-1], tops[-1]), factor)
