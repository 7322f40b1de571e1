"""Why a perfect discriminator teaches nothing: two lines side by side, and what is left of the gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from ganbench.figures import style
from ganbench.figures.style import CATEGORIES, category_styles
from ganbench.metrics import js, w1

LINE_POINTS = 400


def parallel_lines(distances: Sequence[float] = tuple(np.linspace(0, 1, 11)), seed: int = 0) -> Figure:
    """Divergences of (0, U) and (t, U), U uniform on [0, 1], as functions of t: closed forms, and samples measured.

    For t > 0 the lines have no point in common: JS = ln 2 and KL is infinite, however near they are, and only W1 = t
    says how far there is to go (Arjovsky et al. 2017, arXiv:1701.07875, example 1).
    """
    figure, (left, middle, right), _ = style.panels(3, 3, 2.6)
    at = np.array(distances)
    measured = np.array([_measured(float(t), seed) for t in at])
    style.dress(left, "JS (nats)", "distance t")
    left.plot([0], [0], "o", color=CATEGORIES[0])
    left.plot([0, 1], [math.log(2)] * 2, color=CATEGORIES[0])
    left.plot(at, measured[:, 0], "x", color=style.INK, markersize=4)
    style.dress(middle, "KL (nats)", "distance t")
    middle.plot([0], [0], "o", color=CATEGORIES[0])
    middle.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1))
    style.note(middle, "infinite for every t > 0")
    style.dress(right, "W1", "distance t")
    right.plot([0, 1], [0, 1], color=CATEGORIES[0])
    right.plot(at, measured[:, 1], "x", color=style.INK, markersize=4)
    return figure


def _measured(distance: float, seed: int) -> tuple[float, float]:
    """JS and W1 of samples of the two lines, at the same heights, so that what is seen is the distance alone."""
    heights = np.random.default_rng(seed).random(LINE_POINTS)
    real, other = (np.stack([np.full(LINE_POINTS, x), heights], 1) for x in (0.0, distance))
    return js(real, other), w1(real, other)


def gradient_curves(cells: Mapping[str, Sequence[Sequence[Mapping[str, float]]]]) -> Figure:
    """The norm of the generator's gradient against the critic's steps, as a share of its largest.

    `cells` has for each cell the rows of each seed, with `round` and `generator_gradient`; a line a seed, the mean of
    the logarithms strong. Both axes are logarithmic.
    """
    figure = style.new_figure(7.2, 4.2)
    axes = figure.add_subplot()
    style.dress(axes, "", "critic's steps", "generator's gradient, share of the largest")
    styles, handles, everything = category_styles(cells), [], [1.0]
    for name, seeds in cells.items():
        lines = [_shares(rows) for rows in seeds if rows]
        for steps, shares in lines:
            axes.plot(steps, shares, color=styles[name].colour, linewidth=0.6, alpha=0.5)
            everything += shares[shares > 0].tolist()
        if not lines or len({len(steps) for steps, _ in lines}) > 1:
            handles += axes.plot([], [], color=styles[name].colour, linestyle=styles[name].line)
            continue
        with np.errstate(divide="ignore"):
            middle = np.exp(np.mean([np.log(shares) for _, shares in lines], axis=0))
        handles += axes.plot(lines[0][0], middle, color=styles[name].colour, linestyle=styles[name].line, linewidth=1.8)
    axes.set(xscale="log", yscale="log", ylim=(max(min(everything) / 2, 1e-12), max(everything) * 2))
    style.key(figure, handles, list(cells), "outside right center")
    return figure


def _shares(rows: Sequence[Mapping[str, float]]) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    steps = np.array([row["round"] for row in rows], dtype=np.float64)
    norms = np.array([row["generator_gradient"] for row in rows], dtype=np.float64)
    return steps, norms / (norms.max() or 1.0)
