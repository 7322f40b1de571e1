"""Noisy lines: pale as they were logged, strong their running median."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from ganbench.figures.style import CategoryStyle, finite

_POINTS = 400
"""A running median is taken at about so many places, more than a picture can show."""


def pale_and_strong(
    axes: Axes, at: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"], look: CategoryStyle
) -> Artist:
    """Draw `values` pale and their running median strong; the strong line. Values that are not finite leave gaps."""
    axes.plot(at, values, color=look.colour, alpha=0.25, linewidth=0.7)
    (line,) = axes.plot(*_running_median(at, values), color=look.colour, linestyle=look.line, linewidth=1.6)
    return line


def said(count: int) -> str:
    """What a legend says of lines of `count` values that are drawn so."""
    window = _window(count)
    return "pale: as logged; strong: " + (f"median of {window} in a row" if window > 1 else "the same")


def _window(count: int) -> int:
    return max(1, count // 50) | 1


def _running_median(
    at: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Medians of the finite ones of a window, by the place of its middle; NaN where that one is not."""
    centres = np.arange(0, len(at), max(1, len(at) // _POINTS))
    half = _window(len(at)) // 2
    around = [finite(values[max(0, i - half) : i + half + 1]) for i in centres]
    medians = [np.median(x) if np.isfinite(values[i]) else np.nan for i, x in zip(centres, around, strict=True)]
    return at[centres], np.array(medians)
