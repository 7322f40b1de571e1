"""What the weights of a network look like, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ganbench.figures.style import CATEGORIES, FLOOR, INK, dress, finite, heading, note, panels, wrap

_BINS = 22
"""About so many bins on either side of zero."""

_NEAR = 0.999
"""A weight of at least this share of the bound counts as lying at it."""


def weight_histograms(
    weights: Mapping[str, Float[np.ndarray, "..."]], bound: float | None = None, title: str = ""
) -> Figure:
    """One histogram a layer, all on the same bins and heights: shares of the layer's weights.

    `bound` is what clipping keeps the weights within: it is marked on both sides, and each panel says which share
    of its weights lies there. The weights of a clipped critic gather in two humps at the bound (arXiv:1704.00028,
    figure 1).
    """
    layers = {name: finite(values.ravel()) for name, values in weights.items()}
    largest = max((float(np.abs(values).max()) for values in layers.values() if len(values)), default=0.0)
    edges = _edges(max(largest, bound or 0.0) or 1.0, bound or 0.0)
    figure, axes, across = panels(len(layers), 3, 2.2)
    heading(figure, title)
    for i, (panel, (name, values)) in enumerate(zip(axes, layers.items(), strict=True)):
        bottom, left = i + across >= len(layers), i % across == 0
        dress(panel, wrap(name, 30), "weight" if bottom else "", "share of weights" if left else "")
        _histogram(panel, values, edges, bound, weights[name].size - len(values))
    top = max((panel.get_ylim()[1] for panel in axes), default=1.0)
    for panel in axes:
        panel.set_ylim(0, 1.25 * top)  # room for what each panel says
    return figure


def _edges(reach: float, bound: float) -> Float[np.ndarray, " k"]:
    """Bins over [-reach, reach], one of them around zero and, unless it is tiny, one around the bound."""
    width = reach / _BINS
    if bound > width:
        width = bound / round(bound / width)
    count = round(reach / width)
    return width * (np.arange(-count, count + 2) - 0.5)


def _histogram(
    axes: Axes, values: Float[np.ndarray, " n"], edges: Float[np.ndarray, " k"], bound: float | None, lost: int
) -> None:
    axes.set_xlim(edges[0], edges[-1])
    if len(values) == 0:
        note(axes, "no finite weight")
        return
    counts, _ = np.histogram(values, edges)
    axes.stairs(counts / len(values), edges, fill=True, color=CATEGORIES[0])
    said = [f"{len(values) + lost:,} weights"]
    if lost:
        said.append(f"{lost:,} not finite")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    if bound:
        axes.set_xticks((-bound, 0, bound))
        for x in (-bound, bound):
            axes.axvline(x, color=INK, linewidth=1.0, linestyle=FLOOR)
        said.append(f"{100 * np.mean(np.abs(values) >= _NEAR * bound):.0f} % at ±{bound:g}")
    axes.text(0.5, 0.97, "\n".join(said), transform=axes.transAxes, ha="center", va="top", fontsize=8, color=INK)
