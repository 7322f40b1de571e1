"""What the reports of all runs share: the curves, the table of metrics, the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from ganbench.constraints import Clip
from ganbench.figures.animation import animate, save_png, webp_bytes
from ganbench.figures.curves import loss_curves, metric_curves
from ganbench.figures.weights import weight_histograms
from ganbench.gallery.captions import captions
from ganbench.metrics import METRICS
from ganbench.metrics.guides import guide_of
from ganbench.reports import Page, Picture, Section, Table, write_page
from ganbench.runs import RunFolder
from ganbench.sampling import looking
from ganbench.workbench import Workbench

LARGE = 150_000
"""Bytes of a PNG from which a page of many runs takes it in another form: sheets of coloured images are such."""

BETTER = {"lower": "lower is better", "higher": "higher is better", "equal": "as the floor is best"}

FRAMES = 48
"""Of the snapshots' pictures, evenly chosen with the first and the last, those that the film shows: 8 a second."""


def draw_curves(folder: RunFolder, bench: Workbench, summary: Mapping[str, Any]) -> None:
    """Metrics, losses, the critic's weights and the film of the frames."""
    rows = folder.rows("metrics")
    names = [name for name in METRICS if name in rows[0]]
    save_png(metric_curves(rows, names, summary["snapshot_floor"]), folder.figures / "metrics.png")
    title = f"{bench.configuration.recipe} on {bench.data.title}"
    save_png(loss_curves(*folder.losses(), title), folder.figures / "losses.png")
    save_png(weight_histograms(_critic_weights(bench), _bound(bench), title), folder.figures / "weights.png")
    frames = sorted(p for p in folder.figures.glob("*.png") if p.stem.isdigit())
    shown = np.unique(np.linspace(0, len(frames) - 1, FRAMES).round().astype(int))
    animate([frames[i] for i in shown], folder.figures / "training.webp")


def _critic_weights(bench: Workbench) -> dict[str, np.ndarray]:
    """The weights that the critic's layers use; parametrised ones as they are after it."""
    found = {}
    with looking(bench.state.critic.network):
        for name, module in bench.state.critic.network.named_modules():
            weight = getattr(module, "weight", None)
            if isinstance(weight, Tensor) and weight.dim() > 1:
                found[name] = weight.float().cpu().numpy().ravel()
    return found


def _bound(bench: Workbench) -> float | None:
    clips = (c for c in bench.recipe.critic.constraints.values() if isinstance(c, Clip))
    return next((clip.bound for clip in clips), None)


def write_report(folder: RunFolder, bench: Workbench, summary: Mapping[str, Any], measured_over: str) -> None:
    """`report.html`, with all pictures that there are."""
    metrics = summary["metrics"]
    rows = [
        [
            name,
            *(_shown(value) for value in (metrics["final"].get(name), metrics["best"].get(name), floor)),
            f"{METRICS[name].meaning}; {BETTER[METRICS[name].better]}",
        ]
        for name, floor in metrics["floor"].items()
        if name in metrics["final"]
    ]
    table = Table(("metric", "final", "best", "floor", "meaning"), rows, caption=measured_over)
    pictures = [read_picture(folder.figures / name, caption) for name, caption in captions(folder).items()]
    config = (folder.path / "config.yaml").read_text(encoding="utf-8")
    page = Page(
        title=f"{summary['recipe']} on {bench.data.title}",
        lead=[_lead(summary), *_alarms(summary.get("alarms", ())), *bench.data.told],
        sections=[
            Section("What it came to", tables=[table]),
            Section("Pictures", pictures=pictures),
            Section("Configuration", code=config, folded=True),
        ],
    )
    write_page(page, folder.path / "report.html")


def read_picture(path: Path, caption: str, *, light: bool = False) -> Picture:
    """A picture of a run; where it is to be `light`, large ones as WebP, whose losses are hardly seen."""
    mime = {".png": "image/png", ".webp": "image/webp"}[path.suffix]
    content = path.read_bytes()
    if light and mime == "image/png" and len(content) > LARGE:
        return Picture(caption, webp_bytes(path), "image/webp")
    return Picture(caption, content, mime)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _lead(summary: Mapping[str, Any]) -> str:
    if summary["status"] == "diverged":
        return f"The training diverged: {summary['cause']}. Shown is the last good checkpoint."
    metrics = summary["metrics"]
    guide = guide_of(metrics["final"])
    value, floor = metrics["final"][guide], metrics["floor"][guide]
    times = f", {value / floor:.2f} times the floor" if floor else ""
    return (
        f"After {summary['rounds']:,} rounds and {summary['seconds']:.1f} s of training (seed {summary['seed']}) "
        f"{guide} is {value:.4g}{times}."
    )


def _alarms(alarms: Sequence[Mapping[str, Any]]) -> list[str]:
    """The last alarm of each kind, and when there was the first."""
    return [f"{told.last['sentence']} ({_when(told)})." for told in by_kind(alarms)]


def _when(told: Told) -> str:
    if told.times == 1:
        return f"after round {told.last['round']:,}, and not again"
    return f"after round {told.last['round']:,}, the last of {told.times} times since round {told.first['round']:,}"


class Told(NamedTuple):
    """Of one kind of alarm the first, the last, and how many there were."""

    first: Mapping[str, Any]
    last: Mapping[str, Any]
    times: int


def by_kind(alarms: Sequence[Mapping[str, Any]]) -> list[Told]:
    """A run's alarms, each kind once."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for alarm in alarms:
        kinds.setdefault(alarm["kind"], []).append(alarm)
    return [Told(found[0], found[-1], len(found)) for found in kinds.values()]
