"""`ganbench compare`: several recipes and settings over seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganbench.errors import UsageError, WorkError

if TYPE_CHECKING:
    from ganbench.studies import Study, Workers


def command(
    recipes: Annotated[str, typer.Argument(help="Recipes, separated by commas.")],
    data: Annotated[str, typer.Option(help="A name, or a file or folder; see `ganbench data list`.")],
    out: Annotated[Path, typer.Option(help="The study's folder; what is finished there is not done again.")],
    optimizers: Annotated[str, typer.Option(help="Optimisers, separated by commas, for both players.")] = "",
    seeds: Annotated[int, typer.Option(min=1, help="Seeds a cell.")] = 5,
    grid: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=V1,V2", help="A field and its values; each is a cell.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds of each run, instead of each recipe's.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Workers. Default: one a core.")] = None,
    scheduler: Annotated[str, typer.Option(help="A Dask scheduler's address, whose workers do the runs.")] = "",
) -> None:
    """Compare recipes, optimisers and settings over seeds, and say what the evidence allows."""
    from ganbench.configuration import image_settings
    from ganbench.data import full_name, load
    from ganbench.studies.grid import cells, parse_values
    from ganbench.studies.study import Study

    values: dict[str, list[Any]] = {}
    for text in grid or []:
        key, choices = parse_values(text)
        if key in values:
            raise UsageError(f"--set {key} is given twice; list its values in one, as {key}=1,2")
        values[key] = choices
    named = {name: name for name in _split(recipes)}
    fixed = [("rounds", rounds)] if rounds else []
    found = load(data, image_settings(None, ((key, choices[0]) for key, choices in values.items())))
    study_cells = cells(named, _split(optimizers), values, fixed, found.medium)
    study = Study(out, found, full_name(data), study_cells, seeds, "Comparison")
    finish(study, jobs, scheduler)


def workers_for(jobs: int | None, scheduler: str) -> Workers:
    """Processes of this machine, or the workers of a Dask cluster. Raises UsageError where both are asked for."""
    from ganbench.studies import local_workers

    if not scheduler:
        return local_workers(jobs)
    if jobs:
        raise UsageError("--jobs is for this machine; a Dask cluster has its own workers")
    from ganbench.studies.cluster import dask_workers

    return dask_workers(scheduler)


def finish(study: Study, jobs: int | None, scheduler: str = "") -> None:
    """Runs a study to its end, or to an interruption, and prints what it came to."""
    from ganbench.studies import carry_out

    results, complete = carry_out(study, workers_for(jobs, scheduler))
    for place, row in enumerate(results.ranking.rows, start=1):
        interval = row.interval
        spread = "" if interval.low is None else f"  (95 % interval {interval.low:.4g} to {interval.high:.4g})"
        print(f"{place}. {row.cell:<24} {results.guide} {interval.mean:.4g}{spread}  {row.letters}")
    for sentence in results.conclusions:
        print(sentence)
    if not complete:
        raise WorkError("interrupted: the same command goes on with what is left")
    print(f"report: {(study.path / 'report.html').resolve()}")
    if results.runs and all(run.status == "failed" for runs in results.runs.values() for run in runs):
        raise WorkError(f"all runs failed; the reasons are in {study.path / 'runs'}")


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
