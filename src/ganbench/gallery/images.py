"""The pictures of a training on images."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from ganbench.figures.animation import save_image, save_png
from ganbench.figures.convergence import convergence_curve
from ganbench.figures.labels import label_histogram
from ganbench.figures.neighbours import neighbours
from ganbench.figures.sheets import sweep
from ganbench.gallery.pages import draw_curves, write_report
from ganbench.interpolation import through_noise
from ganbench.metrics import ImageRuler
from ganbench.priors import Coded
from ganbench.runs import RunFolder
from ganbench.types import Latent
from ganbench.workbench import Workbench

SHOWN = 64
"""Images on a sheet and in `samples/`."""

COUNTED = 2000
"""Images whose classes are counted."""

STEPS = 10
"""Images in a row of an interpolation or a sweep."""


class ImageGallery:
    """Draws one run into its folder."""

    def __init__(self, folder: RunFolder, bench: Workbench) -> None:
        self.folder, self.bench = folder, bench

    def snapshot(self, measured: dict[str, float]) -> None:
        """A sheet of the same noise each time, and its images, under the round's number."""
        bench, round = self.bench, self.bench.state.round
        np.save(self.folder.samples / f"{round:08d}.npy", bench.sample(SHOWN))
        title = f"{bench.title}, fid {measured['fid']:.3g}"
        save_image(bench.sheet(SHOWN, title), self.folder.figures / f"{round:08d}.png")

    def finish(self, summary: dict[str, Any]) -> None:
        """The closing pictures and `report.html`."""
        bench, figures = self.bench, self.folder.figures
        save_image(bench.sheet(SHOWN), figures / "sheet.png")
        save_image(self._interpolation(), figures / "interpolation.png")
        save_image(self._neighbours(), figures / "neighbours.png")
        if isinstance(bench.state.prior, Coded):
            save_image(self._codes(bench.state.prior), figures / "codes.png")
        rows = self.folder.rows("log")
        if rows and "gauge.convergence" in rows[-1]:
            gauges = [{name.removeprefix("gauge."): value for name, value in row.items()} for row in rows]
            save_png(convergence_curve(gauges), figures / "convergence.png")
        draw_curves(self.folder, bench, summary)
        ruler = bench.ruler(bench.configuration.measure.final)
        assert isinstance(ruler, ImageRuler)
        self._labels(ruler)
        over = (
            f"Over the features of {ruler.features.name}, {ruler.count:,} generated and {ruler.count:,} real images; "
            "floor: real against real."
        )
        write_report(self.folder, bench, summary, over)

    def _labels(self, ruler: ImageRuler) -> None:
        """Which classes are generated, beside the data's, where the features can tell."""
        data = self.bench.data
        seen = ruler.features(self.bench.sample(COUNTED)).labels
        if data.labels is None or seen is None or "label_kl" not in ruler.floor:
            return
        k = len(data.classes)
        real, generated = (np.bincount(labels, minlength=k)[:k] for labels in (data.labels, seen))
        save_png(label_histogram(real, generated, data.classes), self.folder.figures / "labels.png")

    def _interpolation(self, rows: int = 8) -> Image.Image:
        """From one noise vector to another; labels, where they are asked for, stay those of the start."""
        ends = self.bench.latents(2 * rows, seed=1)
        shares = torch.linspace(0, 1, STEPS, device=ends.z.device)
        z = through_noise(self.bench.recipe.prior, ends.z[:rows], ends.z[rows:], shares)
        labels = None if ends.y is None else ends.y[:rows].repeat_interleave(STEPS)
        code = None if ends.code is None else ends.code[:rows].repeat_interleave(STEPS, dim=0)
        return self._rows(Latent(z.flatten(0, 1), labels, code), rows, STEPS, (), "from one noise vector to another")

    def _codes(self, prior: Coded, rows: int = 3) -> Image.Image:
        """Each part of the code in turn: every choice, then each number from -2 to 2."""
        start = self.bench.latents(rows, seed=1)
        assert start.code is not None
        steps = prior.categories or STEPS
        parts, names = [], []
        for part in range(bool(prior.categories) + prior.continuous):
            code = start.code[:, None].repeat(1, steps, 1)
            if part == 0 and prior.categories:
                code[:, :, : prior.categories] = torch.eye(steps, device=code.device)
                names += ["choice"] * rows
            else:
                number = part - bool(prior.categories)
                code[:, :, prior.categories + number] = torch.linspace(-2, 2, steps, device=code.device)
                names += [f"number {number + 1}"] * rows
            parts.append(code.flatten(0, 1))
        z = start.z.repeat_interleave(steps, dim=0).repeat(len(parts), 1)
        labels = None if start.y is None else start.y.repeat_interleave(steps).repeat(len(parts))
        return self._rows(Latent(z, labels, torch.cat(parts)), len(names), steps, names, "the code, part by part")

    def _rows(self, latent: Latent, rows: int, steps: int, names: Any, title: str) -> Image.Image:
        pixels = self.bench.data.restored(self.bench.generate(latent))
        return sweep(pixels.reshape(rows, steps, *pixels.shape[1:]), names, title)

    def _neighbours(self, count: int = 12, nearest: int = 4) -> Image.Image:
        """Whether the generator has learnt images by heart."""
        ruler = self.bench.ruler(self.bench.configuration.measure.count)
        assert isinstance(ruler, ImageRuler)
        fakes = self.bench.sample(count)
        return neighbours(
            fakes, *ruler.nearest(fakes, nearest), f"distances over the features of {ruler.features.name}"
        )
