"""What cells of a study may do in the place of a training, and how such work ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from ganbench import fitting
from ganbench.configuration import Configuration
from ganbench.data import DataSet
from ganbench.runs import RunFolder
from ganbench.settings import to_tree
from ganbench.studies.workers import Work
from ganbench.workbench import Workbench


class StoppedError(Exception):
    """Work was asked to stop before its end."""


@runtime_checkable
class PlannedWork(Work, Protocol):
    """Work that a plan names by its `kind`: settings that can be called.

    It takes seconds or minutes, so that one that was stopped is begun anew. `metrics` are what it measures, each with
    its meaning.
    """

    kind: ClassVar[str]
    metrics: ClassVar[Mapping[str, str]]

    def quick(self, rounds: int) -> PlannedWork:
        """The same made so small that it only shows whether it runs."""
        ...

    def check(self, configuration: Configuration, data: DataSet) -> None:
        """Raises UsageError where such data, or the recipe, do not allow it."""
        ...


def told(work: Work) -> dict[str, Any] | None:
    """Planned work as a run's summary holds it; None of a training."""
    return {"kind": work.kind, **to_tree(work)} if isinstance(work, PlannedWork) else None


def telling(
    watch: fitting.Watcher, interrupted: Callable[[], bool], rounds: int, begin: float = 0.0, end: float = 1.0
) -> Callable[[float], None]:
    """A watcher of the share of a part that is done, which goes from `begin` to `end` of a work of so many rounds.

    It raises StoppedError when the work is asked to stop.
    """

    def on_share(share: float) -> None:
        whole = begin + share * (end - begin)
        watch(fitting.Progress(round(whole * rounds), 0.0, whole, {}))
        if interrupted():
            raise StoppedError

    return on_share


def close(
    work: PlannedWork, bench: Workbench, folder: RunFolder, *, figures: Mapping[str, float], rounds: int, seconds: float
) -> Mapping[str, Any]:
    """Writes the summary of work that was done to its end, of the form that trainings have."""
    summary = {
        "recipe": bench.configuration.recipe,
        "data": bench.data.name,
        "data_sha256": bench.fingerprint,
        "seed": bench.configuration.seed,
        "status": "finished",
        "rounds": rounds,
        "seconds": seconds,
        "metrics": {"final": dict(figures), "best": dict(figures), "floor": {}},
        "snapshot_floor": {},
        "work": told(work),
    }
    folder.write_summary(summary)
    return summary
