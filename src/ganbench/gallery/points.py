"""The pictures of a training on points."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganbench.data import PointSet
from ganbench.figures.animation import save_png
from ganbench.figures.curves import estimate_against_distance
from ganbench.figures.film import Film
from ganbench.figures.surface import limits
from ganbench.gallery.pages import draw_curves, write_report
from ganbench.runs import RunFolder
from ganbench.workbench import Workbench

SHOWN = 2000
"""Points in a picture and in `samples/`."""


class PointGallery:
    """Draws one run into its folder."""

    def __init__(self, folder: RunFolder, bench: Workbench, data: PointSet) -> None:
        self.folder, self.bench, self.data = folder, bench, data
        self.film: Film | None = None

    def snapshot(self, measured: dict[str, float]) -> None:
        """A frame and the points on it, under the round's number."""
        round, data = self.bench.state.round, self.data
        fake = self.bench.sample(SHOWN)
        np.save(self.folder.samples / f"{round:08d}.npy", fake.astype(np.float32))
        title = f"{self.bench.title}, w1 {measured['w1']:.3g}"
        frame = self.folder.figures / f"{round:08d}.png"
        if data.dimension == 2:
            self.film = self.film or Film(data.points, limits(data.points), data.columns)
            self.film.frame(fake, self.bench.surface(), title).save(frame)
        else:
            save_png(self.bench.scatter(SHOWN, title), frame)

    def finish(self, summary: dict[str, Any]) -> None:
        """The closing pictures and `report.html`."""
        figures, rows = self.folder.figures, self.folder.rows("metrics")
        save_png(self.bench.scatter(SHOWN), figures / "scatter.png")
        if "critic_estimate" in rows[0]:
            save_png(estimate_against_distance(rows), figures / "estimate.png")
        draw_curves(self.folder, self.bench, summary)
        count = self.bench.ruler(self.bench.configuration.measure.final).count
        over = f"Distances over {count:,} generated and {count:,} real points; floor: real against real."
        write_report(self.folder, self.bench, summary, over)
