"""What the commands do, a function away: for notebooks and for programs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure
from PIL.Image import Image
from torch import Tensor

from ganbench import fitting, sharing
from ganbench.configuration import MEASURES, Configuration, configure, image_settings, refill
from ganbench.data import DataSet, Images, ImageSet, PointSet, full_name
from ganbench.data import load as load_data
from ganbench.explore import (
    DIRECTIONS,
    Attributes,
    Exploration,
    Projection,
    Subject,
    check_out,
    explore,
    project,
    write_exploration,
)
from ganbench.figures.curves import loss_curves, metric_curves
from ganbench.metrics import MODE_COUNT, STACKED_COUNT, ImageRuler, PointRuler
from ganbench.progress import watching
from ganbench.recipes.base import Recipe
from ganbench.runs import UNNAMED, RunFolder
from ganbench.studies import Results, Study, carry_out, local_workers
from ganbench.studies.findings_page import write_findings
from ganbench.studies.grid import cells
from ganbench.studies.reproduction import Outcome, carry_out_plan, set_up
from ganbench.types import UsageError
from ganbench.workbench import Workbench, make_ruler

Data: TypeAlias = str | Path | np.ndarray | Tensor | DataSet
"""A name, a path, rows of points, images, or a set that was loaded before."""


def source_name(data: Data) -> str:
    """How a configuration names the data: a name as it is, a path in full, an array as such."""
    return full_name(data) if isinstance(data, (str, Path)) else UNNAMED


def train(configuration: Configuration, data: DataSet, out: Path, watch: fitting.Watcher) -> dict[str, Any]:
    """Trains in a new folder; gives the summary."""
    sharing.require_joined()
    RunFolder.require_room(out)  # before features are trained, which may take minutes
    bench = Workbench(configuration, data)
    fitting.check(bench)  # before the folder: what cannot be trained leaves none
    return fitting.fit(bench, RunFolder.create(out, configuration, data), watch=watch)


def prepare(recipe: str | Recipe, data: Data, **changes: Any) -> Workbench:
    """A training at its start, to be played round by round.

    `changes` are fields of the configuration; dotted names go in as `**{"critic.optimizer.lr": 1e-3}`.

    >>> bench = prepare("wgan-gp", "moons", rounds=2)
    >>> losses = [float(report.losses["critic"]) for report in bench.play()]
    >>> sorted(bench.measure(64))[-2:]
    ['w1', 'w2']
    """
    found = load_data(data, image_settings(None, changes.items()))
    return Workbench(configure(recipe, source_name(data), None, changes.items(), found.medium), found)


def fit(
    recipe: str | Recipe, data: Data, out: str | Path | None = None, *, progress: bool = True, **changes: Any
) -> Run:
    """Trains a recipe on data from start to end, measured and drawn along the way.

    Without `out` the run's folder is a temporary one. `changes` as in `prepare`.
    """
    found = load_data(data, image_settings(None, changes.items()))
    configuration = configure(recipe, source_name(data), None, changes.items(), found.medium)
    path = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="ganbench-")) / "run"
    with watching(f"{configuration.recipe} on {found.title}") if progress else nullcontext(_ignore) as watch:
        train(configuration, found, path, watch)
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
        ended = f"{self.summary['status']} after {self.summary['rounds']:,} rounds" if self.summary else "not ended"
        return f"<Run {str(self.path)!r}: {ended}>"

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
    def data(self) -> DataSet:
        """What the run was trained on."""
        return self.folder.data()

    def workbench(self, checkpoint: str | int = "best") -> Workbench:
        """The training as a checkpoint has it: `best`, `last` or a round."""
        bench = Workbench(self.configuration, self.data)
        bench.restore(self.folder.checkpoint(checkpoint))
        return bench

    def sample(
        self,
        count: int,
        seed: int = 0,
        checkpoint: str | int = "best",
        labels: Int[np.ndarray, " count"] | None = None,
    ) -> np.ndarray:
        """Generated points (count, d) in the data's units, or images as uint8 (count, h, w) or (count, h, w, 3)."""
        return self.workbench(checkpoint).sample(count, seed, labels)

    def measure(
        self, against: Data | None = None, count: int = 2048, checkpoint: str | int = "best"
    ) -> dict[str, float]:
        """Metrics of what is generated against the run's own or other data; `count` things for the distances."""
        data = self.data if against is None else load_data(against, self.configuration.images or Images())
        bench = self._measured_workbench(checkpoint)
        return bench.measure_by(make_ruler(data, count, self.configuration.features))

    def _measured_workbench(self, checkpoint: str | int = "best") -> Workbench:
        """The training as a checkpoint has it, to be looked at through the features of the configuration.

        Raises:
            UsageError: they are in a file that has changed.
        """
        bench = self.workbench(checkpoint)
        bench.require_same_features(self.folder.checkpoint(checkpoint))
        return bench

    def scatter(self, checkpoint: str | int = "best") -> Figure:
        """Real and generated points over the critic's surface."""
        return self.workbench(checkpoint).scatter()

    def sheet(self, checkpoint: str | int = "best", count: int = 64) -> Image:
        """Generated images."""
        return self.workbench(checkpoint).sheet(count)

    def subject(self, checkpoint: str | int = "best") -> tuple[Subject, Attributes]:
        """The generator of images as `ganbench.explore` takes it, and the attributes that its images are judged by."""
        bench = self._measured_workbench(checkpoint)
        subject = Subject.of_run(bench)
        assert isinstance(bench.data, ImageSet)
        return subject, Attributes.of_data(bench.data, self.configuration.features)

    def explore(
        self,
        out: str | Path,
        method: str = "sefa",
        directions: int = DIRECTIONS,
        seed: int = 0,
        checkpoint: str | int = "best",
        layer: str | None = None,
        layers: str | None = None,
    ) -> Exploration:
        """Finds directions of the noise and judges them, as `ganbench explore` does, and writes the folder."""
        check_out(Path(out))
        found = explore(*self.subject(checkpoint), method, directions, seed, layer, layers)
        write_exploration(found, Path(out))
        return found

    def project(
        self,
        pixels: np.ndarray,
        labels: Int[np.ndarray, " n"] | None = None,
        seed: int = 0,
        checkpoint: str | int = "best",
    ) -> Projection:
        """The noise from which the generator comes nearest to images (uint8, as the data's), and how near that is."""
        subject, attributes = self.subject(checkpoint)
        return project(subject, pixels, labels, attributes, seed=seed)

    def curves(self) -> Figure:
        """The metrics along the training."""
        floor = self.summary.get("metrics", {}).get("floor", {})
        return metric_curves(self.metrics, floor=floor)

    def loss_curves(self) -> Figure:
        """Both players' losses along the training."""
        return loss_curves(*self.folder.losses())


