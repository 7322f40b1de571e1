"""One training over its rounds and seconds, and the cells of a study side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import spearmanr

from ganbench.figures import smoothing, style
from ganbench.figures.style import CATEGORIES, FLOOR, INK, MUTED, CategoryStyle, category_styles, finite
from ganbench.metrics import METRICS

Series: TypeAlias = tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]]
"""Seconds of training, and a metric then."""

Ranked: TypeAlias = tuple[str, float, float | None, float | None, Sequence[float]]
"""A cell, its mean, the interval's low and high end (None without one), and the value of each seed."""

SECONDS = "seconds of training"


def loss_curves(rounds: Sequence[int], losses: Mapping[str, Sequence[float]], title: str = "") -> Figure:
    """Each player's losses over the rounds: pale as they were, strong their running median.

    Names are a player's, or a player's term after a dot ("critic.gradient-penalty"); each player has a panel.
    Panels show the middle 98 % of the values; what lies beyond is marked at the edge. A loss that is not finite
    leaves a gap, and a dotted line stands where that first happens.
    """
    players = list(dict.fromkeys(name.partition(".")[0] for name in losses))
    figure, axes, _ = style.panels(len(players), 2, 3.1)
    style.heading(figure, title)
    styles = category_styles(losses)
    at = np.array(rounds, dtype=np.float64)
    lines: dict[str, Artist] = {}
    for panel, player in zip(axes, players, strict=True):
        style.dress(panel, player, "round", "loss")
        own = {name: np.array(losses[name], np.float64) for name in losses if name.partition(".")[0] == player}
        for name, values in own.items():
            lines[name] = smoothing.pale_and_strong(panel, at, values, styles[name])
        _frame(panel, at, list(own.values()))
    if lines:
        legend = style.key(figure, list(lines.values()), list(lines), "outside lower left", columns=3)
        legend.set_title(smoothing.said(len(at)))
        legend.get_title().set(fontsize=8, color=MUTED)
    return figure


def _frame(axes: Axes, at: Float[np.ndarray, " n"], lines: Sequence[Float[np.ndarray, " n"]]) -> None:
    """Limits that one spike does not set, and marks where a line leaves them or stops being a number."""
    known = finite(np.concatenate(lines))
    if len(known) == 0:
        style.note(axes, "no finite loss")
        return
    low, high = np.percentile(known, (1, 99)).tolist()
    margin = 0.15 * (high - low) or 0.1 * abs(low) or 0.5
    low, high = low - margin, high + margin
    axes.set_ylim(low, high)
    if len(at) > 1:
        axes.set_xlim(at[0], at[-1])
    for values in lines:
        for beyond, edge, marker in ((values > high, high, "^"), (values < low, low, "v")):
            where = at[beyond & np.isfinite(values)]
            axes.plot(
                where,
                np.full(len(where), edge),
                marker,
                color=MUTED,
                markersize=4,
                markeredgewidth=0,
                clip_on=False,
                in_layout=False,
            )
    lost = np.flatnonzero(~np.isfinite(lines).all(axis=0))
    if len(lost):
        first = at[lost[0]]
        axes.axvline(first, color=INK, linewidth=1.0, linestyle=":")
        axes.set_title(f"not finite at round {first:,.0f}", loc="right", fontsize=8, color=INK)


def metric_curves(
    rows: Sequence[Mapping[str, float]],
    metrics: Sequence[str] = (),
    floor: Mapping[str, float] | None = None,
    title: str = "",
) -> Figure:
    """A panel for each metric over the `seconds` of training; dashed, the floor.

    Without `metrics`, all that the rows have. Distances have a logarithmic axis where all are positive; scores, of
    which more is better or whose floor is near their highest value, a linear one.
    """
    floor = floor or {}
    found = dict.fromkeys(name for row in rows for name in row)
    names = list(metrics) or [name for name in found if name not in ("round", "seconds", "epoch")]
    figure, axes, across = style.panels(len(names), 3, 2.2)
    style.heading(figure, title)
    for i, (panel, name) in enumerate(zip(axes, names, strict=True)):
        style.dress(panel, name, SECONDS if i + across >= len(names) else "")
        seconds, values = _series(rows, name)
        if len(values) == 0:
            style.note(panel, "no finite value")
            continue
        panel.plot(seconds, values, color=CATEGORIES[0], marker="o", markersize=2.5, linewidth=1.3)
        best = floor.get(name)
        log = _distance_like(name, values, best)
        if log:
            style.logarithmic(panel, "y", np.append(values, best or values[0]))
        if best is not None and np.isfinite(best):
            line = style.draw_floor(panel, best, log)
            # An unbiased estimate such as KID's floor may be below zero, where a logarithmic axis has no place.
            style.key(panel, [line or Line2D([], [], linestyle="none")], [f"floor {best:.3g}"])
    return figure


