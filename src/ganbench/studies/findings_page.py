"""The report of a planned study: what became of each claim, and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganbench.figures.animation import png_bytes
from ganbench.figures.curves import losses_against_distance, ranking_figure
from ganbench.figures.starvation import gradient_curves, parallel_lines
from ganbench.gallery import read_picture
from ganbench.reports import Page, Picture, Section, Table, write_page
from ganbench.studies.claims import Arrival, Estimate, Evidence, Finding
from ganbench.studies.conclusions import number
from ganbench.studies.measures import losses_and_distances
from ganbench.studies.pages import curves, sections
from ganbench.studies.plans import Experiment, Plan
from ganbench.studies.reproduction import Outcome, Reproduction
from ganbench.studies.results import Results
from ganbench.studies.work import told

SAME = ("seed", "data")
"""Settings that are left out of what cells differ in."""


def write_findings(outcome: Outcome) -> None:
    """`report.html`: verdicts, the evidence for each, what was held equal, and each experiment's pictures."""
    reproduction, plan = outcome.reproduction, outcome.reproduction.plan
    lead = [f"{f.name}: {f.verdict}. {f.claim.sentence}" for f in outcome.findings]
    if reproduction.quick:
        lead.insert(0, "A quick trial of the machinery: trainings this short say nothing of the claims.")
    if not outcome.complete:
        lead.insert(0, "The study was stopped, and is not complete: what is said of its claims is not final.")
    if outcome.failed:
        lead.insert(0, f"Runs that could not be done: {', '.join(outcome.failed)}; see the files beside their folders.")
    page = Page(
        title=plan.title,
        lead=lead,
        sections=[
            Section("Verdicts", [_legend()], tables=[verdict_table(outcome.findings)]),
            *(_claim_section(finding) for finding in outcome.findings),
            Section(
                "What was held equal",
                [plan.about, *([f"Source of the claims: {plan.source}."] if plan.source else [])],
                tables=_differences(reproduction),
            ),
            *(
                section
                for name, experiment in plan.experiments.items()
                for section in _experiment(name, experiment, outcome)
            ),
        ],
    )
    write_page(page, reproduction.path / "report.html")


def _legend() -> str:
    return (
        "A part holds where its 95 % interval over seeds lies in the region that the claim names. Supported: all parts "
        "hold. Refuted: of some part the whole interval, corrected for the number of parts, lies outside. Else "
        "undecided: more seeds may tell. Nothing is decided while a run of the cells is lost. By seconds is the same "
        "comparison at equal seconds of training, not rounds, or in seconds. They are those of whatever did the runs, "
        "and depend on its load."
    )


def verdict_table(findings: tuple[Finding, ...]) -> Table:
    """A row a claim."""
    rows = [[f.name, f.claim.sentence, f.verdict, "; ".join(map(effect, f.evidence)), str(f.seeds)] for f in findings]
    return Table(("claim", "sentence", "verdict", "effect [95 % interval]", "seeds"), rows)


def effect(evidence: Evidence) -> str:
    """A mean, ratio or difference with its interval, as in `0.52 times [0.41, 0.66]`."""
    estimate = evidence.estimate
    if estimate.effect is None:
        return "neither got there on any seed" if evidence.unmet else "not measured"
    sign = "+" if evidence.kind == "difference" and estimate.effect > 0 else ""
    return f"{sign}{number(estimate.effect)}{' times' if evidence.kind == 'ratio' else ''}{_interval(estimate)}"


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" [{number(estimate.low)}, {number(estimate.high)}]"


def who(evidence: Evidence) -> str:
    """The cells that a part of a claim is about."""
    of = evidence.part.of
    return of if evidence.against is None else f"{of} against {evidence.against}"


def _claim_section(finding: Finding) -> Section:
    rows = []
    for evidence in finding.evidence:
        part = evidence.part
        beside = "" if evidence.by_seconds is None else effect(evidence.by_seconds)
        verdict = evidence.verdict + (": so few runs could not have decided it" if evidence.powerless else "")
        n = str(evidence.estimate.n) + (f" ({evidence.lost} lost)" if evidence.lost else "")
        n += f" (on {evidence.unmet} neither got there)" if evidence.unmet else ""
        rows.append([part.says, evidence.measured, who(evidence), part.region, effect(evidence), verdict, beside, n])
    header = ("says", "measured", "cells", "region", "effect [95 %]", "verdict", "by seconds", "seeds")
    remark = [finding.claim.remark] if finding.claim.remark else []
    return Section(
        f"{finding.name}: {finding.verdict}", [finding.claim.sentence, *remark], tables=[Table(header, rows)]
    )


