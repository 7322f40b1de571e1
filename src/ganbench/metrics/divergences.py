"""Divergences between histograms of points on a grid, in nats.

The grid is a ruler laid on the reference: equal boxes between its least and its greatest coordinate on each
axis, `BINS[d]` an axis, and one box for all that falls outside, points that are not finite among it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.special import kl_div

from ganbench.types import UsageError

BINS = {1: 64, 2: 20, 3: 8}
"""Boxes an axis, by dimension: about 400 in all in 2 and 3 dimensions, so that 1,024 points fill them.
In more dimensions nearly every box would be empty, and no divergence is given."""

PSEUDO_COUNT = 0.5
"""Added to every box of both histograms by `kl`, which is infinite where the generated one is empty."""


def js(real: Float[np.ndarray, "n d"], generated: Float[np.ndarray, "m d"]) -> float:
    """Jensen-Shannon divergence `KL(P || M)/2 + KL(Q || M)/2`, `M = (P + Q)/2`, of the two plain histograms.

    In nats, from 0 (equal) to ln 2 (no box in common). d is at most 3; UsageError otherwise.

    >>> round(js(np.array([[0.0], [1.0]]), np.array([[5.0]])), 4)  # ln 2
    0.6931
    """
    p, q = _histogram(real, real), _histogram(real, generated)
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    # kl_div adds q - p to each term: nothing in sum, and it keeps every term from being negative.
    return float(kl_div(p, middle).sum() + kl_div(q, middle).sum()) / 2


def kl(real: Float[np.ndarray, "n d"], generated: Float[np.ndarray, "m d"]) -> float:
    """Kullback-Leibler divergence `KL(P || Q)`, real from generated, of histograms with pseudo-counts.

    In nats. Half a point (Krichevsky and Trofimov's estimate) is added to every box of both, so that it
    stays finite; it grows with what the generator misses. d is at most 3; UsageError otherwise.
    """
    p, q = _histogram(real, real) + PSEUDO_COUNT, _histogram(real, generated) + PSEUDO_COUNT
    return float(kl_div(p / p.sum(), q / q.sum()).sum())


def _histogram(reference: Float[np.ndarray, "n d"], points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " boxes"]:
    """How many points lie in each box of the reference's grid; the last number is for outside."""
    dimension = reference.shape[1]
    if dimension not in BINS:
        raise UsageError(f"js and kl are of points in 1 to {max(BINS)} dimensions; these have {dimension}")
    limits = list(zip(reference.min(axis=0), reference.max(axis=0), strict=True))
    inside = np.histogramdd(points, BINS[dimension], limits)[0].ravel()
    return np.append(inside, len(points) - inside.sum())
