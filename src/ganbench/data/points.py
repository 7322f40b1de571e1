"""Point sets: what they are, how they are standardised, and those that are built in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganbench.types import Medium

MINIMUM_POINTS = 16
"""A set is halved for its noise floor and divided into batches; with fewer points neither says anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """The known components of a density: k Gaussians of equal weight, in the data's own units."""

    means: Float[np.ndarray, "k d"]
    covariances: Float[np.ndarray, "k d d"]


@dataclass(frozen=True, slots=True, eq=False)
class Standardiser:
    """Each coordinate to mean 0 and standard deviation 1: `(x - mean) / scale`, and back.

    A constant coordinate has scale 1. `mean` and `scale` are in the data's own units.

    >>> standardiser = Standardiser.of(np.array([[0.0, 7.0], [4.0, 7.0]]))
    >>> standardiser.forward(np.array([[4.0, 7.0]]))
    array([[1., 0.]])
    >>> standardiser.inverse(np.array([[1.0, 0.0]]))
    array([[4., 7.]])
    """

    mean: Float[np.ndarray, "d"]
    scale: Float[np.ndarray, "d"]

    @classmethod
    def of(cls, points: Float[np.ndarray, "n d"]) -> Standardiser:
        """The standardiser under which `points` have mean 0 and standard deviation 1 (divisor n)."""
        mean = points.mean(axis=0)
        span = np.ptp(points, axis=0)
        # The span is exactly 0 where a coordinate is constant; a standard deviation is only nearly so.
        # Dividing by it before the squares keeps tiny spreads from underflowing.
        unit = np.where(span > 0, span, 1.0)
        spread = ((points - mean) / unit).std(axis=0) * unit
        return cls(mean, np.where(span > 0, spread, 1.0))

    def forward(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """From the data's own units to standard ones."""
        return (points - self.mean) / self.scale

    def inverse(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """From standard units back to the data's own."""
        return points * self.scale + self.mean


@dataclass(frozen=True, slots=True, eq=False)
class PointSet:
    """n points of d coordinates in the data's own units, held as a read-only float64 copy.

    `name` is what the user called the set, `modes` its known components if any, `columns` the names of the
    coordinates where the source has them. `load_points` makes one from a name, a file or an array, and
    refuses what cannot be trained on.

    >>> corners = PointSet("corners", np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    >>> len(corners), corners.dimension, corners.points.dtype
    (3, 2, dtype('float64'))
    """

    name: str
    points: Float[np.ndarray, "n d"]
    modes: Modes | None = None
    columns: tuple[str, ...] = ()
    medium: ClassVar[Medium] = "points"
    labels: ClassVar[None] = None
    classes: ClassVar[tuple[str, ...]] = ()
    notes: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=np.float64, order="C")
        points.setflags(write=False)
        object.__setattr__(self, "points", points)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def told(self) -> tuple[str, ...]:
        """What was trained on, in sentences."""
        return (f"The data: {len(self):,} points of {self.dimension} coordinates.",)

    @property
    def title(self) -> str:
        """The name without folders, for pictures and lines of progress."""
        return Path(self.name).name

    @property
    def dimension(self) -> int:
        """d, the number of coordinates of a point."""
        return self.points.shape[1]

    @property
    def shape(self) -> tuple[int]:
        """(d,), the shape of one point as the networks see it."""
        return (self.dimension,)

    def things(self) -> Float[Tensor, "n d"]:
        """The points for the networks, in standard units."""
        return torch.from_numpy(self.standardiser.forward(self.points)).float()

    def restored(self, x: Float[Tensor, "n d"]) -> Float[np.ndarray, "n d"]:
        """Points from standard units in the data's own."""
        return self.standardiser.inverse(x.double().numpy())

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the shape and the numbers in order: equal exactly for equal sets."""
        content = f"{self.points.shape}".encode() + self.points.astype("<f8", copy=False).tobytes()
        return hashlib.sha256(content).hexdigest()

    @property
    def standardiser(self) -> Standardiser:
        """The map to mean 0 and standard deviation 1 in each coordinate, and back."""
        return Standardiser.of(self.points)

    def halves(self, seed: int = 0) -> tuple[Float[np.ndarray, "half d"], Float[np.ndarray, "half d"]]:
        """Two disjoint random halves of n // 2 points each; of an odd number one point is left out."""
        order = np.random.default_rng(seed).permutation(len(self))
        half = len(self) // 2
        return self.points[order[:half]], self.points[order[half : 2 * half]]


class Draw(Protocol):
    """Draws a built-in set; the defaults give the set that its name stands for, another seed fresh points."""

    def __call__(self, count: int = ..., seed: int = ...) -> PointSet: ...


def _isotropic(means: Float[np.ndarray, "k d"], deviation: float) -> Modes:
    count, dimension = means.shape
    return Modes(means, np.tile(deviation**2 * np.eye(dimension), (count, 1, 1)))


def _gaussians(modes: Modes, labels: Int[np.ndarray, "n"], rng: np.random.Generator) -> Float[np.ndarray, "n d"]:
    """For each label k a point `m + L e`: m the mean of mode k, `L L^T` its covariance, e standard normal."""
    noise = rng.standard_normal((len(labels), modes.means.shape[1]))
    factors = np.linalg.cholesky(modes.covariances)
    return modes.means[labels] + np.einsum("nij,nj->ni", factors[labels], noise)


def _letter_m_modes() -> Modes:
    # One stroke a row: mean x and y, standard deviation of x and of y, correlation. The lab's file is 0.04
    # times such points plus 0.5.
    strokes = np.array(
        [
            [-0.00, -0.00, 2.02, 1.59, -0.947],
            [-7.98, 0.03, 1.99, 1.74, +0.869],
            [8.96, -1.01, 2.05, 1.44, +0.722],
            [15.03, -2.03, 1.54, 2.22, -0.843],
        ]
    )
    deviations, correlations = 0.04 * strokes[:, 2:4], strokes[:, 4]
    covariances = deviations[:, :, None] * deviations[:, None, :]
    covariances[:, 0, 1] *= correlations
    covariances[:, 1, 0] *= correlations
    return Modes(0.04 * strokes[:, :2] + 0.5, covariances)


def letter_m(count: int = 8192, seed: int = 0) -> PointSet:
    """The letter M: four Gaussian strokes, with equally many points if 4 divides `count`."""
    modes = _letter_m_modes()
    points = _gaussians(modes, np.arange(count) % 4, np.random.default_rng(seed))
    return PointSet("letter-m", points, modes)


def ring8(count: int = 100_000, seed: int = 0) -> PointSet:
    """Eight Gaussians of deviation 0.01 on the unit circle, the mode of each point drawn uniformly.

    The protocol of VEEGAN (arXiv:1705.07761) and PacGAN (arXiv:1712.04086).
    """
    angles = 2 * np.pi * np.arange(8) / 8  # the end point left out: with it two centres coincide
    modes = _isotropic(np.stack([np.cos(angles), np.sin(angles)], axis=1), deviation=0.01)
    rng = np.random.default_rng(seed)
    return PointSet("ring8", _gaussians(modes, rng.integers(8, size=count), rng), modes)


def grid25(count: int = 100_000, seed: int = 0) -> PointSet:
    """Gaussians of deviation 0.05 on the 5 x 5 grid from -4 to 4, the mode of each point drawn uniformly.

    The protocol of VEEGAN (arXiv:1705.07761) and PacGAN (arXiv:1712.04086).
    """
    ticks = np.arange(-4.0, 5.0, 2.0)
    modes = _isotropic(np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(25, 2), deviation=0.05)
    rng = np.random.default_rng(seed)
    return PointSet("grid25", _gaussians(modes, rng.integers(25, size=count), rng), modes)


def spiral(count: int = 8192, seed: int = 0) -> PointSet:
    """One arm of two turns, `r (cos 4 pi r, sin 4 pi r)`, r^2 uniform on [0, 1], noise of deviation 0.02."""
    rng = np.random.default_rng(seed)
    radius = np.sqrt(rng.random(count))
    arm = np.stack([radius * np.cos(4 * np.pi * radius), radius * np.sin(4 * np.pi * radius)], axis=1)
    return PointSet("spiral", arm + 0.02 * rng.standard_normal(arm.shape))


def moons(count: int = 8192, seed: int = 0) -> PointSet:
    """Two interlocking half circles of radius 1, equally many points on each, noise of deviation 0.05."""
    rng = np.random.default_rng(seed)
    angle, lower = np.pi * rng.random(count), np.arange(count) % 2 == 1
    upper_arc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    arcs = np.where(lower[:, None], [1.0, 0.5] - upper_arc, upper_arc)
    return PointSet("moons", arcs + 0.05 * rng.standard_normal(arcs.shape))


BUILT_IN: dict[str, tuple[str, Draw]] = {
    "letter-m": ("the letter M of the 2020 lab: four Gaussian strokes, 8,192 points", letter_m),
    "ring8": ("8 narrow Gaussians on the unit circle, 100,000 points", ring8),
    "grid25": ("25 narrow Gaussians on a 5 x 5 grid, 100,000 points", grid25),
    "spiral": ("one arm of two turns with noise, 8,192 points", spiral),
    "moons": ("two interlocking half circles with noise, 8,192 points", moons),
}
"""Name to a one-line description and the drawing function."""
