"""Sentences that people believe about GANs, and what the runs of a study say of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field
from scipy import stats

from ganbench.settings import settings
from ganbench.studies.measures import (
    ENDED,
    After,
    End,
    Measure,
    MeasureSetting,
    Near,
    Reaches,
    Runs,
    Scale,
    TimeTo,
    Values,
)
from ganbench.studies.statistics import paired_comparison
from ganbench.studies.study import Done

Verdict: TypeAlias = Literal["supported", "refuted", "undecided"]

LEVEL = 0.95


@settings
class Part:
    """One statement of a claim: a measure of the cell `of`, alone or against other cells, lies in a region.

    Against others it is the ratio or the difference (as the measure is compared) of the two means, over the seeds that
    both have. One of `below`, `above`, `within` and `outside` is the region.
    """

    says: str
    measure: MeasureSetting
    of: str
    against: tuple[str, ...] = ()
    experiment: str | None = None
    below: float | None = None
    above: float | None = None
    within: tuple[float, float] | None = None
    outside: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if sum(x is not None for x in (self.below, self.above, self.within, self.outside)) != 1:
            raise ValueError("exactly one of below, above, within and outside is needed")
        low, high = self.within or self.outside or (0, 1)
        if low >= high:
            raise ValueError("of a region the lower end comes first")
        if self.of in self.against:
            raise ValueError("a cell is not compared with itself")

    @property
    def region(self) -> str:
        if self.below is not None:
            return f"below {self.below:g}"
        if self.above is not None:
            return f"above {self.above:g}"
        low, high = self.within or self.outside or (0.0, 0.0)
        return f"{'within' if self.within else 'outside'} {low:g} to {high:g}"

    def judge(self, low: float, high: float) -> Verdict:
        """What an interval says: all of it in the region, none of it, or neither, as where it touches an edge."""
        spans = self._spans()
        if any((a < low or a == -math.inf) and (high < b or b == math.inf) for a, b in spans):
            return "supported"
        return "undecided" if any(low <= b and a <= high for a, b in spans) else "refuted"

    def _spans(self) -> list[tuple[float, float]]:
        """The region as intervals."""
        if self.outside is not None:
            low, high = self.outside
            return [(-math.inf, low), (high, math.inf)]
        if self.within is not None:
            return [self.within]
        return [(-math.inf if self.above is None else self.above, math.inf if self.below is None else self.below)]


@settings
class Claim:
    """A sentence, where it comes from, and the parts that it stands or falls with."""

    sentence: str
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, ratio or difference over `n` seeds with its interval; None where the seeds give none."""

    effect: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the seeds say of one part: what was measured, its 95 % interval, and where that lies.

    `refuted` says so at the level that is corrected for the number of the claim's parts. `lost` runs have no value, of
    those that the study has of the cells; as long as there are any, nothing is decided, since they may be the bad ones.
    Nor is it where there are `unmet` seeds, of which neither run got to where a time is taken.
    `powerless` is a share of so few runs that none of its values would have been decided. `by_seconds` is the same
    comparison at equal seconds of training in the place of equal rounds, or in seconds in the place of rounds.
    """

    part: Part
    measured: str
    against: str | None
    kind: Literal["value", "ratio", "difference"]
    estimate: Estimate
    verdict: Verdict
    refuted: bool
    lost: int = 0
    unmet: int = 0
    powerless: bool = False
    by_seconds: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim with its verdict, and the evidence for each part."""

    name: str
    claim: Claim
    verdict: Verdict
    evidence: tuple[Evidence, ...]

    @property
    def seeds(self) -> int:
        """The fewest seeds that a part rests on."""
        return min((each.estimate.n for each in self.evidence), default=0)


