"""A study's report: one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.figures.animation import png_bytes
from ganbench.figures.curves import ranking_figure, study_curves
from ganbench.gallery import ENDS, by_kind, captions, read_picture
from ganbench.metrics import METRICS
from ganbench.reports import Page, Picture, Section, Table, write_page
from ganbench.studies.conclusions import number
from ganbench.studies.results import GOALS, Results
from ganbench.studies.statistics import Row
from ganbench.studies.study import Done, Study

SEEDS_SHOWN = 3
"""Runs of a cell of which a report has pictures: of the first all, of the others the end."""


def write_report(results: Results, study: Study) -> None:
    """`report.html`: conclusions, ranking, curves over seconds, and each cell's pictures."""
    title = f"{study.title} on {study.data.title}"
    page = Page(title=title, lead=results.conclusions, sections=sections(results))
    write_page(page, study.path / "report.html")


def sections(results: Results, seeds: int = SEEDS_SHOWN, prefix: str = "", sheets: Sequence[int] = ()) -> list[Section]:
    """Ranking, curves, so many runs of each cell, and all metrics; headings begin with the prefix.

    `sheets` are rounds after which the pictures of a run are shown, too, where there are any.
    """
    return [
        Section(f"{prefix}Ranking", pictures=ranking(results), tables=[_ranking_table(results)]),
        Section(
            f"{prefix}Distance against training time",
            pictures=curves(results, results.guide),
            tables=[_times_table(results)],
        ),
        *(_cell_section(prefix + cell, runs, seeds, sheets) for cell, runs in _in_order(results)),
        Section(f"{prefix}All metrics", tables=[_metrics_table(results)], folded=True),
    ]


def _in_order(results: Results) -> list[tuple[str, list[Done]]]:
    """The cells with their runs, best first."""
    order = [*(row.cell for row in results.ranking.rows), *results.ranking.unranked]
    return [(cell, results.runs[cell]) for cell in order]


def ranking(results: Results, what: str = "Final distance") -> list[Picture]:
    """What the cells come to, best first; no picture where there are no cells."""
    rows = []
    for row in results.ranking.rows:
        values = [v for run in results.runs[row.cell] if (v := run.value(results.guide)) is not None]
        rows.append((row.cell, row.interval.mean, row.interval.low, row.interval.high, values))
    rows += [(cell, float("nan"), None, None, []) for cell in results.ranking.unranked]
    if not rows:
        return []
    figure = ranking_figure(rows, results.guide, results.floor.get(results.guide))
    caption = (
        f"{what}: mean, 95 % interval over seeds, and each seed; dashed: the floor, real against real at that size."
    )
    return [Picture(caption, png_bytes(figure), "image/png")]


def _ranking_table(results: Results) -> Table:
    header = ("cell", results.guide, "95 % interval", "times the floor", "seeds", "told apart", "seconds")
    seconds = {row["cell"]: row["seconds"] for row in results.rows()}
    floor = results.floor.get(results.guide, float("nan"))
    return Table(
        header,
        [_ranking_row(row, floor, seconds[row.cell]) for row in results.ranking.rows],
        caption="Cells that share a letter are not told apart by these seeds (paired tests, Holm's correction).",
    )


def _ranking_row(row: Row, floor: float, seconds: float | None) -> list[str]:
    each = row.interval
    spread = "" if each.low is None or each.high is None else f"{number(each.low)} to {number(each.high)}"
    spent = "" if seconds is None else f"{seconds:.1f}"
    times = f"{each.mean / floor:.2f}" if floor else ""
    return [row.cell, number(each.mean), spread, times, str(each.n), row.letters, spent]


def curves(results: Results, metric: str) -> list[Picture]:
    """A metric over the seconds of training; no picture where nothing was measured along one."""
    cells = {cell: [rows for run in runs if (rows := run.folder.rows("metrics"))] for cell, runs in _in_order(results)}
    cells = {cell: rows for cell, rows in cells.items() if rows}
    if not cells:
        return []
    floors = (run.summary["snapshot_floor"] for runs in results.runs.values() for run in runs if run.summary)
    figure = study_curves(cells, metric, next(floors, dict[str, float]()).get(metric))
    caption = (
        f"{metric} along the training: median over seeds, lowest to highest, and each seed; dashed: the floor, real "
        "against real, of as few as are measured at a snapshot and thus further from the ideal than at the end."
    )
    return [Picture(caption, png_bytes(figure), "image/png")]


def _times_table(results: Results) -> Table:
    header = ("cell", *(f"{goal:g} floors" for goal in GOALS))
    rows = []
    for cell, runs in _in_order(results):
        row = [cell]
        for goal in GOALS:
            times = [t for run in runs if (t := run.time_to(goal)) is not None]
            reached = f"{len(times)} of {len(runs)}"
            row.append(f"{reached}, {min(times):.1f} to {max(times):.1f} s" if times else reached)
        rows.append(row)
    return Table(
        header,
        rows,
        caption="Runs that reached a distance at two snapshots in a row, or at the last, and after how much training.",
    )


def _cell_section(heading: str, runs: Sequence[Done], seeds: int, sheets: Sequence[int]) -> Section:
    """The pictures of a cell's first runs, what went wrong in which, and how those ended that diverged."""
    shown = [run for run in runs if (run.folder.figures / "training.webp").exists()][:seeds]
    pictures = [
        read_picture(run.folder.figures / f"{round:08d}.png", f"Seed {run.seed}. After {round:,} rounds.", light=True)
        for run in shown
        for round in sheets
        if (run.folder.figures / f"{round:08d}.png").exists()
    ]
    pictures += [
        read_picture(run.folder.figures / name, f"Seed {run.seed}. {caption}", light=True)
        for run in shown
        for name, caption in captions(run.folder).items()
        if run is shown[0] or name in ENDS
    ]
    causes = [f"Seed {run.seed}: {run.summary['cause']}." for run in runs if "cause" in run.summary]
    return Section(heading, paragraphs=causes, pictures=pictures, tables=_alarms_tables(runs))


def _alarms_tables(runs: Sequence[Done]) -> list[Table]:
    """A row a seed and kind of alarm; no table where there was none."""
    told = [(run, each) for run in runs for each in by_kind(run.folder.rows("alarms"))]
    rows = [
        [
            str(run.seed),
            f"{each.last['sentence']}.",
            _shown(each.first["number"]),
            f"{each.first['round']:,}",
            _shown(each.last["number"]),
            f"{each.last['round']:,}",
            str(each.times),
        ]
        for run, each in told
    ]
    header = ("seed", "last alarm of its kind", "first number", "at round", "last number", "at round", "times told")
    return [Table(header, rows, caption="What went wrong while training, by seed.")] if rows else []


def _shown(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3g}"


def _metrics_table(results: Results) -> Table:
    rows = []
    for row in results.rows():
        means = [f"{row['metrics'][m]['mean']:.4g}" if m in row["metrics"] else "" for m in results.metrics]
        rows.append([row["cell"], *means])
    rows.append(["floor", *(f"{results.floor[m]:.4g}" for m in results.metrics)])
    meanings = "; ".join(f"{m}: {METRICS[m].meaning}" for m in results.metrics)
    return Table(("cell", *results.metrics), rows, caption=f"Means over seeds at the end. {meanings}.")
