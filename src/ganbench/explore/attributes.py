"""What a change of an image is judged by: numbers that a person could name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ganbench.data.images import ImageSet
from ganbench.explore.probes import Probes, fit_probes
from ganbench.metrics import features_for
from ganbench.metrics.embedding import Features, Pixels
from ganbench.metrics.features import Trained

STATISTICS = ("brightness", "slant", "thickness", "width", "height")
"""Of grey images, which are taken for strokes."""

COLOUR_STATISTICS = ("brightness", "contrast", "sharpness", "light from the right", "saturation", "warmth")
"""Of images in colours, which are taken for photographs."""


class Measured(NamedTuple):
    """Attributes and features of images, a row an image."""

    values: Float[np.ndarray, "n a"]
    features: Float[np.ndarray, "n f"]


@dataclass(frozen=True, slots=True, eq=False)
class Attributes:
    """Image statistics, what probes read, and where the features are a classifier's the probability of each class.

    `classes` are the names of the classes that it reads, which are the data's.
    """

    features: Features
    classes: tuple[str, ...] = ()
    probes: Probes | None = None

    @classmethod
    def of_data(cls, data: ImageSet, features: str) -> Attributes:
        """What can be said of images like the data's, with the features of that name (`features_for`)."""
        found = features_for(data, features)
        return cls(found, data.classes, fit_probes(data, found))

    @property
    def reader(self) -> Trained | None:
        """The classifier, where its classes are those of the data."""
        return self.features if isinstance(self.features, Trained) and self.features.reads_labels else None

    def names(self, colour: bool) -> tuple[str, ...]:
        """The columns of what is measured."""
        read = tuple(f"reads as {name}" for name in self.classes) if self.reader else ()
        of_pixels = COLOUR_STATISTICS if colour else STATISTICS
        return (*of_pixels, *(self.probes.names if self.probes else ()), *read)

    def __call__(self, pixels: Pixels) -> Measured:
        parts, features = [statistics(pixels)], self.features(pixels).features
        if self.probes:
            parts.append(self.probes(features))
        if self.reader:
            parts.append(self.reader.probabilities(pixels))
        return Measured(np.concatenate(parts, axis=1), features)


def statistics(pixels: Pixels) -> Float[np.ndarray, "n a"]:
    """Of each image, grey or in colours, the numbers that `STATISTICS` or `COLOUR_STATISTICS` names.

    Brightness is the mean grey from 0 to 1, the grey of colours the mean of the three. Those of images in colours:

    - contrast: the standard deviation of grey;
    - sharpness: the mean |grad grey| over the contrast, a pixel;
    - light from the right: the mean grey of the right half less that of the left;
    - saturation: the mean of the greatest channel less the least; warmth: of red less blue.

    Those of grey images are of the ink, I = |grey - g|, which is how far it lies from the median g of the image's edge:

    - slant: -cov(x, y) / var(y) over the ink, y downwards: the tangent of the angle by which it leans to the right;
    - thickness: 2 sum I / sum |grad I|, which is the width of long strokes, in pixels;
    - width and height of the box around all ink above half of the greatest, in pixels.

    They are 0 where there is no ink, and no contrast.
    """
    x = pixels.astype(np.float64) / 255
    return _of_photographs(x) if x.ndim == 4 else _of_strokes(x)


def _of_photographs(x: Float[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n a"]:
    grey, half = x.mean(axis=3), x.shape[2] // 2
    contrast = grey.std(axis=(1, 2))
    down, right = np.diff(grey, axis=1)[:, :, :-1], np.diff(grey, axis=2)[:, :-1]
    columns = [
        grey.mean(axis=(1, 2)),
        contrast,
        _ratio(np.hypot(down, right).mean(axis=(1, 2)), contrast),
        grey[:, :, -half:].mean(axis=(1, 2)) - grey[:, :, :half].mean(axis=(1, 2)),
        (x.max(axis=3) - x.min(axis=3)).mean(axis=(1, 2)),
        (x[..., 0] - x[..., 2]).mean(axis=(1, 2)),
    ]
    return np.stack(columns, axis=1)


def _of_strokes(grey: Float[np.ndarray, "n h w"]) -> Float[np.ndarray, "n a"]:
    edge = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    ink = np.abs(grey - np.median(edge, axis=1)[:, None, None])
    columns = [grey.mean(axis=(1, 2)), _slant(ink), _thickness(ink), _extent(ink, axis=1), _extent(ink, axis=2)]
    return np.stack(columns, axis=1)


def _slant(ink: Float[np.ndarray, "n h w"]) -> Float[np.ndarray, " n"]:
    y, x = np.mgrid[: ink.shape[1], : ink.shape[2]].astype(np.float64)
    mass = ink.sum(axis=(1, 2))
    share = ink / np.where(mass > 0, mass, 1)[:, None, None]
    dx, dy = (axis - (share * axis).sum(axis=(1, 2))[:, None, None] for axis in (x, y))
    covariance, variance = ((share * dy * other).sum(axis=(1, 2)) for other in (dx, dy))
    return -_ratio(covariance, variance)


def _thickness(ink: Float[np.ndarray, "n h w"]) -> Float[np.ndarray, " n"]:
    # The ink ends at the image's edge.
    framed = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    down, right = np.diff(framed, axis=1)[:, :, :-1], np.diff(framed, axis=2)[:, :-1]
    return _ratio(2 * ink.sum(axis=(1, 2)), np.hypot(down, right).sum(axis=(1, 2)))


def _extent(ink: Float[np.ndarray, "n h w"], axis: int) -> Float[np.ndarray, " n"]:
    """How many pixels the ink reaches across, seen along an axis of the images."""
    most = ink.max(axis=(1, 2))
    seen = (ink > most[:, None, None] / 2).any(axis=axis)
    first, last = seen.argmax(axis=1), seen.shape[1] - seen[:, ::-1].argmax(axis=1)
    return np.where(most > 0, last - first, 0).astype(np.float64)


def _ratio(above: Float[np.ndarray, " n"], below: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The quotient; 0 where there is nothing to divide by."""
    there = below > 1e-9
    return np.where(there, above / np.where(there, below, 1), 0.0)