def evaluate(what: str | Path | np.ndarray | Tensor, against: Data, features: str | None = None) -> dict[str, Any]:
    """Metrics of a run's best generator, or of samples, against data; with the floor at the same sizes.

    Images are measured over the features of that name (see `ganbench.metrics.features_for`), by default over those of
    the run.

    Raises:
        UsageError: the samples have another shape than the data, or are too few.
    """
    run = load(what) if isinstance(what, (str, Path)) and (Path(what) / "config.yaml").is_file() else None
    data = load_data(against, (run and run.configuration.images) or Images())
    count = MEASURES[data.medium].final
    if run:
        _same_shape(str(what), run.data, data)
        bench = run.workbench() if features else run._measured_workbench()
        ruler = make_ruler(data, count, features or run.configuration.features)
        metrics = bench.measure_by(ruler)
    else:
        samples, data = _alike(what, against, data)
        _same_shape(samples.name, samples, data)
        count = min(count, len(samples))
        if isinstance(data, PointSet):
            ruler = PointRuler(data, count, mode_count=min(MODE_COUNT, len(samples)))
        else:
            ruler = make_ruler(data, count, features or "auto", min(STACKED_COUNT, len(samples)))
        # Files are often sorted; the first so many would be a part of them.
        mixed = np.random.default_rng(0).permutation(len(samples))
        if isinstance(samples, ImageSet) and isinstance(ruler, ImageRuler):
            asked = _asked(samples, data.classes)
            metrics = ruler.measure(samples.pixels[mixed], None if asked is None else asked[mixed])
        else:
            assert isinstance(samples, PointSet)
            assert isinstance(ruler, PointRuler)
            metrics = ruler.measure(samples.points[mixed])
    return {
        "what": str(what) if isinstance(what, (str, Path)) else UNNAMED,
        "against": data.name,
        **({} if isinstance(ruler, PointRuler) else {"features": ruler.features.name}),
        "count": ruler.count,
        "metrics": metrics,
        "floor": ruler.floor,
    }


