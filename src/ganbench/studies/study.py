"""A study: runs of several cells on one data set, crossed with seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ganbench.configuration import Configuration
from ganbench.data import DataSet, ImageSet
from ganbench.fitting import interruptible
from ganbench.metrics import features_for
from ganbench.metrics.guides import guide_of
from ganbench.progress import line
from ganbench.runs import RunFolder
from ganbench.studies.grid import Cell
from ganbench.studies.statistics import time_to
from ganbench.studies.workers import Contact, News, Task, error_file, perform_all
from ganbench.training import sizes
from ganbench.types import UsageError

Watchers: TypeAlias = tuple[Callable[[News], None], Callable[[Task, str], None]]


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

    def time_to(self, goal: float) -> float | None:
        """Seconds of training until the distance was so many floors, at the sizes of the snapshots."""
        if self.status != "finished":
            return None
        rows = self.folder.rows("metrics")
        guide = guide_of(self.summary["snapshot_floor"])
        threshold = goal * self.summary["snapshot_floor"][guide]
        return time_to([row["seconds"] for row in rows], [row[guide] for row in rows], threshold)


@dataclass(frozen=True)
class Study:
    """Cells crossed with seeds, in a folder. Runs that have ended there are not done again."""

    path: Path
    data: DataSet
    source: str
    cells: Sequence[Cell]
    seeds: int
    title: str

    @property
    def _runs(self) -> Path:
        return self.path / "runs"

    def tasks(self) -> list[Task]:
        """All runs, seed by seed, so that a study that is stopped early has all cells.

        Raises:
            UsageError: a recipe needs labels that the data lack, or the study's folder holds a run of the same name
                with other settings.
        """
        if self.path.is_file() or (self.path.is_dir() and any(self.path.iterdir()) and not self._runs.is_dir()):
            raise UsageError(f"{self.path} holds something else than a study; choose another --out")
        for cell in self.cells:
            plan = cell.configuration(self.source, 0).plan
            sizes(plan, plan.prior.for_shape(self.data.shape), self.data.shape, len(self.data.classes))
        tasks = []
        for seed in range(self.seeds):
            for cell in self.cells:
                configuration = cell.configuration(self.source, seed)
                folder = self._runs / cell.folder(seed)
                if (folder / "config.yaml").exists():
                    self._check_is_ours(RunFolder(folder), configuration)
                tasks.append(Task(f"{cell.name} #{seed}", configuration, folder))
        return tasks

    def _check_is_ours(self, folder: RunFolder, configuration: Configuration) -> None:
        if folder.tree != configuration.tree():
            raise UsageError(f"{folder.path} holds a run with other settings; choose another --out")
        if (folder.summary or {}).get("data_sha256", self.data.fingerprint) != self.data.fingerprint:
            raise UsageError(f"{folder.path} holds a run on other data; choose another --out")

    def run(self, jobs: int) -> bool:
        """Does what is left to do; False if it was interrupted."""
        tasks = self.tasks()
        left = [task for task in tasks if not _has_ended(RunFolder(task.folder))]
        try:
            self._runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.path}: the study's folder cannot be made: {error.strerror}") from None
        if left and isinstance(self.data, ImageSet):
            features_for(self.data, left[0].configuration.features)  # once, and not in each worker
        with interruptible() as interrupted:
            with _watching(len(tasks), len(left)) as (on_news, on_done):
                perform_all(left, self.data, jobs, Contact(interrupted, on_news, on_done))
            return not interrupted()

    def done(self) -> list[Done]:
        """All runs, as their folders tell them."""
        return [self._read(cell, seed) for cell in self.cells for seed in range(self.seeds)]

    def _read(self, cell: Cell, seed: int) -> Done:
        folder = RunFolder(self._runs / cell.folder(seed))
        if _has_ended(folder):
            summary = folder.summary or {}
            return Done(cell.name, seed, summary["status"], folder, summary)
        status = "failed" if error_file(folder.path).exists() else "unfinished"
        return Done(cell.name, seed, status, folder, {})


def _has_ended(folder: RunFolder) -> bool:
    return (folder.summary or {}).get("status") in ("finished", "diverged")


@contextmanager
def _watching(total: int, left: int) -> Iterator[Watchers]:
    """Shows runs done and time left while the block lasts: a live line on a terminal, else a line a run."""
    console = Console(stderr=True)
    shares: dict[str, float] = {}
    columns = (TextColumn("{task.completed:.1f} of {task.total} runs"), BarColumn(bar_width=24), TimeRemainingColumn())
    live = console.is_terminal or console.is_jupyter
    with Progress(*columns, TextColumn("{task.description}"), console=console, transient=True, disable=not live) as bar:
        shown = bar.add_task("starting", total=total, completed=total - left)

        def on_news(news: News) -> None:
            shares[news.name] = news.progress.share
            bar.update(shown, completed=total - left + sum(shares.values()))
            bar.update(shown, description=f"{news.name}: {line(news.progress)}")

        def on_done(task: Task, status: str) -> None:
            shares[task.name] = 1.0
            console.print(f"{task.name}: {_ending(task, status)}", highlight=False, markup=False)

        yield on_news, on_done


def _ending(task: Task, status: str) -> str:
    summary = RunFolder(task.folder).summary
    if status != "finished" or summary is None:
        return status
    final = summary["metrics"]["final"]
    return f"{guide_of(final)} {final[guide_of(final)]:.4g} after {summary['seconds']:.1f} s of training"
