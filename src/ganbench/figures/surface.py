"""What a critic says over a piece of the plane, and how that is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import TypeAlias

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.contour import ContourSet
from matplotlib.image import AxesImage

from ganbench.figures.style import INK
from ganbench.types import Surface, UsageError

Box: TypeAlias = tuple[float, float, float, float]
"""x0, x1, y0, y1 of a rectangle, in the data's units."""

LABELS: dict[Surface, str] = {
    "probability": "probability of being real",
    "value": "critic's value (higher: more real)",
    "energy": "energy (lower: more real)",
}
_SQUARE = 1.5
"""Sides whose ratio is below this are made equal, so that a ring stays round."""


@dataclass(frozen=True, slots=True)
class SurfaceGrid:
    """A critic's verdict `values[i, j]`, whose meaning is `kind`, at each of the points (x_j, y_i), evenly spaced."""

    x: Float[np.ndarray, " nx"]
    y: Float[np.ndarray, " ny"]
    values: Float[np.ndarray, "ny nx"]
    kind: Surface

    @property
    def box(self) -> Box:
        """The rectangle that the points span."""
        return float(self.x[0]), float(self.x[-1]), float(self.y[0]), float(self.y[-1])


def limits(real: Float[np.ndarray, "n 2"], margin: float = 0.15) -> Box:
    """The box around `real`, wider by the share `margin` on each side; never empty.

    Nearly equal sides become equal; a side without extent takes the other's, or 1 where both have none.

    >>> limits(np.array([[0.0, 0.0], [4.0, 10.0]]), margin=0.25)
    (-1.0, 5.0, -2.5, 12.5)
    """
    low, high = real.min(axis=0).astype(np.float64), real.max(axis=0).astype(np.float64)
    centre, half = (low + high) / 2, (high - low) / 2
    # Below this, floating point cannot tell the sides of the box apart.
    least = np.maximum(1e-9 * np.abs(centre), 1e-300)
    half = np.where(half > least, half, 0.0)
    if half.min() * _SQUARE > half.max() or half.min() == 0:
        half[:] = half.max() or 0.5 * max(1.0, *np.abs(centre))
    half = np.maximum(half * (1 + 2 * margin), least)
    (x, y), (dx, dy) = centre.tolist(), half.tolist()
    return x - dx, x + dx, y - dy, y + dy


def grid(box: Box, size: int = 96) -> Float[np.ndarray, "size*size 2"]:
    """`size` times `size` points that span `box`, row by row from its lower left corner."""
    x, y = np.meshgrid(np.linspace(*box[:2], size), np.linspace(*box[2:], size))
    return np.stack((x.ravel(), y.ravel()), axis=1)


def surface_from_scores(
    points: Float[np.ndarray, "m 2"], scores: Float[np.ndarray, " m"], kind: Surface
) -> SurfaceGrid:
    """The surface of a critic's scores (higher: more real) at the points of `grid`.

    A probability is 1 / (1 + exp(-score)), a value is the score, an energy its negative.
    Raises `UsageError` where there is not one score a point, or the points are no square grid.

    >>> points = grid((0.0, 1.0, 0.0, 2.0), size=3)
    >>> surface_from_scores(points, points[:, 1], "value").values[-1]
    array([2., 2., 2.])
    """
    size = isqrt(len(points))
    if size < 2 or len(points) != size**2 or scores.shape != (len(points),):
        shapes = f"points of shape {points.shape} and scores of shape {scores.shape}"
        raise UsageError(f"a surface needs a square grid of points and a score for each, not {shapes}")
    score = scores.astype(np.float64).reshape(size, size)
    values = {"probability": 0.5 + 0.5 * np.tanh(score / 2), "value": score, "energy": -score}
    return SurfaceGrid(points[:size, 0], points[::size, 1], values[kind], kind)


def colours(kind: Surface) -> Colormap:
    """Pale, so that dark points stand out; in every kind, bluer and darker is more real."""
    steps = ["#fcf3e3", "#e4e7e6", "#c0d1df", "#93b4d2"]
    if kind == "probability":
        steps = ["#ffead4", "#f2e6dc", "#e0e4e8", "#b9cfe1", "#86b0d4"]
    if kind == "energy":
        steps.reverse()
    return LinearSegmentedColormap.from_list(f"ganbench-{kind}", steps).with_extremes(bad="#d0d0d0")


def colour_range(surface: SurfaceGrid) -> tuple[float, float]:
    """0 and 1 for a probability, else the middle 96 % of the finite values: a far corner hides nothing."""
    if surface.kind == "probability":
        return 0.0, 1.0
    known = surface.values[np.isfinite(surface.values)]
    if known.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(known, (2, 98)).tolist()
    half = max(high - low, 1e-6 * max(abs(low), abs(high)), 1e-12) / 2
    return (low + high) / 2 - half, (low + high) / 2 + half


def draw_image(axes: Axes, surface: SurfaceGrid) -> AxesImage:
    """The surface as an image, each value centred on its point."""
    image = axes.imshow(
        surface.values,
        cmap=colours(surface.kind),
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
        zorder=0,
    )
    update_image(image, surface)
    return image


def update_image(image: AxesImage, surface: SurfaceGrid) -> None:
    """Show another surface of the same kind in the place of the one before."""
    x0, x1, y0, y1 = surface.box
    dx, dy = (x1 - x0) / (len(surface.x) - 1) / 2, (y1 - y0) / (len(surface.y) - 1) / 2
    image.set_data(surface.values)
    image.set_extent((x0 - dx, x1 + dx, y0 - dy, y1 + dy))
    image.set_clim(*colour_range(surface))


def draw_lines(axes: Axes, surface: SurfaceGrid) -> ContourSet | None:
    """Where a probability is 0.5, or thin lines of equal value or energy; None where there is no such place."""
    low, high = colour_range(surface)
    probability = surface.kind == "probability"
    levels = np.array([0.5]) if probability else np.linspace(low, high, 8)[1:-1]
    known = surface.values[np.isfinite(surface.values)]
    if known.size == 0 or not ((known.min() < levels) & (levels < known.max())).any():
        return None
    return axes.contour(
        surface.x, surface.y, surface.values, levels=levels, colors=INK, alpha=0.8 if probability else 0.35,
        linewidths=1.0 if probability else 0.5, linestyles="solid", zorder=1,
    )  # fmt: skip
