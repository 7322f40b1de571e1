"""Many pictures of one training in the plane, each drawn fast by changing the one before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from ganbench.figures.style import FAKE, INK, MUTED, REAL, dress, key, new_figure
from ganbench.figures.surface import LABELS, Box, SurfaceGrid, draw_image, draw_lines, update_image

SHOWN = 2000
"""At most so many points of each kind are drawn; more only cover each other."""


class Film:
    """The plane of one training: the real points stay, generated points and the critic's surface change.

    `box` is what is seen of the plane, `columns` name its axes, `size` is in inches.

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
        self._axes = self._figure.add_subplot()
        dress(self._axes, " ", *(columns or ("x", "y")))
        self._axes.spines[["top", "right"]].set(visible=True, color=MUTED, linewidth=0.8)
        self._axes.grid(False)
        self._axes.set_box_aspect(1)
        self._axes.set(xlim=box[:2], ylim=box[2:])
        self._box = box
        shape = {"linestyle": "none", "markeredgewidth": 0.0}
        (reals,) = self._axes.plot(
            *some(real).T, marker="o", markersize=2.6, color=REAL, alpha=0.45, zorder=2, **shape
        )
        (self._fakes,) = self._axes.plot(
            [], [], marker="^", markersize=3.6, color=FAKE, alpha=0.6, zorder=3, **shape
        )
        self._legend = key(self._axes, (reals, self._fakes), ("real", "generated"), "below")
        for handle in self._legend.legend_handles:
            handle.set(alpha=1.0, markersize=6)
        self._image: AxesImage | None = None
        self._bar: Colorbar | None = None
        self._lines: ContourSet | None = None

    def draw(self, fake: Float[np.ndarray, "m 2"], surface: SurfaceGrid | None, title: str) -> Figure:
        """The picture as a figure, which the next picture changes."""
        self._axes.set_title(title)
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
        canvas = self._figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)
        canvas.draw()
        self._figure.set_layout_engine("none")
        return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")

    def _lay(self, surface: SurfaceGrid) -> None:
        if self._image is None:
            self._image = draw_image(self._axes, surface)
            self._bar = self._figure.colorbar(self._image, ax=self._axes, fraction=0.05, pad=0.03)
            self._bar.outline.set(edgecolor=MUTED, linewidth=0.8)
            self._bar.ax.tick_params(color=MUTED, labelcolor=INK, labelsize=8, width=0.8)
            self._bar.set_label(LABELS[surface.kind], fontsize=9, color=INK)
            self._bar.locator = MaxNLocator(5)
            self._bar.formatter = FuncFormatter(lambda value, _: f"{value:.4g}")
            if surface.kind == "probability":
                self._bar.ax.axhline(0.5, color=INK, linewidth=1.0)
        update_image(self._image, surface)
        self._axes.set(xlim=self._box[:2], ylim=self._box[2:])  # images move them
        self._lines = draw_lines(self._axes, surface)


def some(points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "k d"]:
    """At most `SHOWN` of the finite points, always the same ones; files are often sorted, hence by lot."""
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) <= SHOWN:
        return points
    return points[np.random.default_rng(0).choice(len(points), SHOWN, replace=False)]


def outside(points: Float[np.ndarray, "n 2"], box: Box) -> str:
    """What a legend adds where points lie outside `box` and are not seen; infinite and NaN ones do."""
    low, high = np.array(box[::2]), np.array(box[1::2])
    share = 1 - float(((points >= low) & (points <= high)).all(axis=1).mean()) if len(points) else 0.0
    if share == 0:
        return ""
    return f" ({100 * share:.0f} % outside)" if share >= 0.01 else " (under 1 % outside)"
