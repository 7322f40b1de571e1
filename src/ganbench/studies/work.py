"""What cells of a study may do in the place of a training, and how such work ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

from torch import Tensor

from ganbench.configuration import Configuration
from ganbench.data import DataSet
from ganbench.divergence import why_diverged
from ganbench.fitting import Progress, Watcher
from ganbench.machine import settle
from ganbench.runs import RunFolder
from ganbench.settings import to_tree
from ganbench.types import WorkError
from ganbench.workbench import Workbench

OnShare: TypeAlias = Callable[[float], None]
"""Is told the share of the work that is done; raises StoppedError when the work is to stop."""


class StoppedError(Exception):
    """Work was asked to stop before its end."""


class DivergedError(WorkError):
    """A training that is part of some work diverged, as it would each time."""


@runtime_checkable
class PlannedWork(Protocol):
    """Work that a plan names by its `kind`: settings that measure something other than a training's end.

    It takes seconds or minutes, so that one that was stopped is begun anew. `metrics` are what it measures, each with
    its meaning.
    """

    kind: ClassVar[str]
    metrics: ClassVar[Mapping[str, str]]

    @property
    def rounds(self) -> int:
        """In how many steps it is done, as progress and tables count them."""
        ...

    def quick(self, rounds: int) -> PlannedWork:
        """The same made so small that it only shows whether it runs."""
        ...

    def check(self, configuration: Configuration, data: DataSet) -> None:
        """Raises UsageError where such data, or the recipe, do not allow it."""
        ...

    def measure(self, bench: Workbench, folder: RunFolder, on_share: OnShare) -> Mapping[str, float]:
        """Does the work; gives its metrics by name. Pictures and rows along it may go into the run's folder."""
        ...


@dataclass(frozen=True, slots=True)
class InsteadOfTraining:
    """Planned work as what is done with a run: told of, stopped, timed and summed up as a training is."""

    planned: PlannedWork

    def __call__(
        self, bench: Workbench, folder: RunFolder, *, resume: bool, watch: Watcher, interrupted: Callable[[], bool]
    ) -> Mapping[str, Any]:
        reached, cause = 0, ""
        figures: dict[str, float] = {}

        def on_share(share: float) -> None:
            nonlocal reached
            reached = round(share * self.planned.rounds)
            watch(Progress(reached, 0.0, share, {}))
            if interrupted():
                raise StoppedError

        settle(bench.configuration.threads)
        folder.rewind(-1)
        start = time.perf_counter()
        try:
            figures = dict(self.planned.measure(bench, folder, on_share))
            reached = self.planned.rounds
        except StoppedError:
            return {"status": "interrupted"}
        except DivergedError as error:
            cause = str(error)
        summary = {
            "recipe": bench.configuration.recipe,
            "data": bench.data.name,
            "data_sha256": bench.fingerprint,
            "seed": bench.configuration.seed,
            "status": "diverged" if cause else "finished",
            "rounds": reached,
            "seconds": time.perf_counter() - start,
            "metrics": {"final": figures, "best": figures, "floor": {}},
            "snapshot_floor": {},
            "work": told(self),
            **({"features_sha256": bench.features_sha256} if bench.features_sha256 else {}),
            **({"cause": cause} if cause else {}),
        }
        folder.write_summary(summary)
        return summary


def told(work: object) -> dict[str, Any] | None:
    """Planned work as a run's summary holds it; None of a training."""
    return {"kind": work.planned.kind, **to_tree(work.planned)} if isinstance(work, InsteadOfTraining) else None


def train_wholly(bench: Workbench, on_share: OnShare) -> None:
    """Trains to the end of the span, without snapshots or checkpoints.

    Raises:
        DivergedError: the training diverged.
    """
    losses: Mapping[str, Tensor] = {}
    for report in bench.play():
        losses = report.losses
        on_share(bench.share)
    if cause := why_diverged(bench.state, bench.recipe, {name: float(loss) for name, loss in losses.items()}):
        raise DivergedError(f"the generator's training diverged: {cause}")


def between(on_share: OnShare, begin: float, end: float) -> OnShare:
    """For a part of the work that goes from one share of the whole to another."""
    return lambda share: on_share(begin + share * (end - begin))
