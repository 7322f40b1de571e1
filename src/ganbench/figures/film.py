"""Many pictures of one training in the plane, each drawn fast by changing the one before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from ganbench.figures.style import FAKE, INK, MUTED, REAL, dress, key, new_figure, wrap
from ganbench.figures.surface import LABELS, Box, SurfaceGrid, draw_image, draw_lines, update_image
from ganbench.types import Surface

SHOWN = 1500
"""At most so many points of each kind are drawn; more only cover each other."""


class Film:
    """The plane of one training: the real points stay, generated points and the critic's surface change.

    `box` is what is seen of the plane, `columns` name its axes, `size` is in inches. All surfaces are of one kind.

    >>> film = Film(np.zeros((3, 2)), (-1.0, 1.0, -1.0, 1.0))
    >>> film.frame(np.ones((5, 2)), None, "round 1").size
    (480, 420)
    """

    def __init__(
        self,
        real: Float[np.ndarray, "n 2"],
        box: Box,
        columns: Sequence[str] = (),
        size: tuple[float, float] = (4.8, 4.2),
        dpi: int = 100,
    ) -> None:
        self._figure = new_figure(*size, dpi=dpi)
        self._canvas = cast(FigureCanvasAgg, self._figure.canvas)
        self._axes = self._figure.add_subplot()
        self._title = dress(self._axes, "", *(columns or ("x", "y")))
        self._axes.spines[["top", "right"]].set(visible=True, color=MUTED, linewidth=0.8)
        self._axes.grid(False)
        self._axes.set_box_aspect(1)
        self._axes.set(xlim=box[:2], ylim=box[2:])
        self._box = box
        shown = some(real)
        dots = partial(self._axes.plot, marker="o", markersize=2.4, color=REAL, alpha=0.5, markeredgewidth=0)
        crosses = partial(self._axes.plot, marker="x", markersize=3, color=FAKE, alpha=0.75, markeredgewidth=0.7)
        # Half of the real points lie above the generated ones, so that neither kind hides the other.
        dots(*shown[::2].T, linestyle="none", zorder=2)
        (self._fakes,) = crosses([], [], linestyle="none", zorder=3)
        dots(*shown[1::2].T, linestyle="none", zorder=4)
        # Larger and solid, as single marks in a legend are hard to see.
        samples = (
            Line2D([], [], linestyle="none", marker="o", markersize=5, color=REAL),
            Line2D([], [], linestyle="none", marker="x", markersize=5, color=FAKE, markeredgewidth=1.5),
        )
        self._legend = key(self._figure, samples, ("real", "generated"), "outside lower left", columns=2)
        self._image: AxesImage | None = None
        self._lines: ContourSet | None = None

    def draw(self, fake: Float[np.ndarray, "m 2"], surface: SurfaceGrid | None, title: str) -> Figure:
        """The picture as a figure, which the next picture changes."""
        self._title.set_text(wrap(title, 48))
        self._fakes.set_data(*some(fake).T)
        self._legend.get_texts()[1].set_text("generated" + outside(fake, self._box))
        if self._lines is not None:
            self._lines.remove()
            self._lines = None
        if surface is not None:
            self._lay(surface)
        return self._figure

    def frame(self, fake: Float[np.ndarray, "m 2"], surface: SurfaceGrid | None, title: str) -> Image.Image:
        """The picture in pixels. The first one settles where everything lies, so that nothing jumps."""
        self.draw(fake, surface, title)
        self._canvas.draw()
        self._figure.set_layout_engine("none")
        return Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")

    def _lay(self, surface: SurfaceGrid) -> None:
        """Put the surface under the points."""
        if self._image is None:
            self._image = draw_image(self._axes, surface)
            self._add_bar(self._image, surface.kind)
        update_image(self._image, surface)
        self._axes.set(xlim=self._box[:2], ylim=self._box[2:])  # which an image's extent moves
        self._lines = draw_lines(self._axes, surface)

    def _add_bar(self, image: AxesImage, kind: Surface) -> None:
        bar = self._figure.colorbar(
            image, ax=self._axes, fraction=0.05, pad=0.03, ticks=MaxNLocator(5),
            format=FuncFormatter(lambda value, _: f"{value:.4g}".replace("-", "−")),
        )  # fmt: skip
        bar.outline.set(edgecolor=MUTED, linewidth=0.8)
        bar.ax.tick_params(color=MUTED, labelcolor=INK, labelsize=8, width=0.8)
        bar.set_label(LABELS[kind], fontsize=9, color=INK)
        if kind == "probability":
            bar.ax.axhline(0.5, color=INK, linewidth=1.0)


def some(points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "k d"]:
    """At most `SHOWN` of the finite points, always the same; drawn by lot, since files are often sorted."""
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) <= SHOWN:
        return points
    return points[np.random.default_rng(0).choice(len(points), SHOWN, replace=False)]


def outside(points: Float[np.ndarray, "n 2"], box: Box) -> str:
    """What a legend adds where points lie outside `box`, or nowhere, and are not seen."""
    if len(points) == 0:
        return ""
    low, high = np.array(box[::2]), np.array(box[1::2])
    share = 1 - ((points >= low) & (points <= high)).all(axis=1).mean()
    if share == 0:
        return ""
    return f" ({100 * share:.0f} % outside)" if share >= 0.01 else " (under 1 % outside)"
