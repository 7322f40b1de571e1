"""Directions in the space of a generator's noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ganbench.seeds import derive


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """Unit vectors in the order of the method that found them, and by what number it orders them.

    `found_in` is the layer, or what else they were found by.
    """

    method: str
    found_in: str
    vectors: Float[np.ndarray, "k noise"]
    strengths: Float[np.ndarray, " k"]
    strength: str


def oriented(vectors: Float[np.ndarray, "k noise"]) -> Float[np.ndarray, "k noise"]:
    """The rows, each with the sign that makes its largest number positive: methods leave the sign open.

    >>> oriented(np.array([[0.6, -0.8], [1.0, 0.0]])).tolist()
    [[-0.6, 0.8], [1.0, 0.0]]
    """
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    return vectors * np.where(largest < 0, -1.0, 1.0)


def random_directions(noise: int, count: int, seed: int) -> Float[np.ndarray, "count noise"]:
    """Unit vectors, each direction as likely as any other."""
    drawn = np.random.default_rng(derive(seed, "random directions")).normal(size=(count, noise))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