def _alike(what: str | Path | np.ndarray | Tensor, against: Data, data: DataSet) -> tuple[DataSet, DataSet]:
    """Samples in the data's colour; where their sizes differ, the data as the samples are: a run may resize them."""
    samples = load_data(what, Images(colour=_colour(data)), to_learn=False)
    if samples.shape == data.shape or isinstance(data, PointSet) or isinstance(samples, PointSet):
        return samples, data
    height, width = samples.shape[1:]
    if height != width:
        return samples, data
    samples = load_data(what, to_learn=False)
    return samples, load_data(against, Images(size=height, colour=_colour(samples)))


def _colour(data: DataSet) -> Literal["grey", "rgb"]:
    return "rgb" if data.shape[0] == 3 else "grey"


def _asked(samples: ImageSet, classes: tuple[str, ...]) -> Int[np.ndarray, " n"] | None:
    """Which of the data's classes the samples' labels mean: by name, or numbers by place; none where neither fits."""
    if samples.labels is None:
        return None
    if set(samples.classes) <= set(classes):
        return np.array([classes.index(name) for name in samples.classes])[samples.labels]
    numbered = samples.classes == tuple(map(str, range(len(samples.classes))))
    return samples.labels if numbered and samples.labels.max() < len(classes) else None


def _same_shape(name: str, samples: DataSet, data: DataSet) -> None:
    if samples.shape != data.shape:
        raise UsageError(f"{name} has {_shape(samples)}, but {data.name} has {_shape(data)}")


def _shape(data: DataSet) -> str:
    if isinstance(data, PointSet):
        return f"points of {data.dimension} coordinates"
    channels, height, width = data.shape
    return f"{'grey' if channels == 1 else 'colour'} images of {width} x {height}"


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
    found = load_data(data, image_settings(None, changes.items()))
    named = recipes if isinstance(recipes, Mapping) else {name: name for name in recipes}
    study_cells = cells(named, optimizers, grid, changes.items(), found.medium)
    study = Study(Path(out), found, source_name(data), study_cells, seeds, "Comparison")
    return carry_out(study, local_workers(jobs))[0]


def reproduce(
    study: str | Path,
    out: str | Path,
    *,
    seeds: int | None = None,
    first_seed: int = 0,
    quick: bool = False,
    data: Mapping[str, str] | None = None,
    jobs: int | None = None,
) -> Outcome:
    """Carries out a planned study, by its name or its file; what is finished in `out` is not done again.

    `data` names other data in the place of the study's, as in `{"letter-m": "points.mat"}`. The findings of what comes
    back have a verdict for each claim. See docs/studies.md.
    """
    reproduction = set_up(str(study), Path(out), seeds=seeds, first_seed=first_seed, quick=quick, sources=data)
    outcome = carry_out_plan(reproduction, local_workers(jobs))
    write_findings(outcome)
    return outcome
