"""A study: runs of several cells on one data set, crossed with seeds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ganbench.configuration import Configuration, without_none
from ganbench.data import DataSet, ImageSet
from ganbench.data.clusters import require_clusters
from ganbench.data.feature_files import features_sha256, named_file
from ganbench.fitting import fit
from ganbench.interrupts import interruptible
from ganbench.locks import alone
from ganbench.metrics import features_for
from ganbench.metrics.guides import guide_of
from ganbench.runs import RunFolder
from ganbench.state import sizes
from ganbench.studies.display import watching
from ganbench.studies.grid import Cell, folder_name
from ganbench.studies.statistics import time_to
from ganbench.studies.work import InsteadOfTraining, told
from ganbench.studies.workers import Contact, Task, Work, Workers, error_file
from ganbench.types import UsageError


@dataclass(frozen=True, slots=True)
class Done:
    """One run of a study: `finished`, `diverged`, `failed`, or `unfinished` where it was not begun or goes on."""

    cell: str
    seed: int
    status: str
    folder: RunFolder
    summary: dict[str, Any]

    def value(self, metric: str, which: str = "final") -> float | None:
        """A closing measurement, or none where the run has not come to one."""
        return self.summary["metrics"][which].get(metric) if self.status == "finished" else None

    def time_to(self, goal: float, unit: Literal["seconds", "round"] = "seconds") -> float | None:
        """Seconds of training, or rounds, until the distance was so many floors, at the sizes of the snapshots."""
        if self.status != "finished" or not self.summary["snapshot_floor"]:
            return None
        guide = guide_of(self.summary["snapshot_floor"])
        rows = [row for row in self.folder.rows("metrics") if row.get(guide) is not None]
        threshold = goal * self.summary["snapshot_floor"][guide]
        return time_to([row[unit] for row in rows], [row[guide] for row in rows], threshold)


@dataclass(frozen=True)
class Study:
    """Cells crossed with seeds, in a folder. Runs that have ended there are not done again.

    Several studies may share a folder: each then has a `group` of its own below its runs.
    """

    path: Path
    data: DataSet
    source: str
    cells: Sequence[Cell]
    seeds: int
    title: str
    first_seed: int = 0
    group: str = ""

    @property
    def _runs(self) -> Path:
        return self.path / "runs" / folder_name(self.group)

    @property
    def _seeds(self) -> range:
        return range(self.first_seed, self.first_seed + self.seeds)

    def tasks(self) -> list[Task]:
        """All runs, seed by seed, so that a study that is stopped early has all cells.

        Raises:
            UsageError: a recipe needs labels that the data lack, the data do not allow a cell's work, or the study's
                folder holds a run of the same name with other settings.
        """
        other = self.path.is_dir() and any(self.path.iterdir()) and not (self.path / "runs").is_dir()
        if self.path.is_file() or other:
            raise UsageError(f"{self.path} holds something else than a study; choose another --out")
        for cell in self.cells:
            configuration = cell.configuration(self.source, 0)
            plan = configuration.plan
            if plan.clusters:
                require_clusters(self.data, plan.clusters)
            classes = plan.clusters or len(self.data.classes)
            sizes(plan, plan.prior.for_shape(self.data.shape), self.data.shape, classes)
            if isinstance(cell.work, InsteadOfTraining):
                try:
                    cell.work.planned.check(configuration, self.data)
                except UsageError as error:
                    raise UsageError(f"{cell.name}: {error}") from None
        asked = {cell.configuration(self.source, 0).features for cell in self.cells}
        features = {name: features_sha256(name) for name in asked}
        tasks = []
        for seed in self._seeds:
            for cell in self.cells:
                configuration = cell.configuration(self.source, seed)
                folder = self._runs / cell.folder(seed)
                if (folder / "config.yaml").exists():
                    self._check_is_ours(RunFolder(folder), configuration, cell.work, features[configuration.features])
                name = " ".join(filter(None, (self.group, cell.name, f"#{seed}")))
                tasks.append(Task(name, configuration, folder, cell.work))
        return tasks

    def _check_is_ours(self, folder: RunFolder, configuration: Configuration, work: Work, features: str | None) -> None:
        summary = folder.summary or {}
        other = bool(summary) and summary.get("work") != told(work)
        if without_none(folder.tree) != without_none(configuration.tree()) or other:
            raise UsageError(f"{folder.path} holds a run with other settings; choose another --out")
        if summary.get("data_sha256", self.data.fingerprint) != self.data.fingerprint:
            raise UsageError(f"{folder.path} holds a run on other data; choose another --out")
        if features and summary.get("features_sha256", features) != features:
            file = named_file(configuration.features)
            raise UsageError(f"{folder.path} holds a run that was measured before {file} changed; choose another --out")

    def make_room(self) -> None:
        """Makes the folder of the runs. Raises UsageError where it cannot be made."""
        try:
            self._runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.path}: the study's folder cannot be made: {error.strerror}") from None

    def prepare(self, tasks: Sequence[Task]) -> None:
        """Makes what runs need, once and not in each worker."""
        measured = [task for task in tasks if task.configuration.data == self.source and task.work is fit]
        if measured and isinstance(self.data, ImageSet):
            features_for(self.data, measured[0].configuration.features)

    def done(self) -> list[Done]:
        """All runs, as their folders tell them."""
        return [self._read(cell, seed) for cell in self.cells for seed in self._seeds]

    def _read(self, cell: Cell, seed: int) -> Done:
        folder = RunFolder(self._runs / cell.folder(seed))
        if summary := _ended(folder):
            return Done(cell.name, seed, summary["status"], folder, summary)
        status = "failed" if error_file(folder.path).exists() else "unfinished"
        return Done(cell.name, seed, status, folder, {})


def run_all(studies: Sequence[Study], workers: Workers) -> bool:
    """Does what is left to do of studies whose data differ by their source; False if it was interrupted.

    Raises:
        UsageError: a study cannot be done in its folder, or another process is at work there.
    """
    ordered = sorted((task for study in studies for task in study.tasks()), key=lambda task: task.configuration.seed)
    for study in studies:
        study.make_room()
    with ExitStack() as held:
        for path in {study.path for study in studies}:
            held.enter_context(alone(path))
        left = [task for task in ordered if _ended(RunFolder(task.folder)) is None]
        for study in studies:
            study.prepare(left)
        cells: dict[str, list[Task]] = {}
        for task in ordered:
            cells.setdefault(task.name.rpartition(" #")[0], []).append(task)
        with interruptible() as interrupted:
            with watching(cells, left) as (on_news, on_done):
                workers(left, {study.source: study.data for study in studies}, Contact(interrupted, on_news, on_done))
            return not interrupted()


def _ended(folder: RunFolder) -> dict[str, Any] | None:
    """The summary of a run that is not to be gone on with."""
    summary = folder.summary
    return summary if summary and summary["status"] in ("finished", "diverged") else None
