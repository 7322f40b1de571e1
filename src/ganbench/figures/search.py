"""A search for settings: what mattered, how each setting stands to the metric, and how the search went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from ganbench.figures import style
from ganbench.figures.style import CATEGORIES, INK, MUTED

FINISHED, BEST, OWN = CATEGORIES[0], CATEGORIES[1], CATEGORIES[2]


@dataclass(frozen=True, slots=True)
class Point:
    """A trial as it is drawn: its number, its value (None where it has none), whether it was played to its end."""

    number: int
    value: float | None
    finished: bool
    best: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class Dial:
    """What the trials had for one setting: numbers, on a logarithmic axis where `log`, or places among `names`."""

    values: Sequence[float]
    log: bool = False
    names: Sequence[str] = ()


def importance_figure(shares: Mapping[str, float], chance: Mapping[str, float]) -> Figure:
    """A bar for each setting, its share on the right; a mark where chance may end, and pale what is not beyond it."""
    figure = style.new_figure(7.2, 0.9 + 0.26 * len(shares))
    axes = figure.add_subplot()
    style.dress(axes, "", "share of what tells the best trials from all")
    axes.grid(False, axis="y")
    axes.set_yticks(range(len(shares)), list(shares), parse_math=False)
    axes.set_ylim(len(shares) - 0.4, -0.6)
    axes.set_xlim(0, 1.02 * max(*shares.values(), *chance.values(), 0.01))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    right = axes.get_yaxis_transform()
    for place, (name, share) in enumerate(shares.items()):
        axes.barh(place, share, color=FINISHED, height=0.6, alpha=1.0 if share > chance[name] else 0.35)
        axes.plot([chance[name]] * 2, [place - 0.4, place + 0.4], color=INK, linewidth=1.3)
        axes.text(1.02, place, f"{share:.0%}", transform=right, va="center", fontsize=8.5, color=INK)
    mark = Line2D([], [], color=INK, linewidth=1.3)
    style.key(figure, [mark], ["where chance may end"], "outside lower left")
    return figure


def settings_figure(points: Sequence[Point], dials: Mapping[str, Dial], metric: str) -> Figure:
    """A panel for each setting: the metric at the last snapshot that a trial reached against the setting.

    Filled are trials that were played to their end, rings those that were stopped early, crosses at the upper edge
    those without a value.
    """
    figure, axes, across = style.panels(len(dials), 3, 2.2)
    values = style.finite(point.value for point in points)
    artists: dict[str, Artist] = {}
    for i, (panel, (name, dial)) in enumerate(zip(axes, dials.items(), strict=True)):
        style.dress(panel, "", "", metric if i % across == 0 else "")
        panel.set_title(style.wrap(name.replace(".", ". "), 30).replace(". ", "."), loc="left", fontsize=8.5, color=INK)
        if len(values) == 0:
            style.note(panel, "no trial has a value")
            continue
        artists = _points(panel, dial.values, points)
        _value_axis(panel, values)
        _dial_axis(panel, dial)
    _key(figure, artists)
    return figure


def _dial_axis(axes: Axes, dial: Dial) -> None:
    """Ticks for a narrow panel: few, and short."""
    if dial.names:
        short = [name.replace(", ", ",") for name in dial.names]
        names = [style.wrap(name, max(12, 36 // len(short))) for name in short]
        axes.set_xticks(range(len(names)), names, parse_math=False)
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.tick_params(axis="x", labelsize=6.5 if sum(map(len, short)) > 24 else 8)
    elif dial.log:
        axes.set_xscale("log")
        span = max(dial.values) / min(dial.values)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3) if span < 30 else (1,), numticks=4))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(FuncFormatter(_short))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))


def _short(value: float, _: int | None = None) -> str:
    """A number in few letters, as 3e-4.

    >>> _short(0.0003), _short(0.03), _short(10)
    ('3e-4', '0.03', '10')
    """
    return f"{value:g}" if value >= 0.01 else f"{value:.0e}".replace("e-0", "e-")


def _value_axis(axes: Axes, values: np.ndarray) -> None:
    if style.distance_like(values, None):
        style.logarithmic(axes, "y", values)


def _points(axes: Axes, at: Sequence[float], points: Sequence[Point]) -> dict[str, Artist]:
    """Draws the trials at places on the x axis; gives what the key names, by kind."""
    kinds: dict[str, list[int]] = {}
    for i, point in enumerate(points):
        kinds.setdefault(_kind(point), []).append(i)
    artists: dict[str, Artist] = {}
    looks: dict[str, dict[str, Any]] = {
        "no value": {"marker": "x", "color": MUTED, "clip_on": False},
        "stopped early": {"marker": "o", "facecolors": "white", "edgecolors": MUTED, "linewidths": 0.9},
        "finished": {"marker": "o", "color": FINISHED},
        "first settings": {"marker": "s", "color": OWN, "edgecolors": "white", "s": 42},
        "best": {"marker": "D", "color": BEST, "edgecolors": "white", "s": 48},
    }
    for kind, look in looks.items():
        if chosen := kinds.get(kind):
            heights = [1.0 if (value := points[i].value) is None else value for i in chosen]
            where = {"transform": axes.get_xaxis_transform()} if kind == "no value" else {}
            artists[kind] = axes.scatter([at[i] for i in chosen], heights, **{"s": 18, "zorder": 3} | look | where)
    return artists


def _kind(point: Point) -> str:
    if point.value is None:
        return "no value"
    if point.best:
        return "best"
    if point.own:
        return "first settings"
    return "finished" if point.finished else "stopped early"


def _key(figure: Figure, artists: Mapping[str, Artist]) -> None:
    if artists:
        style.key(figure, list(artists.values()), list(artists), "outside lower left", columns=min(len(artists), 6))


def history_figure(points: Sequence[Point], metric: str, floor: float | None = None) -> Figure:
    """The metric of each trial in the order in which they were begun, and the best so far of those that finished."""
    figure = style.new_figure(7.2, 3.0)
    axes = figure.add_subplot()
    style.dress(axes, "", "trial", metric)
    values = style.finite(point.value for point in points)
    if len(values) == 0:
        style.note(axes, "no trial has a value")
        return figure
    artists = _points(axes, [point.number for point in points], points)
    lowest = np.fmin.accumulate([p.value if p.finished and p.value is not None else np.nan for p in points])
    (artists["best so far"],) = axes.step(
        [point.number for point in points], lowest, where="post", color=BEST, linewidth=1.3
    )
    _value_axis(axes, np.append(values, floor or values[0]))
    if (line := style.draw_floor(axes, floor, axes.get_yscale() == "log")) is not None:
        artists[f"floor {floor:.3g}"] = line
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _key(figure, artists)
    return figure
