"""The pictures of a run: a frame at each snapshot, and at the end the film, the curves and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ganbench.constraints import Clip
from ganbench.figures.animation import animate, save_png
from ganbench.figures.curves import estimate_against_distance, loss_curves, metric_curves
from ganbench.figures.film import Film
from ganbench.figures.surface import limits
from ganbench.figures.weights import weight_histograms
from ganbench.metrics import METRICS
from ganbench.reports import Page, Picture, Section, Table, write_page
from ganbench.runs import RunFolder
from ganbench.sampling import looking
from ganbench.workbench import Workbench

SHOWN = 2000
"""Points in a picture and in `samples/`."""


class Gallery:
    """Draws one run into its folder."""

    def __init__(self, folder: RunFolder, bench: Workbench) -> None:
        self.folder, self.bench = folder, bench
        self.film: Film | None = None

    def snapshot(self, measured: dict[str, float]) -> None:
        """A frame and the points on it, under the round's number."""
        round = self.bench.state.round
        fake = self.bench.sample(SHOWN)
        np.save(self.folder.samples / f"{round:08d}.npy", fake.astype(np.float32))
        title = f"{self.bench.configuration.recipe}, round {round:,}, w1 {measured['w1']:.3g}"
        frame = self.folder.figures / f"{round:08d}.png"
        data = self.bench.data
        if data.dimension == 2:
            self.film = self.film or Film(data.points, limits(data.points), data.columns)
            self.film.frame(fake, self.bench.surface(), title).save(frame)
        else:
            save_png(self.bench.scatter(SHOWN, title), frame)

    def finish(self, summary: dict[str, Any]) -> None:
        """The closing pictures and `report.html`."""
        figures, configuration = self.folder.figures, self.bench.configuration
        rows = self.folder.rows("metrics")
        save_png(self.bench.scatter(SHOWN), figures / "scatter.png")
        names = [name for name in METRICS if name in rows[0]]
        save_png(metric_curves(rows, names, summary["snapshot_floor"]), figures / "metrics.png")
        title = f"{configuration.recipe} on {self.bench.data.title}"
        save_png(loss_curves(*self.folder.losses(), title), figures / "losses.png")
        save_png(weight_histograms(self._critic_weights(), self._bound(), title), figures / "weights.png")
        if "critic_estimate" in rows[0]:
            save_png(estimate_against_distance(rows), figures / "estimate.png")
        frames = sorted(p for p in figures.glob("*.png") if p.stem.isdigit())
        animate(frames, figures / "training.webp")
        write_page(self._page(summary), self.folder.path / "report.html")

    def _critic_weights(self) -> dict[str, np.ndarray]:
        """The weights that the critic's layers use; parametrised ones as they are after it."""
        found = {}
        with looking(self.bench.state.critic.network):
            for name, module in self.bench.state.critic.network.named_modules():
                weight = getattr(module, "weight", None)
                if isinstance(weight, Tensor) and weight.dim() > 1:
                    found[name] = weight.float().cpu().numpy().ravel()
        return found

    def _bound(self) -> float | None:
        clips = (c for c in self.bench.recipe.critic.constraints.values() if isinstance(c, Clip))
        return next((clip.bound for clip in clips), None)

    def _page(self, summary: dict[str, Any]) -> Page:
        metrics = summary["metrics"]
        rows = [
            [
                name,
                *(_shown(value) for value in (metrics["final"].get(name), metrics["best"].get(name), floor)),
                f"{METRICS[name].meaning}; {METRICS[name].better} is better",
            ]
            for name, floor in metrics["floor"].items()
        ]
        table = Table(("metric", "final", "best", "floor", "meaning"), rows, caption=_measured_over(self.bench))
        pictures = [self._picture(name, caption) for name, caption in _CAPTIONS.items()]
        config = (self.folder.path / "config.yaml").read_text(encoding="utf-8")
        return Page(
            title=f"{summary['recipe']} on {self.bench.data.title}",
            lead=[_lead(summary)],
            sections=[
                Section("What it came to", tables=[table]),
                Section("Pictures", pictures=[p for p in pictures if p]),
                Section("Configuration", code=config, folded=True),
            ],
        )

    def _picture(self, name: str, caption: str) -> Picture | None:
        path = self.folder.figures / name
        return read_picture(path, caption) if path.exists() else None


_CAPTIONS = {
    "scatter.png": "Real and generated points at the end, over what the critic says.",
    "training.webp": "The training, a frame a snapshot.",
    "metrics.png": "Metrics at each snapshot against seconds of training; dashed: the floor at the same sizes.",
    "losses.png": "What each player paid.",
    "estimate.png": "The critic's own estimate beside the exact distance.",
    "weights.png": "The critic's weights, a panel a layer.",
}


def read_picture(path: Path, caption: str) -> Picture:
    mime = {".png": "image/png", ".webp": "image/webp"}[path.suffix]
    return Picture(caption, path.read_bytes(), mime)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _measured_over(bench: Workbench) -> str:
    count = bench.ruler(bench.configuration.measure.final).count
    return f"Distances over {count:,} generated and {count:,} real points; floor: real against real."


def _lead(summary: dict[str, Any]) -> str:
    if summary["status"] == "diverged":
        return f"The training diverged: {summary['cause']}. Shown is the last good checkpoint."
    w1, floor = summary["metrics"]["final"]["w1"], summary["metrics"]["floor"]["w1"]
    return (
        f"After {summary['rounds']:,} rounds and {summary['seconds']:.1f} s of training (seed {summary['seed']}) "
        f"w1 is {w1:.4g}, {w1 / floor:.2f} times the floor."
    )
