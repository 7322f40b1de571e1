"""A search's report: one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ganbench.figures.animation import png_bytes
from ganbench.figures.search import Dial, Point, history_figure, importance_figure, settings_figure
from ganbench.reports import Page, Picture, Section, Table, write_page
from ganbench.studies import Results
from ganbench.studies.conclusions import number
from ganbench.studies.pages import ranking
from ganbench.tuning.findings import Findings, written
from ganbench.tuning.space import Between, Choice
from ganbench.tuning.trials import SNAPSHOTS


def write_report(findings: Findings) -> None:
    """`report.html`: what was found, the command that uses it, what mattered, each setting, all trials."""
    search = findings.search
    sections = [
        Section("Train with it", code=findings.command),
        *([_confirmation(findings.confirmation)] if findings.confirmation else []),
        *([_importance(findings)] if findings.importance.shares else []),
        Section("Each setting", pictures=[_settings(findings)]),
        Section("The search", paragraphs=[_how(findings)], pictures=[_history(findings)]),
        Section("All trials", tables=[_table(findings)], folded=True),
    ]
    title = f"Settings of {search.recipe} for {findings.data.title}"
    write_page(Page(title, findings.sentences(), sections), search.path / "report.html")


def _how(findings: Findings) -> str:
    search = findings.search
    rounds = search.configuration({}).plan.rounds
    seeds = f"{search.seeds} seeds side by side" if search.seeds > 1 else "one seed"
    return (
        f"A trial trains {seeds} for {rounds:,} rounds. At {SNAPSHOTS} snapshots the "
        f"geometric mean of their {findings.guide} is compared with earlier trials, and a trial behind their median is "
        "stopped. All have equally many rounds, of which those with more turns or wider networks take longer: the "
        "table has the seconds."
    )


def _confirmation(results: Results) -> Section:
    said = "The runs, with their pictures, are in the folder confirm, beside a report of their own."
    pictures = ranking(results, "Final distance on seeds that the search did not use")
    return Section("On fresh seeds", [*results.conclusions, said], pictures)


def _importance(findings: Findings) -> Section:
    caption = (
        "How much each setting tells the best trials from all (PED-ANOVA, arXiv:2304.10255). The shares add up to one "
        "even if nothing matters: a bar that ends before its mark may be chance. Where nothing matters, all bars do in "
        "19 of 20 searches."
    )
    figure = importance_figure(findings.importance.shares, findings.importance.chance)
    return Section("What mattered", pictures=[Picture(caption, png_bytes(figure), "image/png")])


def _points(findings: Findings) -> list[Point]:
    best = findings.best
    return [
        Point(t.number, t.value, t.state == "finished", best is not None and t.number == best.number, t.own)
        for t in findings.trials
    ]


def _settings(findings: Findings) -> Picture:
    trials = [trial for trial in findings.trials if trial.settings]
    kept = {trial.number for trial in trials}
    points = [point for point in _points(findings) if point.number in kept]
    order = list(findings.importance.shares or findings.search.space)
    dials = {key: _dial(findings.search.space[key], [trial.settings[key] for trial in trials]) for key in order}
    caption = f"{findings.guide} at the last snapshot of each trial against each setting, those that mattered first."
    return Picture(caption, png_bytes(settings_figure(points, dials, findings.guide)), "image/png")


def _dial(range: Between | Choice, values: Sequence[Any]) -> Dial:
    if isinstance(range, Between):
        return Dial(values, range.log)
    return Dial([range.texts.index(range.text(value)) for value in values], names=[written(v) for v in range.values])


def _history(findings: Findings) -> Picture:
    figure = history_figure(_points(findings), findings.guide, findings.floor)
    return Picture("The trials in their order, and the best so far.", png_bytes(figure), "image/png")


def _table(findings: Findings) -> Table:
    space = findings.search.space
    rows = [
        [
            str(trial.number),
            trial.state,
            "" if trial.value is None else number(trial.value),
            str(trial.rounds),
            f"{trial.seconds:.1f}",
            *(written(trial.settings[key]) if key in trial.settings else "" for key in space),
        ]
        for trial in findings.trials
    ]
    caption = "Rounds are each seed's, seconds of training those of all. The value of a pruned trial is its last one."
    return Table(("trial", "state", findings.guide, "rounds", "seconds", *space), rows, caption)
