"""What a study says in plain sentences, none stronger than its evidence.

A difference is claimed only where the corrected p-value allows it, and each claim names its seeds. A run that
diverged or failed has no value to compare: its cell is judged on the other seeds, and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ganbench.studies.statistics import Comparison, Interval, Ranking, reached

FEW_SEEDS = 5
"""Below this many seeds a study says that it had few."""


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """How the runs of one cell ended.

    `values` is the metric at the end by seed, of the runs that have one. `diverged` and `failed` count the others:
    ended by their own training, or by anything else. `times` has, by distance in floors of the snapshots, the
    `time_to` of every run in seconds; None for one that never got there or did not finish.
    """

    values: Mapping[int, float]
    diverged: int = 0
    failed: int = 0
    times: Mapping[float, Sequence[float | None]] = field(default_factory=dict)


def conclude(metric: str, cells: Mapping[str, CellOutcome], ranking: Ranking, floor: float | None = None) -> list[str]:
    """The conclusions of a study, cells by name, from one distance: sentences, the most important first.

    The `ranking` is that of the cells' values. The sentences say how its first cell stands to the `floor` (the metric
    between two halves of the real data, in the metric's unit), how it compares with each other cell and these with
    their neighbours in the ranking, who reached which threshold when, which runs diverged or failed, and that the seeds
    were few.

    >>> cells = {"best": CellOutcome({0: 1.0, 1: 1.1}), "gan": CellOutcome({0: 1.2, 1: 4.2}, diverged=1)}
    >>> from ganbench.studies.statistics import rank
    >>> sentences = conclude("w1", cells, rank({name: cell.values for name, cell in cells.items()}))
    >>> sentences[0]
    'best ends at a w1 of 1.05 (95 % interval 0.592 to 1.51, 2 seeds).'
    >>> sentences[2]
    'Of 3 runs of gan, 1 diverged; diverging speaks against it, and its figures are of the other 2.'
    """
    if ranking.rows:
        first = ranking.rows[0]
        sentences = [_against_floor(metric, first.cell, first.interval, floor)]
    else:
        sentences = ["No run finished, so nothing is concluded."]
    sentences += _comparisons(metric, cells, ranking)
    order = [*(row.cell for row in ranking.rows), *ranking.unranked]
    for goal in sorted({goal for cell in cells.values() for goal in cell.times}):
        sentences.append(_times(goal, cells, order))
    for name in order:
        sentences += _unfinished(name, cells[name])
    return sentences + _caution(ranking)


def number(x: float) -> str:
    """`x` with three significant digits and no trailing zeros.

    >>> number(0.017349), number(1234.5), number(2.0), number(0.00001234)
    ('0.0173', '1230', '2', '1.23e-05')
    """
    rounded = float(f"{x:.3g}")
    if rounded == 0 or 1e-4 <= abs(rounded) < 1e6:
        return np.format_float_positional(rounded, trim="-")
    return f"{rounded:.3g}"


def _against_floor(metric: str, name: str, interval: Interval, floor: float | None) -> str:
    spread = _range(interval.low, interval.high)
    value = f"{number(interval.mean)} ({spread}, {_count(interval.n, 'seed')})"
    if floor is None:
        return f"{name} ends at a {metric} of {value}."
    if floor <= 0:
        return f"{name} ends at a {metric} of {value}; two halves of the real data show {number(floor)}."
    sentence = (
        f"{name} ends at {number(interval.mean / floor)} times the floor: its {metric} is {value}, "
        f"and two halves of the real data show {number(floor)}"
    )
    if interval.low is not None and interval.high is not None and interval.low <= floor <= interval.high:
        sentence += ", a value that the interval includes"
    return f"{sentence}."


def _comparisons(metric: str, cells: Mapping[str, CellOutcome], ranking: Ranking) -> list[str]:
    names = [row.cell for row in ranking.rows]
    neighbours = pairwise(names[1:])
    sentences = []
    for a, b in [*((names[0], other) for other in names[1:]), *neighbours]:
        sentence = _comparison(metric, a, b, ranking.pairs[a, b])
        if cells[a].diverged or cells[b].diverged:
            sentence = f"Among the runs that did not diverge, {sentence}"
        sentences.append(sentence)
    return sentences


def _comparison(metric: str, a: str, b: str, comparison: Comparison) -> str:
    if comparison.effect is None:
        return f"{a} and {b} have no seed in common, and are not compared."
    seeds = _count(comparison.n, "seed")
    ratio = comparison.kind == "ratio"
    spread, p = _range(comparison.low, comparison.high), f"corrected p {_p(comparison.p)}"
    if not comparison.told_apart:
        effect = f"{metric} {comparison.kind} {number(comparison.effect)}"
        return f"{a} and {b} are not told apart by {seeds} ({effect}, {spread}, {p})."
    # The ranking is by means over all seeds, this over those in common: they need not agree on the order.
    lower = comparison.effect < (1 if ratio else 0)
    verb = "ends closer to the data" if lower else "ends further from the data"
    size = number(comparison.effect)
    effect = f"its {metric} is {size} times as large" if ratio else f"its {metric} less that of {b} is {size}"
    return f"{a} {verb} than {b}: {effect} ({spread}, {seeds}, {p})."


def _times(floors: float, cells: Mapping[str, CellOutcome], order: Sequence[str]) -> str:
    goal = f"{number(floors)} times the snapshots' floor"
    results = {name: reached(cells[name].times[floors]) for name in order if floors in cells[name].times}
    if not any(result.count for result in results.values()):
        return f"None of {_count(sum(result.n for result in results.values()), 'run')} reached {goal}."
    parts = []
    for name, result in results.items():
        part = f"{name} in {result.count} of {_count(result.n, 'run')}"
        parts.append(part if result.median is None else f"{part} (median {number(result.median)} s)")
    return f"Reached {goal}: {', '.join(parts)}."


def _unfinished(name: str, cell: CellOutcome) -> list[str]:
    lost = [f"{n} {what}" for n, what in ((cell.diverged, "diverged"), (cell.failed, "failed")) if n]
    if not lost:
        return [] if cell.values else [f"{name} has no run, and is not ranked."]
    runs = _count(len(cell.values) + cell.diverged + cell.failed, "run")
    rest = f"its figures are of the other {len(cell.values)}" if cell.values else "it is not ranked"
    verdict = "diverging speaks against it, and " if cell.diverged else ""
    return [f"Of {runs} of {name}, {' and '.join(lost)}; {verdict}{rest}."]


def _caution(ranking: Ranking) -> list[str]:
    fewest = min((row.interval.n for row in ranking.rows), default=FEW_SEEDS)
    if fewest >= FEW_SEEDS:
        return []
    if fewest == 1:
        return [f"Caution: nothing is told apart by a single seed; repeat with {FEW_SEEDS} or more."]
    return [
        f"Caution: as few as {fewest} seeds a cell can hide a real difference, and cannot show the normal "
        f"spread that the p-values suppose; repeat with {FEW_SEEDS} or more."
    ]


def _range(low: float | None, high: float | None) -> str:
    return "no interval" if low is None or high is None else f"95 % interval {number(low)} to {number(high)}"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {number(p)}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
