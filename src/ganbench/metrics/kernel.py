"""The kernel distance between two sets of features: a maximum mean discrepancy without bias (arXiv:1801.01401)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ganbench.metrics.products import product
from ganbench.types import UsageError

ROWS = 512
"""Rows of a kernel matrix held at once."""


class KID(NamedTuple):
    """Mean and standard deviation of the squared discrepancy over subsets."""

    mean: float
    spread: float


def kid(
    a: Float[np.ndarray, "n f"], b: Float[np.ndarray, "m f"], subsets: int = 100, size: int = 1000, seed: int = 0
) -> KID:
    """Kernel inception distance: MMD^2 without bias under `k(u, v) = (u.v / f + 1)^3`, over random subsets.

    `E k(a, a') + E k(b, b') - 2 E k(a, b)`, pairs of an image with itself left out; each subset is `size` rows of
    each set. Its mean has no bias at any size and can be negative. Where a set has no more than `size` rows, the whole
    sets are the one subset and the spread is 0. arXiv:1801.01401. No unit.

    Raises UsageError for less than two rows, rows that are not finite, or different numbers of features.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise UsageError(f"KID is between two sets of two or more features of one width; here {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise UsageError("KID is of features that are finite; these are not")
    x, y = np.array(a, dtype=np.float64), np.array(b, dtype=np.float64)
    if min(len(x), len(y)) <= size:
        in_x, in_y = np.ones((1, len(x))), np.ones((1, len(y)))
    else:
        rng = np.random.default_rng(seed)
        in_x, in_y = _members(rng, subsets, size, len(x)), _members(rng, subsets, size, len(y))
    n, m = in_x.sum(axis=1), in_y.sum(axis=1)
    within = _within(x, in_x) / (n * (n - 1)) + _within(y, in_y) / (m * (m - 1))
    values = within - 2 * _between(x, y, in_x, in_y) / (n * m)
    return KID(float(values.mean()), float(values.std()))


def _members(rng: np.random.Generator, subsets: int, size: int, count: int) -> Float[np.ndarray, "s n"]:
    """A row of ones and zeros for each subset."""
    members = np.zeros((subsets, count))
    for row in members:
        row[rng.choice(count, size, replace=False)] = 1.0
    return members


def _kernel(u: Float[np.ndarray, "n f"], v: Float[np.ndarray, "m f"]) -> Float[np.ndarray, "n m"]:
    base = product(u, v.T)
    base /= u.shape[1]
    base += 1
    cube = base * base
    cube *= base
    return cube


def _between(
    x: Float[np.ndarray, "n f"], y: Float[np.ndarray, "m f"], in_x: np.ndarray, in_y: np.ndarray
) -> Float[np.ndarray, " s"]:
    """For each subset s the sum of k over its pairs: `s K t`. All subsets share one pass over the kernel matrix."""
    total = np.zeros(len(in_x))
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        total += (product(in_x[:, rows], _kernel(x[rows], y)) * in_y).sum(axis=1)
    return total


def _within(x: Float[np.ndarray, "n f"], members: Float[np.ndarray, "s n"]) -> Float[np.ndarray, " s"]:
    """The sum of k over ordered pairs of different rows: twice what is above the diagonal."""
    total = np.zeros(len(members))
    for start in range(0, len(x), ROWS):
        rows, later = slice(start, start + ROWS), slice(start + ROWS, None)
        here = members[:, rows]
        block = _kernel(x[rows], x[rows])
        np.fill_diagonal(block, 0.0)
        total += (product(here, block) * here).sum(axis=1)
        if start + ROWS < len(x):
            total += 2 * (product(here, _kernel(x[rows], x[later])) * members[:, later]).sum(axis=1)
    return total