def _differences(reproduction: Reproduction) -> list[Table]:
    """For each experiment the settings in which its cells differ; all others are the same in all of them."""
    tables = []
    for name, study in reproduction.studies.items():
        trees = {
            cell.name: _flat(cell.configuration(study.source, 0).tree()) | _flat(told(cell.work) or {}, "work.")
            for cell in study.cells
        }
        keys = dict.fromkeys(key for tree in trees.values() for key in tree if key not in SAME)
        varied = [key for key in keys if len({str(tree.get(key, "-")) for tree in trees.values()}) > 1]
        rows = [[cell, *(str(tree.get(key, "-")) for key in varied)] for cell, tree in trees.items()]
        caption = f"{name}: all settings in which the cells differ, on {study.data.title}, {study.seeds} seeds each."
        tables.append(Table(("cell", *varied), rows, caption=caption))
    return tables


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _experiment(name: str, experiment: Experiment, outcome: Outcome) -> list[Section]:
    results, pictures = outcome.results[name], []
    asked = _metrics_asked_for(name, outcome.reproduction.plan)
    if "parallel-lines" in experiment.pictures:
        caption = (
            "Two parallel lines at the distance t: closed forms, and crosses where 400 points of each were measured."
        )
        pictures.append(Picture(caption, png_bytes(parallel_lines()), "image/png"))
    if "gradients" in experiment.pictures:
        cells = {cell: [run.folder.rows("metrics") for run in runs] for cell, runs in results.runs.items()}
        caption = "The generator's gradient while the critic alone is trained: each seed, and their geometric mean."
        pictures.append(Picture(caption, png_bytes(gradient_curves(cells)), "image/png"))
    if "losses" in experiment.pictures:
        first = {cell: next((run for run in runs if run.summary), None) for cell, runs in results.runs.items()}
        for player in ("critic", "generator"):
            pairs = {cell: losses_and_distances(run, player) for cell, run in first.items() if run}
            caption = f"The {player}'s loss against the distance, and their rank correlation, of each cell's first run."
            pictures.append(Picture(caption, png_bytes(losses_against_distance(pairs, player)), "image/png"))
    own = [Section(f"{name}: pictures", pictures=pictures)] if pictures else []
    if not results.floor:
        return own + _of_work(name, results, asked)
    along = [picture for metric in asked if metric != results.guide for picture in curves(results, metric)]
    times = [_arrivals_table(arrivals)] if (arrivals := outcome.arrivals[name]) else []
    if along or times:
        own.append(Section(f"{name}: what the claims ask for, along the training", pictures=along, tables=times))
    return own + sections(results, seeds=1, prefix=f"{name}: ", sheets=experiment.sheets)


def _metrics_asked_for(experiment: str, plan: Plan) -> list[str]:
    """The metrics that claims name on this experiment."""
    parts = [part for claim in plan.claims.values() for part in claim.parts]
    here = [part for part in parts if (part.experiment or next(iter(plan.experiments))) == experiment]
    return list(dict.fromkeys(metric for part in here if (metric := getattr(part.measure, "metric", None))))


def _arrivals_table(arrivals: Sequence[Arrival]) -> Table:
    rows = [
        [each.cell, each.goal, f"{each.reached} of {each.runs}", _time(each, each.rounds), _time(each, each.seconds)]
        for each in arrivals
    ]
    caption = (
        "Until two snapshots in a row, or the last, were there: geometric means and 95 % intervals. A run that never "
        "got there counts with all of its training, so that its cell took longer than is said."
    )
    return Table(("cell", "to", "runs that got there", "rounds", "seconds of training"), rows, caption=caption)


def _time(arrival: Arrival, estimate: Estimate) -> str:
    if estimate.effect is None:
        return "not measured"
    return f"{'over ' if arrival.reached < arrival.runs else ''}{number(estimate.effect)}{_interval(estimate)}"


def _of_work(name: str, results: Results, asked: Sequence[str]) -> list[Section]:
    """What was measured where nothing was trained and compared with a floor: means, a picture of each metric that
    claims name, and a sheet of each cell."""
    rows, cells = [], results.rows()
    for row in cells:
        found = [row["metrics"].get(metric) for metric in results.metrics]
        rows.append([row["cell"], *("" if each is None else _mean(each) for each in found), str(row["finished"])])
    shown = [(cell, run) for cell, runs in results.runs.items() for run in runs[:1]]
    pictures = [_compared(results, cells, metric) for metric in asked if metric in results.metrics]
    pictures += [
        read_picture(run.folder.figures / "sheet.png", f"{cell}, seed {run.seed}: what its generator makes.")
        for cell, run in shown
        if (run.folder.figures / "sheet.png").exists()
    ]
    causes = [
        f"{cell}, seed {run.seed}: {run.summary['cause']}."
        for cell, runs in results.runs.items()
        for run in runs
        if "cause" in run.summary
    ]
    table = Table(("cell", *results.metrics, "runs"), rows, caption="Means over seeds and their 95 % intervals.")
    return [Section(f"{name}: what was measured", causes, pictures=pictures, tables=[table])]


def _compared(results: Results, rows: Sequence[Mapping[str, Any]], metric: str) -> Picture:
    """A metric of all cells, whose rows have the means, in the plan's order."""
    shown = []
    for row in rows:
        cell, each = row["cell"], row["metrics"].get(metric)
        mean, low, high = (each["mean"], each["low"], each["high"]) if each else (float("nan"), None, None)
        values = [v for run in results.runs[cell] if (v := run.value(metric)) is not None]
        shown.append((cell, mean, low, high, values))
    caption = f"{metric}: mean, 95 % interval over seeds, and each seed."
    return Picture(caption, png_bytes(ranking_figure(shown, metric)), "image/png")


def _mean(each: Mapping[str, Any]) -> str:
    if each["low"] is None or each["high"] is None:
        return number(each["mean"])
    return f"{number(each['mean'])} [{number(each['low'])}, {number(each['high'])}]"
