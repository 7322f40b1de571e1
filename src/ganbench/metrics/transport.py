"""Distances between point sets of one size: exact optimal transport, its sliced form, the energy distance.

Every function takes float64 arrays in the data's own units and is infinite where a coordinate is not finite
(or so large that its square is not), which is how a diverged generator shows.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from ganbench.types import UsageError

LARGEST = 1e150
"""Coordinates beyond this count as infinite: their squares leave the range of float64."""

ROWS = 1024
"""Rows of a distance matrix held at once where only their sum is wanted."""

UNAIDED = 256
"""Up to this many points an assignment is too quick to be worth preparing."""

COARSER = 4
"""One point in so many prepares the assignment of all."""


def w1(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n d"]) -> float:
    """Exact 1-Wasserstein distance, `min over permutations s of (1/n) sum_i |x_i - y_s(i)|`.

    In the data's own units. Between sets of one size the optimal plan is a permutation, found by
    `scipy.optimize.linear_sum_assignment` (time grows as n^3), in one dimension by sorting.

    Raises UsageError if the shapes differ.

    >>> w1(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 2.0], [0.0, 2.0]]))
    2.0
    """
    if not _comparable(x, y):
        return math.inf
    return float(_matched(x, y, "euclidean").mean())


def w2(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n d"]) -> float:
    """Exact 2-Wasserstein distance, `sqrt(min over permutations s of (1/n) sum_i |x_i - y_s(i)|^2)`.

    In the data's own units; found as `w1` is. Raises UsageError if the shapes differ.

    >>> w2(np.array([[0.0], [2.0]]), np.array([[2.0], [4.0]]))
    2.0
    """
    if not _comparable(x, y):
        return math.inf
    return math.sqrt(_matched(x, y, "sqeuclidean").mean())


def sliced_w(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n d"], directions: int = 128, seed: int = 0) -> float:
    """Sliced 1-Wasserstein distance: the mean of `w1(x t, y t)` over random unit vectors t.

    In the data's own units. The directions are uniform on the sphere and fixed by `seed`, so that figures of
    two generators differ by the generators alone. At most `w1`, and equal to it in one dimension.
    Bonneel et al., "Sliced and Radon Wasserstein Barycenters of Measures" (2015), there with squared costs.

    Raises UsageError if the shapes differ.
    """
    if not _comparable(x, y):
        return math.inf
    normal = np.random.default_rng(seed).standard_normal((x.shape[1], directions))
    units = normal / np.linalg.norm(normal, axis=0)
    return float(np.abs(np.sort(x @ units, axis=0) - np.sort(y @ units, axis=0)).mean())


def energy(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n d"]) -> float:
    """Energy distance `2 E|X - Y| - E|X - X'| - E|Y - Y'|`, in the data's own units.

    Not its square root (which `scipy.stats.energy_distance` gives, in one dimension), and as a V-statistic:
    all pairs count, those of a point with itself too. It is therefore never negative, 0 between equal sets,
    and of order 1/n between two sets from one density. Szekely and Rizzo, "Energy statistics" (2013).

    Raises UsageError if the shapes differ.

    >>> energy(np.array([[0.0]]), np.array([[3.0]]))
    6.0
    """
    if not _comparable(x, y):
        return math.inf
    within = _mean_distance(x, x) + _mean_distance(y, y)
    return max(0.0, 2 * _mean_distance(x, y) - within)  # rounding can turn a 0 negative


def _comparable(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n d"]) -> bool:
    """Whether all coordinates are finite; UsageError if the shapes differ or there is nothing."""
    if x.ndim != 2 or x.shape != y.shape or x.size == 0:
        raise UsageError(
            "a distance is between two arrays (n, d), as many points of the same dimension; "
            f"here the shapes are {x.shape} and {y.shape}"
        )
    return bool(np.abs(x).max() < LARGEST and np.abs(y).max() < LARGEST)  # false for NaN too


def _matched(
    x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n d"], metric: Literal["euclidean", "sqeuclidean"]
) -> Float[np.ndarray, " n"]:
    """The costs of the n pairs of an optimal matching."""
    if x.shape[1] == 1:  # for every convex cost the matching in order is optimal
        x, y = np.sort(x, axis=0), np.sort(y, axis=0)
        distances = np.abs(x - y)[:, 0]
        return distances if metric == "euclidean" else distances**2
    costs = cdist(x, y, metric)
    return costs[np.arange(len(x)), _assignment(costs)]


def _assignment(costs: Float[np.ndarray, "n n"]) -> Int[np.ndarray, " n"]:
    """The column of each row under the cheapest permutation.

    What is subtracted from a whole column changes the cost of all permutations alike. Nearly optimal
    potentials, subtracted first, make the search up to ten times shorter where the two sets lie apart.
    """
    if len(costs) > UNAIDED:
        costs = costs - _potentials(costs)
    return linear_sum_assignment(costs)[1]


def _potentials(costs: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " n"]:
    """Kantorovich potentials v of all columns that are exact for every fourth row and column.

    For the optimal matching s of these few, the potentials that prove it so are shortest paths (Bellman and
    Ford): `v_s(j)` falls to `min_i v_s(i) + c(i, s(j)) - c(i, s(i))` until nothing changes. The rows' are then
    `u_i = c(i, s(i)) - v_s(i)`, and the c-transform `v_j = min_i c(i, j) - u_i` carries them to all columns.
    """
    few = costs[::COARSER, ::COARSER]
    few = few[:, _assignment(few)]
    matched = np.diag(few)
    steps = few - matched[:, None]
    potentials, rounding = np.zeros(len(few)), 1e-12 * few.max()
    for _ in few:  # no shortest path has more steps
        before, potentials = potentials, (potentials[:, None] + steps).min(axis=0)
        if (before - potentials).max() <= rounding:
            break
    rows = matched - potentials
    return (costs[::COARSER] - rows[:, None]).min(axis=0)


def _mean_distance(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n d"]) -> float:
    total = sum(cdist(x[start : start + ROWS], y).sum() for start in range(0, len(x), ROWS))
    return float(total) / (len(x) * len(y))