def _distance_like(metric: str, values: Float[np.ndarray, " n"], floor: float | None) -> bool:
    """Whether a logarithmic axis serves: what is known to be a score is none, whatever its values look like."""
    known = METRICS.get(metric)
    return (known is None or known.better != "higher") and style.distance_like(values, floor)


def _series(rows: Sequence[Mapping[str, float]], metric: str) -> Series:
    """Seconds of training and the metric then, from the rows that have it, and finite."""
    pairs = np.array([(row["seconds"], row.get(metric)) for row in rows], dtype=np.float64).reshape(-1, 2)
    seconds, values = pairs[np.isfinite(pairs).all(axis=1)].T
    return seconds, values


def estimate_against_distance(rows: Sequence[Mapping[str, float]], title: str = "") -> Figure:
    """The critic's own estimate (`critic_estimate`) beside the exact distance (`w1_scaled`), over the rounds.

    A K-Lipschitz critic estimates at most K W1, and K is not known: the two have no common unit. On a logarithmic
    axis an unknown factor is a constant gap, so an estimate that can be trusted runs parallel to the distance.
    Estimates that are not positive have no place there; the legend counts them. On the right one against the
    other, with Spearman's rank correlation over all rows.
    """
    keys = ("round", "critic_estimate", "w1_scaled")
    table = np.array([[row.get(name) for name in keys] for row in rows], dtype=np.float64).reshape(-1, 3)
    at, estimate, distance = table[np.isfinite(table).all(axis=1)].T
    figure, (left, right), _ = style.panels(2, 2, 3.1)
    style.heading(figure, title)
    style.dress(left, "", "round", "standardised units")
    style.dress(right, "", "exact W1", "critic's estimate")
    positive = (estimate > 0) & (distance > 0)
    if not positive.any():
        for panel in (left, right):
            style.note(panel, "no estimate is positive")
        return figure
    handles: list[Artist] = []
    for values, colour, marker in ((estimate, CATEGORIES[1], "^"), (distance, CATEGORIES[0], "o")):
        shown = np.where(values > 0, values, np.nan)
        handles += left.plot(at, shown, color=colour, marker=marker, markersize=3.5, linewidth=1.3)
    style.logarithmic(left, "y", np.concatenate((estimate[positive], distance[positive])))
    lost = len(at) - int(positive.sum())
    labels = ["critic's estimate" + (f" ({lost} not positive)" if lost else ""), "exact W1"]
    style.key(figure, handles, labels, "outside lower left", columns=2)
    right.scatter(distance[positive], estimate[positive], c=at[positive], cmap="cividis", s=20, linewidths=0)
    style.logarithmic(right, "x", distance[positive])
    style.logarithmic(right, "y", estimate[positive])
    said = "from dark (first round) to pale (last)"
    if len(at) > 2:
        said = f"rank correlation {spearmanr(estimate, distance).statistic:.2f}\n{said}"
    right.text(0.03, 0.97, said, transform=right.transAxes, va="top", fontsize=8, color=INK)
    return figure


def losses_against_distance(cells: Mapping[str, Float[np.ndarray, "snapshots 2"]], player: str) -> Figure:
    """A player's loss against the distance then, a panel a cell, with Spearman's rank correlation.

    A loss that tells how good the samples are falls or rises with the distance. Dark dots are early snapshots.
    """
    figure, axes, across = style.panels(len(cells), 3, 2.3)
    for i, (panel, (cell, pairs)) in enumerate(zip(axes, cells.items(), strict=True)):
        title = style.dress(panel, cell, "distance", f"{player}'s loss" if i % across == 0 else "")
        losses, distances = pairs[np.isfinite(pairs).all(axis=1) & (pairs[:, 1] > 0)].T
        if len(losses) < 4 or np.ptp(losses) == 0 or np.ptp(distances) == 0:
            style.note(panel, "nothing to correlate")
            continue
        panel.scatter(distances, losses, c=np.arange(len(losses)), cmap="cividis", s=12, linewidths=0)
        style.logarithmic(panel, "x", distances)
        title.set_text(f"{cell}: {spearmanr(losses, distances).statistic:.2f}")
    return figure


def study_curves(
    cells: Mapping[str, Sequence[Sequence[Mapping[str, float]]]], metric: str, floor: float | None = None
) -> Figure:
    """The metric over the seconds of training: each cell's median over its seeds, and a band over all of them.

    `cells` has for each cell the rows of each of its seeds. Thin lines are single seeds. Median and band end with
    the shortest seed, since not all are known after that. The legend is in the order in which the medians end.
    """
    labels = {name: style.wrap(f"{name} ({_seeds(len(seeds))})", 32) for name, seeds in cells.items()}
    lines = sum(1.15 + label.count("\n") for label in labels.values())
    figure = style.new_figure(7.2, max(3.9, 0.6 + 0.16 * lines))
    axes = figure.add_subplot()
    style.dress(axes, "", SECONDS, metric)
    curves = {name: [_series(rows, metric) for rows in seeds] for name, seeds in cells.items()}
    everything = finite(value for seeds in curves.values() for _, values in seeds for value in values)
    if len(everything) == 0:
        style.note(axes, "nothing was measured")
        return figure
    log = _distance_like(metric, everything, floor)
    if log:
        style.logarithmic(axes, "y", np.append(everything, floor or everything[0]))
    styles = category_styles(cells)
    ends = {name: _cell(axes, curves[name], styles[name], log) for name in cells}
    order = sorted(cells, key=lambda name: -ends[name][0])
    handles, said = [ends[name][1] for name in order], [labels[name] for name in order]
    if (line := style.draw_floor(axes, floor, log)) is not None:
        handles, said = [*handles, line], [*said, f"floor {floor:.3g}"]
    axes.margins(x=0.03, y=0.07)
    style.key(figure, handles, said, "outside right center")
    return figure


