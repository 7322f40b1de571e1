"""What the weights of a network look like, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganbench.figures.style import CATEGORIES, FLOOR, INK, dress, finite, heading, note, panels

_BINS = 61
_NEAR = 0.999
"""A weight of at least this share of the bound counts as lying at it."""


def weight_histograms(
    weights: Mapping[str, Float[np.ndarray, "..."]], bound: float | None = None, title: str = ""
) -> Figure:
    """One histogram a layer, all on the same bins; heights are shares of the layer's weights.

    `bound` is the value that clipping keeps weights within: it is marked on both sides, and each panel says which
    share of its weights lies there. Clipped critics learn weights that gather in two humps at the bound
    (arXiv:1704.00028, figure 1).
    """
    layers = {name: finite(values.ravel()) for name, values in weights.items()}
    largest = max((float(np.abs(values).max()) for values in layers.values() if len(values)), default=0.0)
    reach = max(largest, 1.15 * (bound or 0.0)) or 1.0
    edges = np.linspace(-reach, reach, _BINS + 1)
    columns = min(max(len(layers), 1), 3)
    figure, axes = panels(len(layers), columns, 7.0 if columns > 1 else 4.5, 2.4)
    heading(figure, title)
    for i, (panel, (name, values)) in enumerate(zip(axes, layers.items(), strict=True)):
        bottom, left = i + columns >= len(layers), i % columns == 0
        dress(panel, name, "weight" if bottom else "", "share of weights" if left else "")
        _histogram(panel, values, edges, bound, weights[name].size - len(values))
    top = max((panel.get_ylim()[1] for panel in axes), default=1.0)
    for panel in axes:
        panel.set_ylim(0, top)
    return figure


def _histogram(
    axes: Axes, values: Float[np.ndarray, "n"], edges: Float[np.ndarray, "k"], bound: float | None, lost: int
) -> None:
    axes.set_xlim(edges[0], edges[-1])
    if len(values) == 0:
        note(axes, "no finite weight" if lost else "no weights")
        return
    counts, _ = np.histogram(values, edges)
    axes.stairs(counts / len(values), edges, fill=True, color=CATEGORIES[0])
    said = [f"{len(values) + lost:,} weights"]
    if lost:
        said.append(f"{lost:,} not finite")
    if bound is not None:
        for x in (-bound, bound):
            axes.axvline(x, color=INK, linewidth=1.0, linestyle=FLOOR)
        said.append(f"{100 * np.mean(np.abs(values) >= _NEAR * bound):.0f} % at ±{bound:g}")
    axes.text(
        0.5, 0.96, "\n".join(said), transform=axes.transAxes, ha="center", va="top", fontsize=8, color=INK
    )
