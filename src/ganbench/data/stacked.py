"""Stacked MNIST: three grey images as the channels of one, and with k classes k^3 known modes."""

from __future__ import annotations

import numpy as np

from ganbench.data.images import STACKED, ImageSet
from ganbench.types import UsageError

MOST = 100
"""Classes of a set that can be stacked: a million modes."""


def stacked(base: ImageSet, count: int = 128_000, seed: int = 0) -> ImageSet:
    """`count` images whose red, green and blue are random images a, b, c of the base, drawn with replacement.

    Of k classes the label is `(a k + b) k + c`: with ten digits the number that red, green and blue read.
    The protocol and the count are those of PacGAN (arXiv:1712.04086).

    Raises UsageError: the base is not grey, has no labels, or more than a hundred classes.

    >>> base = ImageSet("two", np.array([[[0]], [[255]]], dtype=np.uint8), np.array([0, 1]))
    >>> first = stacked(base, count=1)
    >>> first.pixels[0, 0, 0].tolist(), first.classes[first.labels[0]]
    ([255, 255, 255], '111')
    """
    if base.pixels.ndim != 3 or base.labels is None:
        lack = "has colours" if base.pixels.ndim != 3 else "has no labels"
        raise UsageError(f"{STACKED}{base.name}: {base.name} {lack}, and grey images with labels can be stacked")
    if len(base.classes) > MOST:
        raise UsageError(f"{STACKED}{base.name}: {len(base.classes):,} classes, of which {MOST} can be stacked")
    chosen = np.random.default_rng(seed).integers(len(base), size=(count, 3))
    pixels = np.empty((count, *base.pixels.shape[1:], 3), np.uint8)
    for channel in range(3):
        pixels[..., channel] = base.pixels[chosen[:, channel]]
    pixels.setflags(write=False)  # so that the set need not copy it
    kinds = len(base.classes)
    labels = base.labels[chosen] @ np.array([kinds**2, kinds, 1])
    return ImageSet(f"{STACKED}{base.name}", pixels, labels, _triples(base.classes), base.notes)


def _triples(classes: tuple[str, ...]) -> tuple[str, ...]:
    between = "" if all(len(name) == 1 for name in classes) else "-"
    return tuple(between.join((a, b, c)) for a in classes for b in classes for c in classes)