def _seeds(count: int) -> str:
    return f"{count}\u00a0seed" + "s" * (count != 1)  # a space at which no line breaks


def _cell(axes: Axes, seeds: Sequence[Series], look: CategoryStyle, log: bool) -> tuple[float, Artist]:
    """Draw one cell; the value at which its median ends, and its line."""
    measured = [seed for seed in seeds if len(seed[0])]
    for seconds, values in measured:
        axes.plot(seconds, values, color=look.colour, linewidth=0.6, alpha=0.5)
    at, values = _together(measured, log)
    median = np.median(values, axis=0) if len(at) else at
    if len(measured) > 1:
        axes.fill_between(at, values.min(axis=0), values.max(axis=0), color=look.colour, alpha=0.13, linewidth=0)
    (line,) = axes.plot(
        at, median, color=look.colour, linestyle=look.line, linewidth=1.8, marker=look.marker, markersize=5,
        markevery=max(1, len(at) // 8),
    )  # fmt: skip
    return (float(median[-1]) if len(at) else -np.inf), line


def _together(seeds: Sequence[Series], log: bool) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, "seeds t"]]:
    """Times at which all seeds are known, and their values there: between snapshots, straight on the axis."""
    start = max((seconds[0] for seconds, _ in seeds), default=1.0)
    end = min((seconds[-1] for seconds, _ in seeds), default=0.0)
    at = np.unique(np.linspace(start, end, 200)) if start <= end else np.empty(0)
    there, back = (np.log, np.exp) if log else (np.positive, np.positive)
    values = [back(np.interp(at, seconds, there(values))) for seconds, values in seeds]
    return at, np.array(values).reshape(len(seeds), len(at))


def ranking_figure(rows: Sequence[Ranked], metric: str, floor: float | None = None) -> Figure:
    """Cells from top to bottom as given: the mean with its interval, and each seed as a ring below it.

    The mean is NaN where no seed finished. On a logarithmic axis an interval that reaches below zero ends at the
    picture's edge; the numbers on the right have it whole.
    """
    names = [style.wrap(name, 30) for name, *_ in rows]
    figure = style.new_figure(7.2, 0.9 + 0.17 * sum(2 + name.count("\n") for name in names))
    axes = figure.add_subplot()
    style.dress(axes, "", metric)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), names, parse_math=False)
    axes.grid(False, axis="y")
    shown = finite(value for _, mean, _, _, values in rows for value in (mean, *values))
    if len(shown) == 0:
        style.note(axes, "no run finished")
        return figure
    log = _distance_like(metric, shown, floor)
    styles = category_styles(name for name, *_ in rows)
    for i, row in enumerate(rows):
        _rank(axes, i, styles[row[0]], row)
    _beside(axes, -0.6, "mean [interval]", MUTED, "bottom")
    if floor is not None and not (log and floor <= 0):
        axes.axvline(floor, color=INK, linewidth=1.0, linestyle=FLOOR)
        axes.text(floor, -0.65, f"floor {floor:.3g}", ha="center", va="bottom", fontsize=8.5, color=INK)
    if log:
        style.logarithmic(axes, "x", np.append(shown, floor or shown[0]))
        least = 0.6 * min(shown.min(), floor or np.inf)
        axes.set_xlim(left=max(least, axes.get_xlim()[0]))
    return figure


def _rank(axes: Axes, y: int, look: CategoryStyle, row: Ranked) -> None:
    _, mean, low, high, values = row
    known = finite(values)
    axes.plot(known, np.full(len(known), y + 0.25), "o", color=look.colour, markersize=4, markerfacecolor="white")
    said = f"{mean:.3g}" if np.isfinite(mean) else "no run finished"
    if low is not None and high is not None:
        axes.hlines(y, low, high, color=look.colour, linewidth=2.2)
        said += f"  [{low:.3g}, {high:.3g}]"
    axes.plot([mean], [y], look.marker, markersize=7, color=look.colour)
    _beside(axes, y, said, INK, "center")


def _beside(axes: Axes, y: float, text: str, colour: str, align: str) -> None:
    """Text on the right of the panel, at the height `y`."""
    at = axes.get_yaxis_transform()
    axes.text(1.02, y, text, transform=at, va=align, fontsize=8.5, color=colour)
