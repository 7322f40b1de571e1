"""Linear probes: attributes that people have written down of the data, read from the features of any image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from ganbench.data.images import ImageSet
from ganbench.metrics.embedding import Features
from ganbench.seeds import derive

PROBED = 10_000
"""Images that probes are fitted and tried on; a fifth of them is held out."""

RIDGE = 0.01
"""The penalty on the squared weights, beside the mean squared error of what is standardised."""

READABLE = 0.7
"""The least area under the curve, in images held out, of an attribute that is taken as read."""


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Scores (features - centre) / spread @ weights, which are the higher the more an image looks to have an attribute.

    `areas` are those under the ROC curve in images held out: the share of pairs, one image with the attribute and one
    without, of which the first has the higher score.
    """

    names: tuple[str, ...]
    centre: Float[np.ndarray, " f"]
    spread: Float[np.ndarray, " f"]
    weights: Float[np.ndarray, "f a"]
    areas: Float[np.ndarray, " a"]

    def __call__(self, features: Float[np.ndarray, "n f"]) -> Float[np.ndarray, "n a"]:
        return (features - self.centre) / self.spread @ self.weights


def fit_probes(data: ImageSet, features: Features) -> Probes | None:
    """Probes by ridge regression for those of the data's annotations that can be read; None where none can be.

    Of a regression on zeros and ones the weights point as those of a linear discriminant do.
    """
    if data.annotations is None:
        return None
    order = np.random.default_rng(derive(0, "probes")).permutation(len(data))[:PROBED]
    chosen = data.take(order)
    assert chosen.annotations is not None
    x, present = features(chosen.pixels).features.astype(np.float64), chosen.annotations.present
    fitted = len(x) - len(x) // 5
    centre, spread = x[:fitted].mean(axis=0), x[:fitted].std(axis=0)
    spread = np.where(spread > 1e-9, spread, np.inf)
    z, target = (x - centre) / spread, present - present[:fitted].mean(axis=0)
    weights = ridge(z[:fitted], target[:fitted])
    scores, has = (z @ weights)[fitted:], present[fitted:]
    areas = np.array([area_under_curve(scores[:, place], has[:, place]) for place in range(has.shape[1])])
    kept = np.flatnonzero(areas >= READABLE)
    names = tuple(data.annotations.names[place] for place in kept)
    return Probes(names, centre, spread, weights[:, kept], areas[kept]) if len(kept) else None


def ridge(
    z: Float[np.ndarray, "n f"], scores: Float[np.ndarray, "n a"], penalty: float = RIDGE
) -> Float[np.ndarray, "f a"]:
    """The weights w that make mean (score - z w)^2 + penalty |w|^2 least, of each column of scores."""
    gram = z.T @ z / len(z) + penalty * np.eye(z.shape[1])
    return np.linalg.solve(gram, z.T @ scores / len(z))


def area_under_curve(scores: Float[np.ndarray, " n"], has: Bool[np.ndarray, " n"]) -> float:
    """The share of pairs, one of each kind, that the scores put in order, ties half; 0 where one kind is absent.

    >>> area_under_curve(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, True, False, True]))
    0.875
    """
    some = int(has.sum())
    others = len(has) - some
    if not some or not others:
        return 0.0
    return float((rankdata(scores)[has].sum() - some * (some + 1) / 2) / (some * others))
