"""What a study came to: a table of runs, a summary of cells, and sentences."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganbench.checkpoints import write_atomically
from ganbench.metrics import METRICS
from ganbench.metrics.guides import GUIDES, guide_of
from ganbench.runs import plain
from ganbench.studies.conclusions import CellOutcome, conclude, number
from ganbench.studies.statistics import Ranking, bootstrap_interval, rank
from ganbench.studies.study import Done, Study

UNEQUAL = 1.2
"""Mean training times that differ by more than this factor are told of."""

GOALS = (10.0, 5.0, 2.0)
"""Distances, in floors at the snapshots' sizes, whose times are reported."""


@dataclass(frozen=True)
class Results:
    """The runs of a study by cell, the floor, the ranking by the metric that guides, and what follows."""

    guide: str
    runs: dict[str, list[Done]]
    floor: dict[str, float]
    ranking: Ranking
    conclusions: list[str]

    @property
    def metrics(self) -> list[str]:
        """Those of a training; where there was other work, those that it measured."""
        if self.floor:
            return [name for name in METRICS if name in self.floor]
        ended = [run.summary["metrics"]["final"] for runs in self.runs.values() for run in runs if run.summary]
        return list(dict.fromkeys(name for final in ended for name in final))

    def rows(self) -> list[dict[str, Any]]:
        """A row a cell: how many runs ended how, and each metric's mean with its 95 % interval over seeds."""
        rows = []
        for cell, runs in self.runs.items():
            count = {s: sum(run.status == s for run in runs) for s in ("finished", "diverged", "failed")}
            metrics = {}
            for name in self.metrics:
                values = [v for run in runs if (v := run.value(name)) is not None]
                if values:
                    interval = bootstrap_interval(values)
                    metrics[name] = {"mean": interval.mean, "low": interval.low, "high": interval.high, "n": interval.n}
            seconds = [run.summary["seconds"] for run in runs if run.status == "finished"]
            mean_seconds = sum(seconds) / len(seconds) if seconds else None
            rows.append({"cell": cell, **count, "seconds": mean_seconds, "metrics": metrics})
        return rows


def read_results(study: Study) -> Results:
    """What the study's folders hold, whether or not all runs have ended."""
    runs: dict[str, list[Done]] = {cell.name: [] for cell in study.cells}
    for done in study.done():
        runs[done.cell].append(done)
    ended = [run for each in runs.values() for run in each if run.summary]
    floor = ended[0].summary["metrics"]["floor"] if ended else {}
    guide = guide_of(floor or GUIDES)
    outcomes = {cell: _outcome(each, guide) for cell, each in runs.items()}
    compared = bool(floor) or not ended  # of other work than trainings there is no distance to compare
    ranking = rank({cell: outcome.values for cell, outcome in outcomes.items()})
    conclusions = conclude(guide, outcomes, ranking, floor.get(guide)) + _unequal_times(runs) if compared else []
    return Results(guide, runs, floor, ranking, conclusions)


def _features(results: Results) -> dict[str, str]:
    """The features that the metrics of images rest on, as the runs tell them."""
    found = [run.summary["features"] for runs in results.runs.values() for run in runs if "features" in run.summary]
    return {"features": found[0]} if found else {}


def _unequal_times(runs: Mapping[str, Sequence[Done]]) -> list[str]:
    """A caution where the cells were not trained for about equally long."""
    seconds = {
        cell: float(np.mean(times))
        for cell, each in runs.items()
        if (times := [run.summary["seconds"] for run in each if run.status == "finished"])
    }
    if not seconds or max(seconds.values()) <= UNEQUAL * min(seconds.values()):
        return []
    told = ", ".join(f"{cell} {number(spent)} s" for cell, spent in seconds.items())
    return [
        f"Caution: the cells were not trained for equally long ({told}); the ranking is of where each ended, and the "
        "curves against seconds compare them at equal times."
    ]


def _outcome(runs: Sequence[Done], guide: str) -> CellOutcome:
    values = {run.seed: value for run in runs if (value := run.value(guide)) is not None}
    ended = [run for run in runs if run.status != "unfinished"]
    return CellOutcome(
        values,
        diverged=sum(run.status == "diverged" for run in runs),
        failed=len(ended) - len(values) - sum(run.status == "diverged" for run in runs),
        times={goal: [run.time_to(goal) for run in ended] for goal in GOALS} if ended else {},
    )


def write_results(results: Results, study: Study) -> None:
    """`table.csv`, a row a run, and `summary.json`, a row a cell."""
    write_atomically(study.path / "table.csv", as_csv(table_of(results, study.path)).encode())
    summary = json.dumps(plain(summary_of(results, study)), indent=1)
    write_atomically(study.path / "summary.json", summary.encode())


def summary_of(results: Results, study: Study) -> dict[str, Any]:
    """A row a cell, how they compare, and what follows."""
    ranking = results.ranking
    comparisons = [
        {
            "closer": a,
            "further": b,
            "effect": c.effect,
            "kind": c.kind,
            "low": c.low,
            "high": c.high,
            "p": c.p,
            "n": c.n,
        }
        for (a, b), c in ranking.pairs.items()
    ]
    return {
        "data": study.data.name,
        "seeds": study.seeds,
        "ranked_by": results.guide,
        **_features(results),
        "floor": results.floor,
        "cells": results.rows(),
        "ranking": [{"cell": row.cell, "letters": row.letters} for row in ranking.rows],
        "comparisons": comparisons,
        "conclusions": results.conclusions,
    }


def table_of(results: Results, path: Path) -> list[dict[str, Any]]:
    """A row a run: what it came to; folders are told from `path`."""
    return [
        {
            "cell": run.cell,
            "seed": run.seed,
            "status": run.status,
            "rounds": run.summary.get("rounds"),
            "seconds": run.summary.get("seconds"),
            **{name: run.value(name) for name in results.metrics},
            **{f"best_{name}": run.value(name, "best") for name in results.metrics},
            **{f"seconds_to_{goal:g}_floors": run.time_to(goal) for goal in GOALS},
            "folder": run.folder.path.relative_to(path).as_posix(),
        }
        for runs in results.runs.values()
        for run in runs
    ]


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows under the names that any of them has, in the order in which they come."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
