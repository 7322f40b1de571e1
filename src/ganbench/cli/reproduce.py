"""`ganbench reproduce`: the claims of the sources, tested."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.errors import UsageError, WorkError


def command(
    study: Annotated[str, typer.Argument(help="A study's name, or a file of one's own. Without: the list.")] = "",
    out: Annotated[Path | None, typer.Option(help="The study's folder. Default: studies/NAME.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds a cell, instead of the study's.")] = None,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of the seeds.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Try the machinery in a minute or two.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="All studies, one after the other.")] = False,
    data: Annotated[
        list[str] | None, typer.Option("--data", metavar="NAME=DATA", help="Other data in the place of the study's.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Workers. Default: one a core.")] = None,
    scheduler: Annotated[str, typer.Option(help="A Dask scheduler's address, whose workers do the runs.")] = "",
) -> None:
    """Test the claims of the sources: train what a study asks for, and say which claims hold."""
    from ganbench.studies.plans import read_plan, shipped

    if not study and not all_:
        _list()
        return
    if study and all_:
        raise UsageError("either a study's name or --all")
    if jobs and scheduler:
        raise UsageError("--jobs is for this machine; a Dask cluster has its own workers")
    sources = dict(map(_source, data or []))
    names = shipped() if all_ else [study]
    plans = {name: read_plan(name) for name in names}
    asked = {e.data for plan in plans.values() for e in plan.experiments.values()}
    for name in sources:
        if name not in asked:
            raise UsageError(f"--data {name}=...: no study here is on that; there is {', '.join(sorted(asked))}")
    for name, plan in plans.items():
        folder = (out or Path("studies")) / Path(name).stem if all_ or out is None else out
        used = {k: v for k, v in sources.items() if k in {e.data for e in plan.experiments.values()}}
        count = seeds or (plan.quick.seeds if quick else plan.seeds)
        _reproduce(name, folder, used, count, first_seed, quick, jobs, scheduler)


def _reproduce(
    name: str,
    folder: Path,
    sources: dict[str, str],
    seeds: int,
    first_seed: int,
    quick: bool,
    jobs: int | None,
    scheduler: str,
) -> None:
    from ganbench.studies import local_workers
    from ganbench.studies.findings_page import effect, who, write_findings
    from ganbench.studies.plans import read_plan
    from ganbench.studies.reproduction import carry_out_plan, studies_of

    plan = read_plan(name)
    studies = studies_of(plan, folder, seeds=seeds, first_seed=first_seed, quick=quick, sources=sources)
    if scheduler:
        from ganbench.studies.cluster import dask_workers

        workers = dask_workers(scheduler)
    else:
        workers = local_workers(jobs)
    reproduction, complete = carry_out_plan(name, plan, folder, studies, workers, quick=quick)
    write_findings(reproduction)
    for finding in reproduction.findings:
        print(f"{finding.name}  {finding.verdict:<10}  {finding.claim.sentence}")
        for evidence in finding.evidence:
            asked = f"({who(evidence)}; {evidence.part.region} is asked for)"
            print(f"    {evidence.part.says}: {effect(evidence)} {asked}")
    if quick:
        print("quick: trainings this short say nothing of the claims")
    if not complete:
        raise WorkError("interrupted: the same command goes on with what is left")
    print(f"report: {(folder / 'report.html').resolve()}")


def _list() -> None:
    from ganbench.studies.plans import read_plan, shipped

    for name in shipped():
        plan = read_plan(name)
        data = ", ".join(dict.fromkeys(e.data for e in plan.experiments.values()))
        claims = ", ".join(plan.claims)
        print(f"{name:<20} {claims:<16} {plan.minutes:>4.0f} min on two cores, {plan.seeds} seeds, {data}")
        print(f"{'':<20} {plan.title}")


def _source(text: str) -> tuple[str, str]:
    name, separator, source = text.partition("=")
    if not separator or not source:
        raise UsageError(f"--data takes NAME=DATA, such as letter-m=points.mat, not {text!r}")
    return name, source
