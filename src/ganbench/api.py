"""What the commands do, a function away: for notebooks and for programs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from ganbench import fitting
from ganbench.configuration import Configuration, Measure, configure, refill
from ganbench.data import BUILT_IN, PointSet, load_points
from ganbench.figures.curves import loss_curves, metric_curves
from ganbench.metrics import MODE_COUNT, PointRuler
from ganbench.progress import watching
from ganbench.recipes.base import Recipe
from ganbench.runs import UNNAMED, RunFolder
from ganbench.studies import Results, Study, carry_out
from ganbench.studies.grid import cells
from ganbench.types import UsageError
from ganbench.workbench import Workbench

Data: TypeAlias = str | Path | np.ndarray | Tensor | PointSet
"""A built-in name, a file's path, rows of points, or a set that was loaded before."""


def source_name(data: Data) -> str:
    """How a configuration names the data: a built-in name as it is, a path in full, an array as such."""
    if not isinstance(data, (str, Path)):
        return UNNAMED
    return str(data) if str(data) in BUILT_IN else str(Path(data).absolute())


def train(configuration: Configuration, data: PointSet, out: Path, watch: fitting.Watcher) -> dict[str, Any]:
    """Trains in a new folder; gives the summary."""
    folder = RunFolder.create(out, configuration, data)
    return fitting.fit(Workbench(configuration, data), folder, watch=watch)


def prepare(recipe: str | Recipe, data: Data, **changes: Any) -> Workbench:
    """A training at its start, to be played round by round.

    `changes` are fields of the configuration; dotted names go in as `**{"critic.optimizer.lr": 1e-3}`.

    >>> bench = prepare("wgan-gp", "moons", rounds=2)
    >>> losses = [float(report.losses["critic"]) for report in bench.play()]
    >>> sorted(bench.measure(64))[-2:]
    ['w1', 'w2']
    """
    points = load_points(data)
    return Workbench(configure(recipe, source_name(data), changes=changes.items()), points)


def fit(
    recipe: str | Recipe, data: Data, out: str | Path | None = None, *, progress: bool = True, **changes: Any
) -> Run:
    """Trains a recipe on points from start to end, measured and drawn along the way.

    Without `out` the run's folder is a temporary one. `changes` as in `prepare`.
    """
    points = load_points(data)
    configuration = configure(recipe, source_name(data), changes=changes.items())
    path = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="ganbench-")) / "run"
    with watching(f"{configuration.recipe} on {points.title}") if progress else nullcontext(_ignore) as watch:
        train(configuration, points, path, watch)
    return Run(path, configuration.plan)


def _ignore(reached: fitting.Progress) -> None:
    """Watches nothing."""


def load(path: str | Path, recipe: Recipe | None = None) -> Run:
    """A run by its folder. One that was trained with a person's own objects needs its recipe again.

    Raises:
        UsageError: there is no run.
    """
    return Run(Path(path), recipe)


class Run:
    """A training that has ended, opened from its folder."""

    def __init__(self, path: Path, recipe: Recipe | None = None) -> None:
        self.path, self._recipe = path, recipe
        self.folder = RunFolder.open(path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.summary})"

    @property
    def summary(self) -> dict[str, Any]:
        """What `summary.json` holds; empty while the run has not ended."""
        return self.folder.summary or {}

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """A row a snapshot."""
        return self.folder.rows("metrics")

    @property
    def losses(self) -> list[dict[str, Any]]:
        """A row a report."""
        return self.folder.rows("log")

    @cached_property
    def configuration(self) -> Configuration:
        """All that decided the run. Raises UsageError where it needs its recipe again, or another one."""
        return self.folder.configuration if self._recipe is None else refill(self.folder.tree, self._recipe)

    @cached_property
    def data(self) -> PointSet:
        """The points that the run was trained on."""
        return self.folder.data()

    def workbench(self, checkpoint: str | int = "best") -> Workbench:
        """The training as a checkpoint has it: `best`, `last` or a round."""
        bench = Workbench(self.configuration, self.data)
        bench.restore(self.folder.checkpoint(checkpoint))
        return bench

    def sample(self, count: int, seed: int = 0, checkpoint: str | int = "best") -> Float[np.ndarray, "count d"]:
        """Generated points in the data's units."""
        return self.workbench(checkpoint).sample(count, seed)

    def measure(
        self, against: Data | None = None, count: int = 2048, checkpoint: str | int = "best"
    ) -> dict[str, float]:
        """Metrics of generated points against the run's own or other data; `count` points for the distances."""
        points = self.data if against is None else load_points(against)
        bench = self.workbench(checkpoint)
        ruler = PointRuler(points, count)
        return ruler.measure(bench.sample(ruler.draws))

    def scatter(self, checkpoint: str | int = "best") -> Figure:
        """Real and generated points over the critic's surface."""
        return self.workbench(checkpoint).scatter()

    def curves(self) -> Figure:
        """The metrics along the training."""
        floor = self.summary.get("metrics", {}).get("floor", {})
        return metric_curves(self.metrics, floor=floor)

    def loss_curves(self) -> Figure:
        """Both players' losses along the training."""
        return loss_curves(*self.folder.losses())


def evaluate(what: str | Path | np.ndarray | Tensor, against: Data) -> dict[str, Any]:
    """Metrics of a run's best generator, or of samples, against data; with the floor at the same sizes.

    Raises:
        UsageError: the samples have another dimension than the data, or are too few.
    """
    points = load_points(against)
    if isinstance(what, (str, Path)) and Path(what).is_dir():
        run = load(what)
        _same_dimension(str(what), run.data, points)
        ruler = PointRuler(points, Measure().final)
        metrics = run.measure(points, ruler.count)
    else:
        samples = load_points(what, to_learn=False)
        _same_dimension(samples.name, samples, points)
        count = len(samples)
        ruler = PointRuler(points, min(Measure().final, count), mode_count=min(MODE_COUNT, count))
        # Files are often sorted; the first so many would be a part of them.
        metrics = ruler.measure(np.random.default_rng(0).permutation(samples.points))
    return {
        "what": str(what) if isinstance(what, (str, Path)) else UNNAMED,
        "against": points.name,
        "count": ruler.count,
        "metrics": metrics,
        "floor": ruler.floor,
    }


def _same_dimension(name: str, samples: PointSet, points: PointSet) -> None:
    if samples.dimension != points.dimension:
        raise UsageError(
            f"{name} has points of {samples.dimension} coordinates, but those of {points.name} have {points.dimension}"
        )


def compare(
    recipes: Sequence[str] | Mapping[str, str | Recipe],
    data: Data,
    out: str | Path,
    *,
    optimizers: Sequence[str] = (),
    seeds: int = 5,
    grid: Mapping[str, Sequence[Any]] | None = None,
    jobs: int | None = None,
    **changes: Any,
) -> Results:
    """Trains a grid of recipes, optimisers and settings over seeds; what is finished in `out` is not done again.

    Recipes are names, or a mapping from names of one's own to recipes. `grid` maps dotted names to lists of values,
    `changes` are the same for all cells. Recipes with objects that cannot be pickled need `jobs=1`.
    """
    points = load_points(data)
    named = recipes if isinstance(recipes, Mapping) else {name: name for name in recipes}
    study_cells = cells(named, optimizers, grid, changes.items())
    study = Study(Path(out), points, source_name(data), study_cells, seeds, "Comparison")
    return carry_out(study, jobs)[0]
