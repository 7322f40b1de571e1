"""One look for all figures: colours, figures that show themselves in a notebook, panels, logarithmic axes.

Nothing is read from or written to matplotlib's global state, so that a person's own style and ours leave each
other alone; therefore colours and sizes are said wherever something is drawn.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.typing import LineStyleType

from ganbench.figures.animation import DPI, png_bytes

INK, MUTED, FAINT = "#222222", "#6f6f6f", "#e4e4e4"
REAL, FAKE = "#003f6b", "#cc5500"
FLOOR: LineStyleType = (0, (5, 3))

# Okabe and Ito's palette without its yellow, which is too pale for lines on white.
CATEGORIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
# The three lengths share no divisor, so that a combination returns late.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LINES: tuple[LineStyleType, ...] = (
    "-",
    (0, (6, 2)),
    (0, (6, 2, 1.5, 2)),
    (0, (1.5, 1.5)),
    (0, (3, 1, 1, 1, 1, 1)),
)


@dataclass(frozen=True, slots=True)
class CategoryStyle:
    """How one of several things is drawn: each of the three tells it from its neighbours."""

    colour: str
    marker: str
    line: LineStyleType


def category_styles(names: Iterable[str]) -> dict[str, CategoryStyle]:
    """A style for each name, by alphabet, so that the same names look the same in every figure."""

    def nth(i: int) -> CategoryStyle:
        return CategoryStyle(CATEGORIES[i % len(CATEGORIES)], _MARKERS[i % len(_MARKERS)], _LINES[i % len(_LINES)])

    return {name: nth(i) for i, name in enumerate(sorted(names))}


def new_figure(width: float, height: float, dpi: int = DPI) -> Figure:
    """An empty white figure, in inches, on its own canvas, that a notebook shows without pyplot."""
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure._repr_png_ = partial(png_bytes, figure)  # type: ignore[attr-defined]
    return figure


def panels(count: int, columns: int, height: float) -> tuple[Figure, list[Axes], int]:
    """A figure of `count` panels of `height` inches, its panels, and how many are in a row: at most `columns`."""
    rows = max(1, math.ceil(count / columns))
    across = max(1, math.ceil(count / rows))
    figure = new_figure(7.2 if across > 1 else 4.6, height * rows)
    return figure, [figure.add_subplot(rows, across, i + 1) for i in range(count)], across


def dress(axes: Axes, title: str = "", x: str = "", y: str = "") -> Text:
    """Give a panel the common look, its title, and names of its axes, in which a $ is only a letter; the title."""
    axes.set_facecolor("white")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=MUTED, linewidth=0.8)
    axes.tick_params(which="both", color=MUTED, labelcolor=INK, labelsize=8, width=0.8)
    axes.grid(True, color=FAINT, linewidth=0.6, linestyle="-")
    axes.set_axisbelow(True)
    axes.set_xlabel(x, fontsize=9, color=INK, parse_math=False)
    axes.set_ylabel(y, fontsize=9, color=INK, parse_math=False)
    return axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=INK, parse_math=False)


def heading(figure: Figure, title: str) -> None:
    """The title of a whole figure."""
    text = wrap(title, 80)
    figure.suptitle(text, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK, parse_math=False)


def wrap(text: str, width: int) -> str:
    """`text` in lines of at most `width` letters; longer words are broken."""
    return "\n".join(textwrap.wrap(text, width))


def key(
    where: Axes | Figure,
    handles: Sequence[Artist],
    labels: Sequence[str],
    place: Literal["best", "outside lower left", "outside right center"] = "best",
    columns: int = 1,
) -> Legend:
    """A legend in the common look, inside a panel or outside all panels of a figure."""
    # A legend leaves out labels that begin with an underscore; after a space of no width they stay.
    kept = [f"\u200b{label}" if label.startswith("_") else label for label in labels]
    legend = where.legend(handles, kept, loc=place, fontsize=8, labelcolor=INK, ncols=columns)
    legend.get_frame().set(facecolor="white", edgecolor=FAINT, alpha=0.85, visible=place == "best")
    for text in legend.get_texts():
        text.set_parse_math(False)
    return legend


def note(axes: Axes, text: str) -> None:
    """Say in the middle of a panel why it is empty."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=9, color=MUTED)


def draw_floor(axes: Axes, floor: float | None, log: bool) -> Line2D | None:
    """A dashed line at the floor; None where there is none, or a logarithmic axis has no place for it."""
    if floor is None or not np.isfinite(floor) or (log and floor <= 0):
        return None
    return axes.axhline(floor, color=INK, linewidth=1.0, linestyle=FLOOR)


def finite(values: Iterable[float | None]) -> Float[np.ndarray, " n"]:
    """The finite ones among `values`; None counts as NaN."""
    array = np.array(list(values), dtype=np.float64)
    return array[np.isfinite(array)]


def distance_like(values: Float[np.ndarray, " n"], floor: float | None) -> bool:
    """Whether a logarithmic axis serves: all are positive, and it is no score, whose floor is near its top."""
    if len(values) == 0 or values.min() <= 0:
        return False
    return floor is None or not floor > 0 or floor * floor <= values.min() * values.max()


def logarithmic(axes: Axes, which: Literal["x", "y"], values: Float[np.ndarray, " n"]) -> None:
    """Make one of a panel's axes logarithmic, with plain numbers at ticks for the span of the positive `values`."""
    positive = values[values > 0]
    span = float(positive.max() / positive.min())
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log"})
    if span < 5:
        axis.set_major_locator(MaxNLocator(5))
    else:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if span < 100 else (1, 3) if span < 3000 else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
