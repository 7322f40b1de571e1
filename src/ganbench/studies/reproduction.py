"""A planned study carried out: its experiments, the findings on its claims, tables and a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.checkpoints import write_atomically
from ganbench.configuration import image_settings
from ganbench.data import full_name, load
from ganbench.metrics.images import IMAGE_METRICS
from ganbench.metrics.points import POINT_METRICS
from ganbench.runs import plain
from ganbench.settings import unknown
from ganbench.studies.claims import Arrival, Estimate, Evidence, Finding, arrivals, find
from ganbench.studies.grid import folder_name
from ganbench.studies.plans import Plan, cells_of, read_plan
from ganbench.studies.results import Results, as_csv, read_results, summary_of, table_of
from ganbench.studies.study import Study, run_all
from ganbench.studies.workers import Workers
from ganbench.types import Medium, UsageError

BROUGHT = ("faces",)
"""Data of plans that a person has to bring."""


@dataclass(frozen=True)
class Reproduction:
    """A planned study that has been set up: the study of each experiment, in one folder."""

    name: str
    plan: Plan
    path: Path
    quick: bool
    studies: Mapping[str, Study]


@dataclass(frozen=True)
class Outcome:
    """What a planned study came to: the results of each experiment, and a finding on each claim."""

    reproduction: Reproduction
    results: Mapping[str, Results]
    findings: tuple[Finding, ...]
    arrivals: Mapping[str, list[Arrival]]
    complete: bool

    @property
    def failed(self) -> list[str]:
        """The runs that could not be done."""
        runs = (run for results in self.results.values() for each in results.runs.values() for run in each)
        return [f"{run.cell} #{run.seed}" for run in runs if run.status == "failed"]


def set_up(
    study: str,
    out: Path,
    *,
    seeds: int | None = None,
    first_seed: int = 0,
    quick: bool = False,
    sources: Mapping[str, str] | None = None,
) -> Reproduction:
    """A study by its name or file. `sources` names other data in the place of the plan's.

    Raises:
        UsageError: there is no such study, data that cannot be read, or a recipe or a setting that there is not.
    """
    plan = read_plan(study)
    count = seeds or (plan.quick.seeds if quick else plan.seeds)
    studies: dict[str, Study] = {}
    prepared: dict[str, Any] = {}
    folders: dict[str, str] = {}
    for name, experiment in plan.experiments.items():
        if (first := folders.setdefault(folder_name(name), name)) != name:
            raise UsageError(f"{study}: the experiments {first!r} and {name!r} would have the same folder; rename one")
        source = (sources or {}).get(experiment.data, experiment.data)
        images = image_settings(None, experiment.set.items())
        if prepared.setdefault(full_name(source), images) != images:
            raise UsageError(f"{name}: another experiment prepares the images of {source} otherwise")
        if experiment.data in BROUGHT and experiment.data not in (sources or {}):
            raise UsageError(f"{study}: {source} are not shipped; give a folder of images: --data {source}=FOLDER")
        try:
            data = load(source, images)
        except UsageError as error:
            raise UsageError(f"{study}: {name}: {error}") from None
        _check_metrics(plan, name, data.medium)
        try:
            cells = cells_of(experiment, data, plan.quick if quick else None)
        except UsageError as error:
            raise UsageError(f"{study}: {name}: {error}") from None
        studies[name] = Study(out, data, full_name(source), cells, count, plan.title, first_seed, name)
    return Reproduction(Path(study).stem, plan, out, quick, studies)


def _check_metrics(plan: Plan, experiment: str, medium: Medium) -> None:
    """Finds metrics that such data do not have. Raises UsageError."""
    there = POINT_METRICS if medium == "points" else IMAGE_METRICS
    for name, claim in plan.claims.items():
        for part in claim.parts:
            metric = getattr(part.measure, "metric", None)
            held = part.experiment or next(iter(plan.experiments))
            trained = plan.experiments[held].cells[part.of].work is None  # of other work the file itself tells
            if held == experiment and trained and metric and metric not in there:
                raise UsageError(f"{name}: {unknown(f'metric of {medium}', metric, list(there))}")


def carry_out_plan(reproduction: Reproduction, workers: Workers) -> Outcome:
    """Does the runs that are left and says what follows, also of a part of them."""
    complete = run_all(list(reproduction.studies.values()), workers)
    results = {experiment: read_results(study) for experiment, study in reproduction.studies.items()}
    runs = {experiment: each.runs for experiment, each in results.items()}
    claims = reproduction.plan.claims
    findings = tuple(find(name, claim, runs) for name, claim in claims.items())
    outcome = Outcome(reproduction, results, findings, arrivals(claims.values(), runs), complete)
    _write(outcome)
    return outcome


def _write(outcome: Outcome) -> None:
    """`table.csv`, a row a run of any experiment, and `summary.json`, with the cells and the claims."""
    reproduction = outcome.reproduction
    table = [
        {"experiment": experiment, **row}
        for experiment, results in outcome.results.items()
        for row in table_of(results, reproduction.path)
    ]
    write_atomically(reproduction.path / "table.csv", as_csv(table).encode())
    summary = {
        "study": reproduction.name,
        "quick": reproduction.quick,
        "complete": outcome.complete,
        "cells": [
            {"experiment": experiment, **row}
            for experiment, results in outcome.results.items()
            for row in results.rows()
        ],
        "claims": {finding.name: claim_summary(finding) for finding in outcome.findings},
        "times": [
            {"experiment": experiment, **_arrival_summary(arrival)}
            for experiment, arrivals in outcome.arrivals.items()
            for arrival in arrivals
        ],
        "experiments": {
            experiment: {k: v for k, v in summary_of(results, reproduction.studies[experiment]).items() if k != "cells"}
            for experiment, results in outcome.results.items()
        },
    }
    write_atomically(reproduction.path / "summary.json", json.dumps(plain(summary), indent=1).encode())


def claim_summary(finding: Finding) -> dict[str, Any]:
    """A finding as JSON holds it."""
    return {
        "sentence": finding.claim.sentence,
        "verdict": finding.verdict,
        "seeds": finding.seeds,
        "parts": [_evidence_summary(each) for each in finding.evidence],
    }


def _arrival_summary(arrival: Arrival) -> dict[str, Any]:
    times = {"rounds": arrival.rounds, "seconds": arrival.seconds}
    reached = {"cell": arrival.cell, "goal": arrival.goal, "reached": arrival.reached, "runs": arrival.runs}
    return reached | {unit: _estimate_summary(estimate) for unit, estimate in times.items()}


def _estimate_summary(estimate: Estimate) -> dict[str, Any]:
    return {"effect": estimate.effect, "low": estimate.low, "high": estimate.high}


def _evidence_summary(evidence: Evidence) -> dict[str, Any]:
    part, estimate = evidence.part, evidence.estimate
    found: dict[str, Any] = {
        "says": part.says,
        "measure": evidence.measured,
        "of": part.of,
        "against": evidence.against,
        "region": part.region,
        "kind": evidence.kind,
        **_estimate_summary(estimate),
        "n": estimate.n,
        "lost": evidence.lost,
        "unmet": evidence.unmet,
        "powerless": evidence.powerless,
        "verdict": evidence.verdict,
    }
    if evidence.by_seconds:
        beside = evidence.by_seconds
        found["by_seconds"] = {**_estimate_summary(beside.estimate), "verdict": beside.verdict}
    return found
