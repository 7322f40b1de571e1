"""The Fréchet distance between Gaussians of the same mean and covariance as two sets of features (arXiv:1706.08500)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ganbench.metrics.products import nuclear_norm, product, symmetric_root
from ganbench.types import UsageError

PARTS = 10
"""Disjoint parts into which `fid_spread` cuts both sets, fewer only where a part would be a single row."""


class Moments(NamedTuple):
    """Mean and covariance (divisor n - 1) of a set of features, in float64."""

    mean: Float[np.ndarray, " f"]
    covariance: Float[np.ndarray, "f f"]

    @classmethod
    def of(cls, features: Float[np.ndarray, "n f"]) -> Moments:
        """Raises UsageError unless there are two rows or more, all finite."""
        if features.ndim != 2 or len(features) < 2 or not np.isfinite(features).all():
            raise UsageError(
                f"a Fréchet distance needs two or more rows of finite features; here the shape is {features.shape}"
            )
        mean = features.mean(axis=0, dtype=np.float64)
        centred = features - mean
        return cls(mean, product(centred.T, centred) / (len(features) - 1))


def fid(a: Float[np.ndarray, "n f"], b: Float[np.ndarray, "m f"]) -> float:
    """Fréchet distance `|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^(1/2) C_b C_a^(1/2))^(1/2))`, in squared feature units.

    Covariances may be of any rank. It is biased upward, by about c / n for n images a side: figures are comparable
    at one n only. arXiv:1706.08500, 1801.01401 (the bias). Raises UsageError for less than two rows, for rows that
    are not finite, or for different numbers of features.

    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(fid(x, x + np.array([2.0, 0.0, 0.0])), 6)
    4.0
    """
    if a.shape[1:] != b.shape[1:]:
        raise UsageError(f"a Fréchet distance is between features of one width; here {a.shape} and {b.shape}")
    return frechet(Moments.of(a), Moments.of(b))


def frechet(a: Moments, b: Moments) -> float:
    """The distance of `fid` between two Gaussians.

    The trace of the root is the sum of the singular values of `C_a^(1/2) C_b^(1/2)`, symmetric roots from
    eigenproblems: no product is squared before its root is taken, so that rank-deficient covariances stay exact.
    """
    root = nuclear_norm(product(symmetric_root(a.covariance), symmetric_root(b.covariance)))
    apart = np.square(a.mean - b.mean).sum()
    return max(0.0, float(apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * root))


def fid_spread(a: Float[np.ndarray, "n f"], b: Float[np.ndarray, "m f"], seed: int = 0) -> float:
    """Standard error of `fid(a, b)` by the jackknife, `sqrt((p - 1)/p sum_i (f_i - mean f)^2)` over p = 10 parts.

    `f_i` is the distance without the i-th of the disjoint random parts of both sets. Each f_i is biased upward as
    `fid` is, at nine tenths of its n; the bias is common to all and cancels. It is the spread over draws of images
    from one generator, not over trainings. Raises UsageError for less than four rows.
    """
    if (least := min(len(a), len(b))) < 4:
        raise UsageError(f"the spread of a Fréchet distance needs four or more rows; here one set has {least}")
    parts, rng = min(PARTS, least // 2), np.random.default_rng(seed)
    without = [_all_but_one(x, np.array_split(rng.permutation(len(x)), parts)) for x in (a, b)]
    distances = np.array([frechet(one, other) for one, other in zip(*without, strict=True)])
    return float(np.sqrt((parts - 1) * distances.var()))


def _all_but_one(features: Float[np.ndarray, "n f"], rows: list[Int[np.ndarray, "part"]]) -> list[Moments]:
    """The moments without each part, from sums over parts, so that the features are gone through once."""
    centre = features.mean(axis=0, dtype=np.float64)
    x = features - centre  # sums of squares then lose nothing to the mean
    parts = [x[part] for part in rows]
    sums, squares = np.array([p.sum(axis=0) for p in parts]), np.array([product(p.T, p) for p in parts])
    total, square = sums.sum(axis=0), squares.sum(axis=0)
    result = []
    for part, part_sum, part_square in zip(parts, sums, squares, strict=True):
        n = len(x) - len(part)
        mean = (total - part_sum) / n
        covariance = (square - part_square - n * np.outer(mean, mean)) / (n - 1)
        result.append(Moments(centre + mean, covariance))
    return result
