"""`ganbench tune`: a search for a recipe's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.errors import WorkError


def command(
    data: Annotated[str, typer.Option(help="A name, or a file or folder; see `ganbench data list`.")],
    out: Annotated[Path, typer.Option(help="The search's folder; trials that are finished there count.")],
    recipe: Annotated[str, typer.Argument(help="A recipe's name; `ganbench recipes` lists them.")] = "best",
    trials: Annotated[int, typer.Option(min=1, help="Settings to try in all; the first are the recipe's own.")] = 30,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds a trial.")] = 2,
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds of each training, instead of the recipe's.")] = None,
    search: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=LOW..HIGH|A,B,C|none", help="What to try in a field, or that it is left as it is."),
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A field that all trials have alike.")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(metavar="URL", help="A database for the trials. Default: trials.db in the folder.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes. Default: one a core.")] = None,
    confirm: Annotated[int, typer.Option(min=0, help="Fresh seeds on which the best settings are confirmed.")] = 5,
) -> None:
    """Search for the settings with which a recipe does best on data, and say what mattered."""
    from ganbench.configuration import configure, image_settings, parse_change
    from ganbench.data import full_name, load
    from ganbench.errors import UsageError
    from ganbench.tuning import require_optuna
    from ganbench.tuning.space import searched

    require_optuna()
    from ganbench.tuning.search import Search
    from ganbench.tuning.tune import tune

    sets = [parse_change(text) for text in changes or []]
    if any(key == "seed" for key, _ in sets):
        raise UsageError("seeds are not set one by one; --seeds says how many each trial has")
    found = load(data, image_settings(None, sets))
    source, fixed = full_name(data), (*sets, *([("rounds", rounds)] if rounds else []))
    own = configure(recipe, source, changes=fixed, medium=found.medium)
    space = searched(own, [key for key, _ in fixed], search or [])
    asked = Search(out, recipe, source, found.medium, fixed, space, seeds)
    findings, complete = tune(asked, found, trials=trials, jobs=jobs, storage=storage, confirmation=confirm)
    for sentence in findings.sentences():
        print(sentence)
    if not complete:
        raise WorkError("interrupted: the same command goes on")
    if findings.best is None:
        raise WorkError(f"no trial finished; {out / 'table.csv'} says how each ended")
    print(f"train with: {findings.command}")
    print(f"report: {(out / 'report.html').resolve()}")
