"""How a sample spreads over the known modes of a density, by VEEGAN's definitions (arXiv:1705.07761).

A point is of high quality within 3 standard deviations of its nearest mode, both measured with the mode's own
covariance (Mahalanobis). All four figures follow from one count of the points.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solve_triangular
from scipy.special import kl_div
from scipy.stats import chi

from ganbench.data.points import Modes

RADIUS = 3.0
"""Standard deviations from its mode within which a point is of high quality."""


def count_modes(points: Float[np.ndarray, "n d"], modes: Modes) -> Int[np.ndarray, " k_and_off"]:
    """High-quality points of each of the k modes, and last the points that are near none ('off').

    A point that is not finite is off.

    >>> two = Modes(np.array([[0.0], [10.0]]), np.ones((2, 1, 1)))
    >>> count_modes(np.array([[-2.9], [9.0], [11.0], [5.0]]), two)
    array([1, 2, 1])
    """
    distances = np.stack([_mahalanobis(points, *mode) for mode in zip(modes.means, modes.covariances, strict=True)])
    off = len(modes.means)
    nearest = np.where(distances.min(axis=0) <= RADIUS, distances.argmin(axis=0), off)
    return np.bincount(nearest, minlength=off + 1)


def _mahalanobis(
    points: Float[np.ndarray, "n d"], mean: Float[np.ndarray, " d"], covariance: Float[np.ndarray, "d d"]
) -> Float[np.ndarray, " n"]:
    """`sqrt((x - mean)^T covariance^-1 (x - mean))` of each point x."""
    factor = np.linalg.cholesky(covariance)
    with np.errstate(over="ignore", invalid="ignore"):  # coordinates so great that the point is off anyway
        whitened = solve_triangular(factor, (points - mean).T, lower=True, check_finite=False)
        return np.linalg.norm(whitened, axis=0)


def covered(counts: Int[np.ndarray, " k_and_off"]) -> float:
    """Modes that are nearest to at least one high-quality point."""
    return float(np.count_nonzero(counts[:-1]))


def high_quality(counts: Int[np.ndarray, " k_and_off"]) -> float:
    """The share of high-quality points.

    The density itself has `chi.cdf(3, d)` (0.989 in the plane) where its modes lie apart; a greater share
    shows modes that are too narrow.
    """
    return float(counts[:-1].sum() / counts.sum())


def reverse_kl(counts: Int[np.ndarray, " k_and_off"]) -> float:
    """`KL(p || uniform)` in nats, p the shares of the k modes among the high-quality points.

    From 0 to ln k, all on one mode; ln k also where no point is of high quality. n points of a perfect
    sampler have (k - 1)/2n on average. PacGAN's figure (arXiv:1712.04086).

    >>> round(reverse_kl(np.array([500, 0, 0, 0, 7])), 4)  # ln 4
    1.3863
    """
    near = counts[:-1]
    if not near.any():
        return math.log(len(near))
    return float(kl_div(near / near.sum(), 1 / len(near)).sum())


def reverse_kl_off(counts: Int[np.ndarray, " k_and_off"], dimension: int) -> float:
    """`KL(p || q)` in nats over k + 1 bins, p the shares of the modes and of the points off them.

    q is the density's own if its modes lie apart: `chi.sf(3, d)` is off, the rest in equal shares. A sampler
    whose modes are covered but mostly missed pays here and not in `reverse_kl`.
    """
    off = chi.sf(RADIUS, dimension)
    modes = len(counts) - 1
    target = np.append(np.full(modes, (1 - off) / modes), off)
    return float(kl_div(counts / counts.sum(), target).sum())
