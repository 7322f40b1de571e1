"""Which classes a generator makes, beside those of the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganbench.figures.style import FAKE, REAL, dress, key, new_figure, wrap
from ganbench.types import UsageError

_NAMED = 30
"""Up to so many classes have room for bars and names."""
_LONG = 6
"""Names with more letters are written upright."""


def label_histogram(
    counts_real: Int[np.ndarray, " k"], counts_generated: Int[np.ndarray, " k"], classes: Sequence[str], title: str = ""
) -> Figure:
    """The share of each class among real and among generated images, so that lost classes are seen.

    Bars side by side; beyond 30 classes two outlines, each from its own most frequent class to its rarest. Totals
    may differ; the legend has them. Raises `UsageError` unless there is one count of each kind a class.
    """
    if not (counts_real.shape == counts_generated.shape == (len(classes),)) or not len(classes):
        raise UsageError(
            f"a histogram of {len(classes)} classes needs one class and a count for each, "
            f"not counts of shapes {counts_real.shape} and {counts_generated.shape}"
        )
    figure = new_figure(7.2, 3.1)
    axes = figure.add_subplot()
    dress(axes, wrap(title, 80), "class", "share of images")
    axes.grid(False, axis="x")
    real, generated = (counts / max(counts.sum(), 1) for counts in (counts_real, counts_generated))
    handles = (_bars if len(classes) <= _NAMED else _outlines)(axes, real, generated, classes)
    said = [f"real ({counts_real.sum():,})", f"generated ({counts_generated.sum():,})"]
    key(figure, handles, said, "outside lower left", columns=2)
    return figure


def _bars(
    axes: Axes, real: Float[np.ndarray, " k"], generated: Float[np.ndarray, " k"], classes: Sequence[str]
) -> list[Artist]:
    at = np.arange(len(classes))
    upright = max(map(len, classes)) > _LONG
    axes.set_xticks(at, classes, rotation=90 if upright else 0, parse_math=False)
    left = axes.bar(at - 0.2, real, 0.4, color=REAL, linewidth=0)
    right = axes.bar(at + 0.2, generated, 0.4, color=FAKE, linewidth=0)
    return [left.patches[0], right.patches[0]]


def _outlines(
    axes: Axes, real: Float[np.ndarray, " k"], generated: Float[np.ndarray, " k"], classes: Sequence[str]
) -> list[Artist]:
    axes.set_xlabel(f"{len(classes):,} classes, of each kind from the most frequent to the rarest", parse_math=False)
    axes.set_xlim(0, len(classes))
    return [
        axes.stairs(np.sort(real)[::-1], color=REAL, fill=True, alpha=0.3),
        axes.stairs(np.sort(generated)[::-1], color=FAKE, linewidth=1.6),
    ]
