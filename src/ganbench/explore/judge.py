"""How much a direction changes every attribute, beside random directions of the same length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ganbench.explore.attributes import Attributes, Measured
from ganbench.explore.directions import random_directions
from ganbench.explore.strips import REACH, moved
from ganbench.explore.subject import Subject, with_noise
from ganbench.seeds import derive

JUDGED = 64
"""Latents from which a direction is followed."""

RANDOM = 40
"""Random directions that it stands beside."""

NEAR = 0.3
"""The step by which the perceptual path is measured: a tenth of the way, more than the rounding of pixels."""

UNNAMED = "no attribute"

STEADY = 0.5
"""The least steadiness by which a direction is named: three latents of four then go the same way."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Of each of k directions, by attribute, and as a whole.

    `change` is mean |a(z + r d) - a(z - r d)|, in standard deviations of the attribute a over generated images, of a
    class's probability at least n^(-1/2), which one of n images makes that alone is read as it.
    `steadiness` is |mean sign|, from 0 where as many latents go up as down to 1 where all go the same way; `sign` is
    that of the mean, 0 where nothing changes. `identity` is the mean distance in features from G(z) to G(z + r d) and
    G(z - r d). `path` is the mean of squared distances from G(z) to G(z + e d) over e^2, a perceptual path length.
    Distances are in units of the mean distance between two generated images.
    """

    change: Float[np.ndarray, "k a"]
    steadiness: Float[np.ndarray, "k a"]
    sign: Float[np.ndarray, "k a"]
    identity: Float[np.ndarray, " k"]
    path: Float[np.ndarray, " k"]

    @property
    def steady(self) -> Float[np.ndarray, "k a"]:
        """Change that goes one way: what a direction is named by."""
        return self.change * self.steadiness


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The changes along directions and along random ones; `attributes` names the columns."""

    attributes: tuple[str, ...]
    reach: float
    latents: int
    found: Changes
    random: Changes

    @property
    def beyond_chance(self) -> Float[np.ndarray, "k a"]:
        """Changes as multiples of the random directions' mean; 0 where these change nothing either."""
        usual = self.random.change.mean(axis=0)
        return np.where(usual > 0, self.found.change / np.where(usual > 0, usual, 1), 0.0)

    @property
    def most(self) -> np.ndarray:
        """Of each direction the attribute that it changes most, steadily."""
        return self.found.steady.argmax(axis=1)

    @property
    def names(self) -> list[str]:
        """That attribute, unless more than one of forty random directions changes it as much, or it is not steady."""
        limit = np.quantile(self.random.steady, 0.975, axis=0)
        return [
            self.attributes[place] if named else UNNAMED
            for row, place in enumerate(self.most)
            for named in [self.found.steady[row, place] > limit[place] and self.found.steadiness[row, place] >= STEADY]
        ]

    @property
    def ranking(self) -> np.ndarray:
        """The directions by how much they change the attribute that they change most, the greatest first."""
        return np.argsort(-self.found.steady.max(axis=1), kind="stable")

    @property
    def mean_ratio(self) -> Float[np.ndarray, " k"]:
        """The mean over the attributes of `beyond_chance`."""
        return self.beyond_chance.mean(axis=1)


def judge(
    subject: Subject,
    vectors: Float[np.ndarray, "k noise"],
    attributes: Attributes,
    *,
    seed: int = 0,
    reach: float = REACH,
    count: int = JUDGED,
    random: int = RANDOM,
    watch: Callable[[float], None] = lambda share: None,
) -> Judgement:
    """Follows directions, and `random` others, by `reach` to both sides of `count` latents, labels and codes held."""
    scale = _Scale(subject, attributes, count, seed)
    others = random_directions(subject.noise, random, seed)
    rows = []
    for done, vector in enumerate(np.concatenate([vectors, others])):
        rows.append(scale.changes(vector, reach))
        watch((done + 1) / (len(vectors) + random))
    names = attributes.names(scale.colour)
    return Judgement(names, reach, count, _together(rows[: len(vectors)]), _together(rows[len(vectors) :]))


class _Scale:
    """Latents with their images, and what a change from these is measured in."""

    def __init__(self, subject: Subject, attributes: Attributes, count: int, seed: int) -> None:
        self.subject, self.attributes = subject, attributes
        self.latent = subject.latents(count, derive(seed, "judged"))
        pixels = subject.images(self.latent)
        self.colour = pixels.ndim == 4
        self.start = attributes(pixels)
        spread = self.start.values.std(axis=0)
        if attributes.reader:
            read = spread[-len(attributes.classes) :]
            # A class that no image is read as has no spread to speak of, and any change would be many of it.
            np.maximum(read, count**-0.5, out=read)
        # What is the same in all images has no spread to be measured in.
        self.spread = np.where(spread > 1e-6, spread, np.inf)
        # Of latents drawn independently, each and the next are two of any.
        between = self._distance(self.start.features, np.roll(self.start.features, 1, axis=0)).mean()
        self.between = between if between > 0 else np.inf

    def changes(self, vector: Float[np.ndarray, " noise"], reach: float) -> Changes:
        up, down, near = (self._at(vector * step) for step in (reach, -reach, NEAR))
        difference = (up.values - down.values) / self.spread
        signs = np.sign(difference).mean(axis=0)
        away = [self._distance(end.features, self.start.features).mean() for end in (up, down)]
        path = (self._distance(near.features, self.start.features) / self.between / NEAR) ** 2
        return Changes(
            np.abs(difference).mean(axis=0),
            np.abs(signs),
            np.sign(difference.mean(axis=0)),
            np.mean(away) / self.between,
            path.mean(),
        )

    def _at(self, offset: Float[np.ndarray, " noise"]) -> Measured:
        z = moved(self.latent, offset[None], np.ones(1))
        return self.attributes(self.subject.images(with_noise(self.latent, z)))

    @staticmethod
    def _distance(a: np.ndarray, b: np.ndarray) -> Float[np.ndarray, " n"]:
        return np.linalg.norm(a.astype(np.float64) - b, axis=1)


def _together(rows: list[Changes]) -> Changes:
    fields = ("change", "steadiness", "sign", "identity", "path")
    return Changes(*(np.array([getattr(row, field) for row in rows]) for field in fields))
