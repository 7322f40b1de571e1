"""What a claim may look at: a number of each run of an experiment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from scipy import stats

from ganbench.metrics import METRICS
from ganbench.metrics.guides import GUIDES, guide_of
from ganbench.settings import OneOf, settings
from ganbench.studies.statistics import time_to
from ganbench.studies.study import Done
from ganbench.types import UsageError

Runs: TypeAlias = Mapping[str, Sequence[Done]]
Values: TypeAlias = dict[str, dict[int, float]]
"""Cell to seed to number. A run that has no such number is left out."""

Scale: TypeAlias = Literal["ratio", "difference"]

ENDED = ("finished", "diverged")
"""How a run of which there is something to measure ended."""

TINY = 1e-30
"""What has vanished altogether counts as this, since a ratio of nothing says nothing."""


@runtime_checkable
class Measure(Protocol):
    """A number of each run. Two cells are compared by the ratio or by the difference of their means."""

    @property
    def scale(self) -> Scale: ...

    def values(self, runs: Runs) -> Values: ...

    def said(self) -> str:
        """What is measured, in a few words."""
        ...


@settings
class End:
    """A metric of the generator at the end of the training, or of the best snapshot's; by default w1 or fid.

    A run that diverged has come to nothing, and counts as it was before any training.
    """

    metric: str | None = None
    which: Literal["final", "best"] = "final"
    scale: Scale = "ratio"

    def values(self, runs: Runs) -> Values:
        return _each(runs, self._of)

    def _of(self, run: Done) -> float | None:
        metric = self.metric or _guide(run)
        if run.status == "diverged":
            return _untrained(run, metric)
        return run.summary["metrics"][self.which].get(metric)

    def said(self) -> str:
        return f"{self.metric or 'the distance'} {'at the end' if self.which == 'final' else 'at its best'}"


@settings
class After:
    """A metric at the last snapshot within so many rounds, or seconds of training; without a limit at the last of all.

    What is compared by ratios is told in floors of the snapshots. A run that diverged has come to nothing, and counts
    as it was before any training.
    """

    rounds: NonNegativeInt | None = None
    seconds: PositiveFloat | None = None
    metric: str | None = None
    scale: Scale = "ratio"

    def __post_init__(self) -> None:
        if self.rounds is not None and self.seconds is not None:
            raise ValueError("either rounds or seconds are the limit")

    def values(self, runs: Runs) -> Values:
        return _each(runs, self._of)

    def _of(self, run: Done) -> float | None:
        metric = self.metric or _guide(run)
        limit = math.inf if self.seconds is None else self.seconds
        most = math.inf if self.rounds is None else self.rounds
        within = [row for row in run.folder.rows("metrics") if row["round"] <= most and row["seconds"] <= limit]
        value = within[-1].get(metric) if within else None
        if run.status == "diverged":
            value = _untrained(run, metric)
        if self.scale == "difference":
            return value
        floor = run.summary["snapshot_floor"].get(metric)
        return None if value is None or not floor else value / floor

    def said(self) -> str:
        limit = "at the end"
        if self.rounds is not None:
            limit = f"after {self.rounds:,} rounds"
        elif self.seconds is not None:
            limit = f"after {self.seconds:.3g} s of training"
        unit = ", as a multiple of the floor" if self.scale == "ratio" else ""
        return f"{self.metric or 'the distance'} {limit}{unit}"


@settings
class TimeTo:
    """Rounds or seconds of training until the distance was so many floors at two snapshots in a row, or at the last.

    With `metric` and `at_least` it is until that metric was so much. A run that never got there counts with all of its
    training, one that diverged with all that was planned for it: it would have taken longer.
    """

    floors: PositiveFloat | None = None
    metric: str | None = None
    at_least: float | None = None
    unit: Literal["rounds", "seconds"] = "rounds"
    scale: Scale = "ratio"

    def __post_init__(self) -> None:
        if (self.metric is None) != (self.at_least is None) or (self.floors is None) == (self.metric is None):
            raise ValueError("either floors are needed, or a metric and at_least")

    def values(self, runs: Runs) -> Values:
        return _each(runs, self._of)

    def of_two(self, runs: Runs, of: str, other: str) -> Values:
        """The times of two cells whose ratio is to be taken.

        Of two runs of a seed of which one got there, the other counts as no sooner. Where neither did, nothing is
        known of which is sooner, and both are left out.
        """
        times = self.values({cell: runs[cell] for cell in (of, other)})
        there = self.arrived(runs, of, other)
        for seed in times[of].keys() & times[other].keys():
            soon = [cell for cell in (of, other) if seed in there[cell]]
            if not soon:
                del times[of][seed], times[other][seed]
            elif len(soon) == 1:
                late = other if soon == [of] else of
                times[late][seed] = max(times[late][seed], times[soon[0]][seed])
        return times

    def arrived(self, runs: Runs, *cells: str) -> dict[str, set[int]]:
        """The seeds of each cell whose runs got there. Of the others the time is only known to be longer."""
        return {cell: {run.seed for run in runs[cell] if self._reached(run) is not None} for cell in cells}

    def _of(self, run: Done) -> float:
        reached = self._reached(run)
        if reached is not None:
            return max(reached, 1e-3)
        spent = run.summary["rounds" if self.unit == "rounds" else "seconds"]
        if run.status == "diverged":
            spent *= max(run.folder.configuration.plan.rounds / max(run.summary["rounds"], 1), 1.0)
        return float(spent)

    def _reached(self, run: Done) -> float | None:
        unit: Literal["round", "seconds"] = "round" if self.unit == "rounds" else "seconds"
        if self.floors is not None:
            return run.time_to(self.floors, unit)
        if self.metric is None or self.at_least is None:
            return None
        return first_at(run, self.metric, self.at_least, unit)

    @property
    def goal(self) -> str:
        return f"{self.floors:g} floors" if self.floors is not None else f"{self.metric} of {self.at_least:g}"

    def said(self) -> str:
        return f"{self.unit} to {self.goal}"


@settings
class Cost:
    """Seconds of training that a round takes."""

    scale: Scale = "ratio"

    def values(self, runs: Runs) -> Values:
        return _each(runs, lambda run: run.summary["seconds"] / max(run.summary["rounds"], 1))

    def said(self) -> str:
        return "seconds a round"


@settings
class Near:
    """1 for a run that ends within so many times the mean distance of the experiment's best cell, else 0.

    Its mean over seeds is the share of seeds that a cell brings there: one half of what is meant by stability.
    """

    factor: PositiveFloat = 2.0
    scale: ClassVar[Scale] = "difference"

    def values(self, runs: Runs) -> Values:
        ends = End().values(runs)
        best = min((float(np.mean(list(cell.values()))) for cell in ends.values() if cell), default=math.nan)
        near = {cell: {s: float(v <= self.factor * best) for s, v in each.items()} for cell, each in ends.items()}
        diverged = _each(runs, lambda run: 0.0, statuses=("diverged",))
        return {cell: near.get(cell, {}) | diverged.get(cell, {}) for cell in runs}

    def said(self) -> str:
        return f"share of seeds within {self.factor:g} times the best cell's distance"


@settings
class Spread:
    """How far a run's distance is from its cell's median, as |log ratio|: the other half of stability.

    Two cells are compared as Brown and Forsythe compare variances, of the logarithm and paired by seed.
    """

    scale: Scale = "difference"

    def values(self, runs: Runs) -> Values:
        ends = {c: {s: v for s, v in each.items() if v > 0} for c, each in End().values(runs).items()}
        middles = {cell: float(np.median(np.log(list(each.values())))) for cell, each in ends.items() if each}
        return {c: {s: abs(math.log(v) - middles[c]) for s, v in each.items()} for c, each in ends.items()}

    def said(self) -> str:
        return "spread over seeds, as |log ratio| to the median"


@settings
class Gauge:
    """Spearman's rank correlation between a player's loss and the distance, over the snapshots of a training.

    The loss at a snapshot is the median of what was logged since the snapshot before. The untrained start is left out.
    A Wasserstein critic's loss is minus its estimate of the distance: one that tracks it has a correlation near -1.
    """

    player: Literal["critic", "generator"] = "critic"
    scale: Scale = "difference"

    def values(self, runs: Runs) -> Values:
        return _each(runs, self._of)

    def _of(self, run: Done) -> float | None:
        found = losses_and_distances(run, self.player)
        if len(found) < 4:
            return None
        correlation = float(stats.spearmanr(found[:, 0], found[:, 1]).statistic)
        return 0.0 if math.isnan(correlation) else correlation  # a loss that never changes tells nothing

    def said(self) -> str:
        return f"rank correlation of the {self.player}'s loss with the distance"


@settings
class Weights:
    """The critic's weights at the end.

    `ends` is the share of weights whose size is within 5 % of the largest (the 99.9th percentile, which under clipping
    is the bound). `bimodality` is Sarle's coefficient, (skewness^2 + 1) / kurtosis: 1/3 for a normal distribution, 5/9
    for a uniform one, 1 for two points.
    """

    what: Literal["ends", "bimodality"] = "ends"
    scale: Scale = "difference"

    def values(self, runs: Runs) -> Values:
        return _each(runs, self._of)

    def _of(self, run: Done) -> float | None:
        try:
            weights = run.folder.checkpoint("last").tensors["critic.vector"].double().numpy()
        except UsageError:  # no checkpoint is left: the run is lost to this measure, not the study to the others
            return None
        return at_the_ends(weights) if self.what == "ends" else bimodality(weights)

    def said(self) -> str:
        return "share of critic weights at the ends" if self.what == "ends" else "bimodality of the critic's weights"


@settings
class Fade:
    """The generator's gradient norm after all of the critic's steps, as a share of the largest along them.

    For trainings in which only the critic moves: see the work `starvation`.
    """

    scale: Scale = "ratio"

    def values(self, runs: Runs) -> Values:
        return _each(runs, self._of)

    def _of(self, run: Done) -> float | None:
        looks = [row.get("generator_gradient") for row in run.folder.rows("metrics")]
        norms = [norm for norm in looks if norm is not None]
        return max(norms[-1] / max(norms), TINY) if norms and max(norms) else None

    def said(self) -> str:
        return "generator's gradient after all critic steps, share of the largest"


@settings
class Reaches:
    """1 for a run whose metric is at least so much at the end, else 0; the mean over seeds is a share of runs.

    With `when` along it is so where the metric was so much at two snapshots in a row, or at the last, of a run that did
    not diverge: `time-to` says when.
    """

    metric: str
    at_least: float
    when: Literal["end", "along"] = "end"
    scale: ClassVar[Scale] = "difference"

    def values(self, runs: Runs) -> Values:
        if self.when == "along":
            return _each(runs, lambda run: float(first_at(run, self.metric, self.at_least, "round") is not None))
        ends = End(self.metric).values(runs)
        return {cell: {s: float(v >= self.at_least) for s, v in each.items()} for cell, each in ends.items()}

    def said(self) -> str:
        verb = "end with" if self.when == "end" else "come to"
        return f"share of runs that {verb} {self.metric} of at least {self.at_least:g}"


@settings
class Decline:
    """By how much a metric is worse at the end of the training than at its best along it.

    Both are means of `window` snapshots that follow each other, the end of the last ones: the best of many readings is
    better than the training was by luck alone, the less so the more are averaged. 0 for a run that ends at its best. A
    run that diverged ends as it was before any training.
    """

    metric: str
    window: PositiveInt = 2
    scale: Scale = "difference"

    def values(self, runs: Runs) -> Values:
        return _each(runs, self._of)

    def _of(self, run: Done) -> float | None:
        sign = 1.0 if METRICS[self.metric].better == "higher" else -1.0
        known = [sign * row[self.metric] for row in run.folder.rows("metrics") if row.get(self.metric) is not None]
        if len(known) <= self.window:
            return None
        levels = np.convolve(known, np.full(self.window, 1 / self.window), "valid")
        end = known[0] if run.status == "diverged" else levels[-1]
        return float(levels.max() - end)

    def said(self) -> str:
        return f"how much worse {self.metric} is at the end than at its best"


MEASURES: dict[str, type] = {
    "end": End,
    "after": After,
    "time-to": TimeTo,
    "cost": Cost,
    "near": Near,
    "reaches": Reaches,
    "spread": Spread,
    "gauge": Gauge,
    "weights": Weights,
    "fade": Fade,
    "decline": Decline,
}
MeasureSetting: TypeAlias = Annotated[Measure, OneOf(MEASURES, Measure)]


def at_the_ends(weights: Float[np.ndarray, " n"]) -> float:
    """The share of weights whose size is within 5 % of the 99.9th percentile of sizes.

    >>> at_the_ends(np.array([-1.0, 1.0, 1.0, 0.0]))
    0.75
    """
    sizes = np.abs(weights)
    return float(np.mean(sizes >= 0.95 * np.quantile(sizes, 0.999)))


def bimodality(weights: Float[np.ndarray, " n"]) -> float:
    """Sarle's coefficient (skewness^2 + 1) / kurtosis, which is 1 only for two points.

    >>> bimodality(np.array([-1.0, 1.0, -1.0, 1.0]))
    1.0
    """
    return float((stats.skew(weights) ** 2 + 1) / stats.kurtosis(weights, fisher=False))


def losses_and_distances(run: Done, player: str) -> Float[np.ndarray, "snapshots 2"]:
    """A player's loss, the median of what was logged since the snapshot before, and the distance at the snapshot."""
    guide, logged = _guide(run), run.folder.rows("log")
    pairs, before = [], 0
    for row in run.folder.rows("metrics"):
        since = [r[player] for r in logged if before < r["round"] <= row["round"] and r.get(player) is not None]
        if since and row.get(guide) is not None:
            pairs.append((float(np.median(since)), float(row[guide])))
        before = row["round"]
    return np.array(pairs).reshape(-1, 2)


def first_at(run: Done, metric: str, least: float, unit: Literal["round", "seconds"]) -> float | None:
    """Rounds or seconds of training after which a metric was at least so much at two snapshots in a row, or at the
    last; None where it never was, or the run diverged."""
    if run.status != "finished":
        return None
    rows = [row for row in run.folder.rows("metrics") if row.get(metric) is not None]
    return time_to([row[unit] for row in rows], [row[metric] for row in rows], least, lower_is_better=False)


def _each(runs: Runs, of: Callable[[Done], float | None], statuses: Sequence[str] = ENDED) -> Values:
    """The number of each run that ended so and has it."""
    found: Values = {}
    for cell, each in runs.items():
        values = {run.seed: of(run) for run in each if run.status in statuses}
        found[cell] = {seed: float(v) for seed, v in values.items() if v is not None and math.isfinite(v)}
    return found


def _untrained(run: Done, metric: str) -> float | None:
    rows = run.folder.rows("metrics")
    return rows[0].get(metric) if rows else None


def _guide(run: Done) -> str:
    return guide_of(run.summary["metrics"]["floor"] or GUIDES)
