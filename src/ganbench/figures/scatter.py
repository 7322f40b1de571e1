"""Real and generated points: over the critic's surface, as histograms, or in the plane of two components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from ganbench.figures.animation import DPI
from ganbench.figures.film import Film, outside
from ganbench.figures.style import FAKE, REAL, dress, key, new_figure, wrap
from ganbench.figures.surface import SurfaceGrid, limits
from ganbench.types import UsageError

# Inches, such that square axes leave no empty margins beside them.
_PLANE, _SURFACE, _LINE = (4.9, 5.2), (5.7, 5.2), (5.7, 3.4)


def scatter(
    real: Float[np.ndarray, "n d"],
    fake: Float[np.ndarray, "m d"],
    surface: SurfaceGrid | None = None,
    *,
    title: str = "",
    columns: Sequence[str] = (),
) -> Figure:
    """Real and generated points in one picture, in the data's units.

    In the plane, over the critic's surface if there is one, and then in its box. In one dimension, two histograms
    on the same bins. In more than two, the plane of the first two principal components of the standardised real
    data, which its axes say. At most 1,500 points of each are drawn; the legend says which share lies outside.
    Raises `UsageError` for shapes that do not fit each other, and for a surface where there is no plane.

    >>> scatter(np.zeros((4, 2)), np.ones((3, 2))).axes[0].get_xlabel()
    'x'
    """
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1] or 0 in real.shape:
        raise UsageError(f"real and generated points have one width, not the shapes {real.shape} and {fake.shape}")
    if surface is not None and real.shape[1] != 2:
        raise UsageError(f"a surface lies under points of 2 coordinates, these have {real.shape[1]}")
    if real.shape[1] == 1:
        return _histograms(real[:, 0], fake[:, 0], title, *columns)
    if real.shape[1] > 2:
        real, fake, columns = _components(real, fake)
    box = limits(real) if surface is None else surface.box
    size = _PLANE if surface is None else _SURFACE
    return Film(real, box, columns, size, dpi=DPI).draw(fake, surface, title)


def _histograms(real: Float[np.ndarray, " n"], fake: Float[np.ndarray, " m"], title: str, column: str = "x") -> Figure:
    x0, x1, *_ = limits(np.stack((real, real), axis=1))
    edges = np.linspace(x0, x1, int(np.clip(np.sqrt(len(real)), 10, 80)) + 1)
    figure = new_figure(*_LINE)
    axes = figure.add_subplot()
    dress(axes, wrap(title, 60), column, "density")
    handles = (
        axes.stairs(_density(real, edges), edges, color=REAL, fill=True, alpha=0.3),
        axes.stairs(_density(fake, edges), edges, color=FAKE, linewidth=1.6),
    )
    axes.set_xlim(x0, x1)
    unseen = outside(np.stack((fake, fake), axis=1), (x0, x1, x0, x1))
    key(axes, handles, ("real", "generated" + unseen))
    return figure


def _density(points: Float[np.ndarray, " n"], edges: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k-1"]:
    """Counts divided by all points, seen or not, so that equal areas are equal shares."""
    counts, _ = np.histogram(points[np.isfinite(points)], edges)
    return counts / max(len(points), 1) / np.diff(edges)


def _components(
    real: Float[np.ndarray, "n d"], fake: Float[np.ndarray, "m d"]
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "m 2"], tuple[str, str]]:
    """Both sets in the plane of the real set's first two components, and what the plane's axes are called."""
    mean, scale = real.mean(axis=0), real.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    standard = (real - mean) / scale
    variances, directions = np.linalg.eigh(standard.T @ standard / len(real))
    plane = directions[:, :-3:-1]
    # An eigenvector's sign is arbitrary: the largest entry is made positive, so that pictures agree.
    plane = plane * np.sign(plane[np.abs(plane).argmax(axis=0), (0, 1)])
    shares = 100 * variances[:-3:-1] / max(variances.sum(), np.finfo(float).tiny)
    names = [
        f"principal component {i} of {real.shape[1]} ({share:.0f} % of the variance)"
        for i, share in enumerate(shares, 1)
    ]
    return standard @ plane, (fake - mean) / scale @ plane, (names[0], names[1])
