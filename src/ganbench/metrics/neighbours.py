"""Nearest neighbours among features: precision and recall, density and coverage, and how near the training images are.

The ball of a row of features reaches to its k-th nearest other row of its own set (Euclidean distance).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ganbench.metrics.products import product
from ganbench.types import UsageError

ROWS = 512
"""Rows of a distance matrix held at once."""

PRECISION_K, DENSITY_K = 3, 5
"""Neighbours of the two pairs of metrics, as in their papers."""


class Neighbours(NamedTuple):
    """Four shares (density may pass 1) of how two sets overlap."""

    precision: float
    recall: float
    density: float
    coverage: float


def neighbours(
    real: Float[np.ndarray, "n f"],
    generated: Float[np.ndarray, "m f"],
    precision_k: int = PRECISION_K,
    density_k: int = DENSITY_K,
) -> Neighbours:
    """Precision and recall (arXiv:1904.06991), density and coverage (arXiv:2002.09797).

    precision: generated rows within any real ball; recall: real rows within any generated ball (k = `precision_k`).
    density: real balls around a generated row, on average, over k; coverage: real balls with a generated row in
    them (k = `density_k`). Two samples of one density have density 1 and coverage `1 - 2^-k` nearly.

    Raises UsageError for different numbers of features or no more rows than k.
    """
    k = max(precision_k, density_k)
    if real.shape[1:] != generated.shape[1:] or min(len(real), len(generated)) <= k:
        raise UsageError(
            f"precision, recall, density and coverage need more than {k} rows of features on each side, of one width; "
            f"here {real.shape} and {generated.shape}"
        )
    real, generated = _centred(real, generated)
    wide, narrow = radii(real, (density_k, precision_k)).T
    (around_generated,) = radii(generated, (precision_k,)).T
    inside, counted = np.zeros(len(generated), dtype=bool), np.zeros(len(generated))
    recalled, covered = [], []
    for start in range(0, len(real), ROWS):
        rows = slice(start, start + ROWS)
        squared = _squared(real[rows], generated)
        inside |= (squared <= narrow[rows, None]).any(axis=0)
        in_wide: Bool[np.ndarray, "rows m"] = squared <= wide[rows, None]
        counted += in_wide.sum(axis=0)
        covered.append(in_wide.any(axis=1))
        recalled.append((squared <= around_generated).any(axis=1))
    return Neighbours(
        float(inside.mean()),
        float(np.concatenate(recalled).mean()),
        float(counted.mean() / density_k),
        float(np.concatenate(covered).mean()),
    )


def radii(x: Float[np.ndarray, "n f"], ks: tuple[int, ...]) -> Float[np.ndarray, "n ks"]:
    """Squared distances from each row to its k-th nearest other row, for each k."""
    found = []
    for start in range(0, len(x), ROWS):
        squared = _squared(x[start : start + ROWS], x)
        own = np.arange(len(squared))
        squared[own, start + own] = np.inf
        found.append(np.partition(squared, [k - 1 for k in ks], axis=1)[:, [k - 1 for k in ks]])
    return np.concatenate(found)


class Nearest(NamedTuple):
    """For each row the distances to its k nearest rows of another set, in feature units, and their places in it."""

    distances: Float[np.ndarray, "n k"]
    places: Int[np.ndarray, "n k"]


def nearest(x: Float[np.ndarray, "n f"], among: Float[np.ndarray, "m f"], k: int = 1) -> Nearest:
    """The k nearest rows of another set to each row, nearest first; all where it has fewer than k.

    The search is in float32, the distance to what it finds in float64: 0 to a copy.

    >>> nearest(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [6.0, 8.0]])).distances
    array([[5.]])
    """
    k = min(k, len(among))
    a, b = (part.astype(np.float32) for part in _centred(x, among))
    places = np.concatenate([_least(_squared(a[start : start + ROWS], b), k) for start in range(0, len(a), ROWS)])
    distances = np.linalg.norm(x[:, None].astype(np.float64) - among[places], axis=2)
    order = distances.argsort(axis=1)
    return Nearest(np.take_along_axis(distances, order, axis=1), np.take_along_axis(places, order, axis=1))


def _least(squared: Float[np.ndarray, "n m"], k: int) -> Int[np.ndarray, "n k"]:
    """The places of the k least values of each row, which are overwritten: for few k far quicker than a partition."""
    places = np.empty((len(squared), k), dtype=np.int64)
    for column in range(k):
        places[:, column] = squared.argmin(axis=1)
        np.put_along_axis(squared, places[:, column : column + 1], np.inf, axis=1)
    return places


def _centred(x: np.ndarray, y: np.ndarray) -> tuple[Float[np.ndarray, "n f"], Float[np.ndarray, "m f"]]:
    """Both in float64 with the second's mean at 0: `|a|^2 + |b|^2 - 2 a.b` then loses little to rounding."""
    mean = y.mean(axis=0, dtype=np.float64)
    return x - mean, y - mean


def _squared(x: Float[np.ndarray, "n f"], y: Float[np.ndarray, "m f"]) -> Float[np.ndarray, "n m"]:
    squared = product(x, y.T)
    squared *= -2
    squared += np.square(x).sum(axis=1)[:, None]
    squared += np.square(y).sum(axis=1)
    return np.maximum(squared, 0.0, out=squared)
