"""One trial: trainings over seeds side by side, judged together snapshot by snapshot."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import optuna
from optuna.trial import FrozenTrial, TrialState

from ganbench.data import DataSet
from ganbench.divergence import why_diverged
from ganbench.metrics.guides import guide_of
from ganbench.training import Report
from ganbench.tuning.search import Search
from ganbench.workbench import Rulers, Workbench

SNAPSHOTS = 8
"""How often a trial is judged, evenly spread over its training."""

TINY = 1e-12
"""An estimate of a distance that is not positive counts as this."""

State: TypeAlias = Literal["finished", "pruned", "diverged", "failed"]


@dataclass(frozen=True, slots=True)
class Reached:
    """Where the trainings of a trial are at a snapshot; `cause` says why one of them diverged."""

    snapshot: int
    value: float
    rounds: int
    seconds: float
    cause: str = ""


def play_together(benches: Sequence[Workbench], interrupted: Callable[[], bool]) -> Iterator[Reached]:
    """Plays trainings side by side, and tells at each snapshot the mean of the logarithm of the metric that decides.

    The mean of logarithms, the logarithm of the geometric mean, is what is compared: distances of trainings that
    work and of those that do not lie decades apart. It ends early where one diverges or the person interrupts.
    """
    trainings = [bench.play() for bench in benches]
    for snapshot in range(1, SNAPSHOTS + 1):
        values: list[float] = []
        for bench, reports in zip(benches, trainings, strict=True):
            report = _play_to(snapshot / SNAPSHOTS, bench, reports, interrupted)
            if interrupted():
                return
            losses = {name: float(loss) for name, loss in report.losses.items()} if report else {}
            if cause := why_diverged(bench.state, bench.recipe, losses):
                yield _reached(benches, snapshot, math.inf, cause)
                return
            measured = bench.measure()
            guide = guide_of(measured)
            if not math.isfinite(measured[guide]):
                yield _reached(benches, snapshot, math.inf, f"its {guide} is {measured[guide]}")
                return
            values.append(math.log(max(measured[guide], TINY)))
        yield _reached(benches, snapshot, sum(values) / len(values))


def _play_to(
    share: float, bench: Workbench, reports: Iterator[Report], interrupted: Callable[[], bool]
) -> Report | None:
    """Plays until that share of the training is done; gives the last round's report."""
    report = None
    while bench.share < share and not interrupted():
        report = next(reports)
    return report


def _reached(benches: Sequence[Workbench], snapshot: int, value: float, cause: str = "") -> Reached:
    states = [bench.state for bench in benches]
    return Reached(snapshot, value, max(s.round for s in states), sum(s.seconds for s in states), cause)


def try_once(
    search: Search,
    study: optuna.Study,
    trial: optuna.Trial,
    data: DataSet,
    rulers: Rulers,
    interrupted: Callable[[], bool],
    tell: Callable[[], None] = lambda: None,
) -> None:
    """Does a trial that was asked for; `tell` is called at each snapshot. Interrupted, it stays as one that is running.

    A trial that cannot be done must not end the search, so whatever happens to it becomes its state.
    """
    try:
        settings = search.settings(trial)
        trial.set_user_attr("settings", settings)
        benches = [Workbench(search.configuration(settings, seed), data, rulers) for seed in range(search.seeds)]
        for reached in play_together(benches, interrupted):
            trial.report(reached.value, reached.snapshot)
            trial.set_user_attr("reached", [reached.rounds, reached.seconds, reached.cause])
            if reached.cause or (reached.snapshot < SNAPSHOTS and trial.should_prune()):
                study.tell(trial, state=TrialState.PRUNED)
            elif reached.snapshot == SNAPSHOTS:
                study.tell(trial, reached.value)
            else:
                tell()
                continue
            return
    except Exception as error:
        trial.set_user_attr("failure", f"{type(error).__name__}: {error}")
        study.tell(trial, state=TrialState.FAIL)


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial that has ended. `value` is the metric's geometric mean over seeds at the last snapshot reached.

    `rounds` are those of each seed, `seconds` of training those of all; `own` marks the recipe's own settings.
    """

    number: int
    state: State
    value: float | None
    settings: dict[str, Any]
    snapshots: int
    rounds: int
    seconds: float
    cause: str
    own: bool


def tried(study: optuna.Study) -> list[Tried]:
    """The trials that have ended, without those that were broken off and tried again."""
    trials = study.get_trials(deepcopy=False)
    again = {trial.user_attrs.get("again") for trial in trials}
    return [_tried(trial) for trial in trials if trial.state.is_finished() and trial.number not in again]


def _tried(trial: FrozenTrial) -> Tried:
    kept = trial.user_attrs
    rounds, seconds, cause = kept.get("reached", (0, 0.0, ""))
    state: State = "finished"
    if trial.state == TrialState.PRUNED:
        state = "diverged" if cause else "pruned"
    elif trial.state == TrialState.FAIL:
        state, cause = "failed", kept.get("failure", "its process died")
    snapshots = trial.last_step or 0
    known = state in ("finished", "pruned")
    return Tried(
        trial.number,
        state,
        math.exp(trial.intermediate_values[snapshots]) if known else None,
        kept.get("settings", {}),
        snapshots,
        rounds,
        seconds,
        cause,
        bool(kept.get("own")),
    )
