"""`ganbench reproduce`: the claims of the sources, tested."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.errors import UsageError, WorkError

if TYPE_CHECKING:
    from ganbench.studies.reproduction import Reproduction
    from ganbench.studies.workers import Workers


def command(
    study: Annotated[str, typer.Argument(help="A study's name, or a file of one's own. Without: the list.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="The study's folder. Default: studies/NAME, with -quick or -fromN.")
    ] = None,
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
    from ganbench.cli.compare import workers_for
    from ganbench.studies.plans import shipped
    from ganbench.studies.reproduction import BROUGHT, set_up

    if not study and not all_:
        _list()
        return
    if study and all_:
        raise UsageError("either a study's name or --all")
    sources = dict(map(_source, data or []))
    workers = workers_for(jobs, scheduler)
    wanted = {name: _data_of(name) for name in (shipped() if all_ else [study])}
    asked = set().union(*wanted.values())
    for name in sources:
        if name not in asked:
            raise UsageError(f"--data {name}=...: no study here is on that; there is {', '.join(sorted(asked))}")
    kind = ("-quick" if quick else "") + (f"-from{first_seed}" if first_seed else "")
    ready = []
    for name, needed in wanted.items():  # all before the first, which may take an hour
        lacking = needed & set(BROUGHT) - sources.keys()
        if all_ and lacking:
            print(f"{name} is left out: its data are not shipped (--data {min(lacking)}=FOLDER)", file=sys.stderr)
            continue
        folder = out if out and not all_ else (out or Path("studies")) / f"{Path(name).stem}{kind}"
        ready.append(set_up(name, folder, seeds=seeds, first_seed=first_seed, quick=quick, sources=sources))
    failures = [failure for reproduction in ready if (failure := _carry_out(reproduction, workers))]
    if failures:  # told last: a run that cannot be done keeps no other study from its turn
        raise WorkError("; ".join(failures))


def _carry_out(reproduction: Reproduction, workers: Workers) -> str | None:
    """Does a study and prints what it came to. Says what could not be done."""
    from ganbench.studies.findings_page import effect, who, write_findings
    from ganbench.studies.reproduction import carry_out_plan

    outcome = carry_out_plan(reproduction, workers)
    write_findings(outcome)
    for finding in outcome.findings:
        print(f"{finding.name}  {finding.verdict:<10}  {finding.claim.sentence}")
        for evidence in finding.evidence:
            asked = f"({who(evidence)}; {evidence.part.region} is asked for)"
            print(f"    {evidence.part.says}: {effect(evidence)} {asked}")
    if reproduction.quick:
        print("quick: trainings this short say nothing of the claims")
    if not outcome.complete:
        raise WorkError("interrupted: the same command goes on with what is left")
    print(f"report: {(reproduction.path / 'report.html').resolve()}")
    if not outcome.failed:
        return None
    count = f"{len(outcome.failed)} run{'s' * (len(outcome.failed) > 1)}"
    return f"{count} could not be done, such as {outcome.failed[0]}; the reasons are in {reproduction.path / 'runs'}"


def _data_of(study: str) -> set[str]:
    from ganbench.studies.plans import read_plan

    return {experiment.data for experiment in read_plan(study).experiments.values()}


def _list() -> None:
    from ganbench.studies.plans import read_plan, shipped

    for name in shipped():
        plan = read_plan(name)
        data = ", ".join(dict.fromkeys(e.data for e in plan.experiments.values()))
        print(f"{name:<20} {plan.minutes:>4.0f} min on two cores, {plan.seeds} seeds, {data}: {plan.title}")
        for claim_name, claim in plan.claims.items():
            print(f"    {claim_name:<12} {claim.sentence.strip()}")


def _source(text: str) -> tuple[str, str]:
    name, separator, source = text.partition("=")
    if not separator or not source:
        raise UsageError(f"--data takes NAME=DATA, such as letter-m=points.mat, not {text!r}")
    return name, source
