"""Whether BEGAN's training converges, by the measure that its paper gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from ganbench.figures import smoothing, style


def convergence_curve(rows: Sequence[Mapping[str, float | None]], title: str = "") -> Figure:
    """The measure M = L(x) + |gamma L(x) - L(G(z))| (`convergence`) and the balance `k`, over the rounds (`round`).

    M falls while the training converges; k is kept within [0, 1], and one that rests at an end balances nothing.
    What a row lacks, or is not finite, leaves a gap. arXiv:1703.10717, sections 3.3 and 3.4.
    """
    figure, axes, _ = style.panels(2, 2, 2.8)
    style.heading(figure, title)
    at = np.array([row["round"] for row in rows], dtype=np.float64)
    lines: list[Artist] = []
    look = style.category_styles(["M and k"])["M and k"]
    for panel, name, said in zip(axes, ("convergence", "k"), ("convergence measure M", "balance k"), strict=True):
        style.dress(panel, said, "round")
        values = np.array([row.get(name) for row in rows], dtype=np.float64)
        known = style.finite(values)
        if len(known) == 0:
            style.note(panel, "no finite value")
            continue
        lines.append(smoothing.pale_and_strong(panel, at, values, look))
        if name == "convergence" and known.min() > 0:
            style.logarithmic(panel, "y", known)
    if lines:
        style.key(figure, lines[:1], [smoothing.said(len(at))], "outside lower left")
    return figure