def find(name: str, claim: Claim, experiments: Mapping[str, Runs]) -> Finding:
    """The verdict on a claim. `experiments` has the runs of each experiment by cell.

    `supported`: the 95 % interval of every part lies in its region (no correction is needed for that: all parts must
    hold at once). `refuted`: of some part all of the interval lies outside, at a level corrected for the number of
    parts (Bonferroni), since one is enough. Else `undecided`.
    """
    count = sum(max(1, len(part.against)) for part in claim.parts)
    evidence = tuple(each for part in claim.parts for each in _weigh(part, _runs_of(part, experiments), count))
    verdict: Verdict = "undecided"
    if any(each.refuted for each in evidence):
        verdict = "refuted"
    elif evidence and all(each.verdict == "supported" for each in evidence):
        verdict = "supported"
    return Finding(name, claim, verdict, evidence)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How long the runs of a cell took to get to what claims take times to. `reached` of all `runs` got there.

    The means are over all that ended. One that never got there counts with all of its training: then a mean is too
    small, and its interval has no upper end.
    """

    cell: str
    goal: str
    reached: int
    runs: int
    rounds: Estimate
    seconds: Estimate


def arrivals(claims: Iterable[Claim], experiments: Mapping[str, Runs]) -> dict[str, list[Arrival]]:
    """By experiment: the times of all of its cells to each goal to which its claims take times."""
    parts = [part for claim in claims for part in claim.parts]
    found: dict[str, list[Arrival]] = {}
    for name, runs in experiments.items():
        goals = dict.fromkeys(
            replace(part.measure, unit="rounds", scale="ratio")
            for part in parts
            if isinstance(part.measure, TimeTo) and _runs_of(part, experiments) is runs
        )
        found[name] = [_arrival(goal, runs, cell) for goal in goals for cell in runs]
    return found


def _arrival(goal: TimeTo, runs: Runs, cell: str) -> Arrival:
    reached = len(goal.arrived(runs, cell)[cell])
    rounds, seconds = (_time(replace(goal, unit=unit), runs, cell) for unit in ("rounds", "seconds"))
    return Arrival(cell, goal.goal, reached, len(runs[cell]), rounds, seconds)


def _time(goal: TimeTo, runs: Runs, cell: str) -> Estimate:
    values = goal.values({cell: runs[cell]})
    late = _late(goal, values, runs, [cell])
    return _opened(_estimate(values, goal, cell, None, LEVEL), goal.scale, late, cell)


def _runs_of(part: Part, experiments: Mapping[str, Runs]) -> Runs:
    return experiments[part.experiment] if part.experiment else next(iter(experiments.values()))


def _weigh(part: Part, runs: Runs, count: int) -> list[Evidence]:
    found = []
    for other in part.against or (None,):
        evidence = _evidence(part, part.measure, _values(part.measure, runs, part.of, other), runs, other, count)
        beside = _by_seconds(part, runs, other, count) if other is not None else None
        found.append(replace(evidence, by_seconds=beside))
    return found


def _by_seconds(part: Part, runs: Runs, other: str, count: int) -> Evidence | None:
    """None for what is not of rounds, and where there were no snapshots, as of other work than a training."""
    measure = part.measure
    if isinstance(measure, TimeTo) and measure.unit == "rounds":
        timed = replace(measure, unit="seconds")
        return _evidence(part, timed, _values(timed, runs, part.of, other), runs, other, count)
    if (isinstance(measure, End) and measure.which == "final") or (
        isinstance(measure, After) and measure.seconds is None
    ):
        values = _at_equal_seconds(measure, runs, part.of, other)
        return _evidence(part, measure, values, runs, other, count) if any(values.values()) else None
    return None


def _values(measure: Measure, runs: Runs, of: str, other: str | None) -> Values:
    if isinstance(measure, Near):  # the best cell may be any
        return measure.values(runs)
    if isinstance(measure, TimeTo) and other is not None:
        return measure.of_two(runs, of, other)
    return measure.values({cell: runs[cell] for cell in (of, other) if cell is not None})


def _late(measure: Measure, values: Values, runs: Runs, cells: Sequence[str]) -> set[str]:
    """The cells of which some run never got to where the time is taken: it would have taken longer."""
    if not isinstance(measure, TimeTo):
        return set()
    return {cell for cell, there in measure.arrived(runs, *cells).items() if values[cell].keys() - there}


def _opened(estimate: Estimate, scale: Scale, late: Set[str], of: str) -> Estimate:
    """Without an end to the side where a time of the first cell, or of the other, is only known to be longer."""
    if estimate.low is None or estimate.high is None:
        return estimate
    shortest = 0.0 if scale == "ratio" else -math.inf
    return replace(
        estimate,
        low=shortest if late - {of} else estimate.low,
        high=math.inf if of in late else estimate.high,
    )


def _at_equal_seconds(measure: End | After, runs: Runs, of: str, other: str) -> Values:
    """The metric of each seed's two runs at their last snapshots within the seconds of the one that was done sooner.

    A run is done after the rounds of the measure, or at its end; one that diverged has no such time.
    """
    rounds = measure.rounds if isinstance(measure, After) else None
    first, second = ({run.seed: run for run in runs[cell]} for cell in (of, other))
    values: Values = {of: {}, other: {}}
    for seed in first.keys() & second.keys():
        pair = {of: first[seed], other: second[seed]}
        seconds = [_seconds_of(run, rounds) for run in pair.values() if run.status == "finished"]
        after = After(seconds=min(seconds, default=None), metric=measure.metric, scale=measure.scale)
        for cell, run in pair.items():
            values[cell] |= after.values({cell: [run]})[cell]
    return values


def _seconds_of(run: Done, rounds: int | None) -> float:
    """How long a run trained to its last snapshot within so many rounds, or in all."""
    within = [row["seconds"] for row in run.folder.rows("metrics") if rounds is not None and row["round"] <= rounds]
    return float(within[-1] if within else run.summary["seconds"])


def _evidence(part: Part, measure: Measure, values: Values, runs: Runs, other: str | None, count: int) -> Evidence:
    cells = [part.of] if other is None else [part.of, other]
    late = _late(measure, values, runs, cells)
    estimate, strict = (
        _opened(_estimate(values, measure, part.of, other, level), measure.scale, late, part.of)
        for level in (LEVEL, _strict(count))
    )
    lost = sum(len(runs[cell]) - len(values.get(cell, {})) for cell in cells)
    unmet = 0
    if isinstance(measure, TimeTo) and other is not None:  # seeds of which both runs ended, and no time is left
        first, second = ({run.seed for run in runs[cell] if run.status in ENDED} for cell in cells)
        unmet = len((first & second) - values[part.of].keys())
    return Evidence(
        part,
        measure.said(),
        other,
        "value" if other is None else measure.scale,
        estimate,
        verdict=_judged(part, estimate) if not lost else "undecided",
        refuted=_judged(part, strict) == "refuted" and not lost,
        lost=lost - 2 * unmet,
        unmet=unmet,
        powerless=isinstance(measure, Near | Reaches) and _powerless(part, estimate.n, other is not None, count),
    )


def _powerless(part: Part, n: int, two: bool, count: int) -> bool:
    """Whether no shares of `n` runs, of one cell or of each of two, would decide the part."""
    if n == 0:
        return False
    shares = [[1.0] * ones + [0.0] * (n - ones) for ones in range(n + 1)]
    return not any(
        _judged(part, _share(a, b, LEVEL)) == "supported" or _judged(part, _share(a, b, _strict(count))) == "refuted"
        for a in shares
        for b in (shares if two else [None])
    )


def _strict(count: int) -> float:
    """The level of each of so many parts at which one alone refutes a claim."""
    return 1 - (1 - LEVEL) / count


def _judged(part: Part, estimate: Estimate) -> Verdict:
    if estimate.low is None or estimate.high is None:
        return "undecided"
    return part.judge(estimate.low, estimate.high)


def _estimate(values: Values, measure: Measure, of: str, other: str | None, level: float) -> Estimate:
    """The mean of a cell, or how it stands to another, over the seeds that both have.

    Means of what is compared by ratios are geometric. A cell alone is compared with what changes nothing, so that its
    interval, too, is Student's.
    """
    mine = values.get(of, {})
    nothing = 1.0 if measure.scale == "ratio" else 0.0
    theirs = dict.fromkeys(mine, nothing) if other is None else values.get(other, {})
    seeds = sorted(mine.keys() & theirs.keys())
    a, b = [mine[seed] for seed in seeds], [theirs[seed] for seed in seeds]
    if not seeds or (measure.scale == "ratio" and min(*a, *b) <= 0):  # a ratio of what may be zero says nothing
        return Estimate(None, None, None, 0)
    if isinstance(measure, Near | Reaches):
        return _share(a, None if other is None else b, level)
    found = paired_comparison(a, b, level, measure.scale)
    low, high = found.low, found.high
    if low is None and 2.0 ** (1 - found.n) <= 1 - level:  # equal values: by the sign test there are enough of them
        low = high = found.effect
    return Estimate(found.effect, low, high, found.n)


def _share(a: Sequence[float], b: Sequence[float] | None, level: float) -> Estimate:
    """A share of runs with the interval of Clopper and Pearson, or a difference of two, each interval of which has half
    of the error: that holds for any number of runs, and a single one decides nothing."""
    mean = float(np.mean(a)) - (0.0 if b is None else float(np.mean(b)))
    if len(a) < 2:
        return Estimate(mean, None, None, len(a))
    if b is None:
        return Estimate(mean, *_clopper_pearson(round(sum(a)), len(a), level), len(a))
    (low, high), (lower, higher) = (_clopper_pearson(round(sum(x)), len(x), (1 + level) / 2) for x in (a, b))
    return Estimate(mean, low - higher, high - lower, len(a))


@cache
def _clopper_pearson(count: int, n: int, level: float) -> tuple[float, float]:
    interval = stats.binomtest(count, n).proportion_ci(level, "exact")
    return float(interval.low), float(interval.high)
