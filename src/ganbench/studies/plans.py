"""Studies as files: what is trained, how often, and which sentences that decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, PositiveFloat, PositiveInt

from ganbench.configuration import read_config
from ganbench.data import DataSet
from ganbench.fitting import fit
from ganbench.settings import OneOf, from_tree, settings, unknown
from ganbench.studies.auditing import Audit
from ganbench.studies.claims import Claim
from ganbench.studies.exploring import Exploring
from ganbench.studies.grid import SHARED, Cell, check_apart
from ganbench.studies.measures import End, Fade, Measure, Reaches
from ganbench.studies.recognition import Recognition
from ganbench.studies.starvation import Starvation
from ganbench.studies.work import InsteadOfTraining, PlannedWork
from ganbench.studies.workers import Work
from ganbench.types import UsageError

WORKS: dict[str, type] = {work.kind: work for work in (Starvation, Recognition, Audit, Exploring)}
"""What a cell may do in the place of a training."""

Picture: TypeAlias = Literal["parallel-lines", "gradients", "losses"]

QUICK_COUNT, QUICK_FINAL = 256, 512
"""So much at most is measured where a study is only tried."""


@settings
class Trained:
    """One cell of an experiment: a recipe, what is set otherwise in it, and what is done with it if it is not trained.

    The recipe is by default the experiment's, and where that has none the one of the cell's name.
    """

    recipe: str | None = None
    set: Mapping[str, Any] = Field(default_factory=dict)
    work: Annotated[PlannedWork, OneOf(WORKS, PlannedWork)] | None = None


@settings
class Experiment:
    """Cells on one data set. `recipe` and `set` hold for all of them; what a cell has goes over it.

    `sheets` are rounds whose pictures the report shows, where a snapshot was taken then.
    """

    data: str
    cells: Mapping[str, Trained]
    recipe: str | None = None
    set: Mapping[str, Any] = Field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    sheets: tuple[PositiveInt, ...] = ()


@settings
class Quick:
    """The smoke version: so many seeds, and no run longer than so many rounds."""

    seeds: PositiveInt = 2
    rounds: PositiveInt = 40


@settings
class Plan:
    """A study. `minutes` is what it takes on two cores; `about` says what was held equal, and why it was built so."""

    title: str
    about: str
    experiments: Mapping[str, Experiment]
    claims: Mapping[str, Claim]
    source: str = ""
    minutes: PositiveFloat = 1.0
    seeds: PositiveInt = 5
    quick: Quick = Quick()


def shipped() -> list[str]:
    """The names of the studies that come with the package, by alphabet."""
    return sorted(p.name.removesuffix(".yaml") for p in (files("ganbench.studies") / "plans").iterdir())


def read_plan(study: str) -> Plan:
    """A study that is shipped, by its name, or a person's own, by the path of its file.

    Raises:
        UsageError: there is none, or something in it is not allowed; the sentence says where.
    """
    own = study.endswith((".yaml", ".yml"))
    if not own and study not in shipped():
        raise UsageError(f"{unknown('study', study, shipped())}; a file of one's own ends in .yaml")
    path = Path(study) if own else Path(str(files("ganbench.studies") / "plans" / f"{study}.yaml"))
    try:
        plan = from_tree(Plan, read_config(path))
    except UsageError as error:
        raise UsageError(str(error) if own and str(path) in str(error) else f"{path.name}: {error}") from None
    _check(plan, path.name)
    return plan


def _check(plan: Plan, where: str) -> None:
    """Finds what would only show after hours of training. Raises UsageError."""
    if not plan.experiments or not plan.claims:
        raise UsageError(f"{where}: a study needs an experiment and a claim at least")
    for name, claim in plan.claims.items():
        for part in claim.parts:
            experiment = part.experiment or next(iter(plan.experiments))
            if experiment not in plan.experiments:
                raise UsageError(f"{where}: {name}: {unknown('experiment', experiment, list(plan.experiments))}")
            cells = plan.experiments[experiment].cells
            for cell in (part.of, *part.against):
                if cell not in cells:
                    raise UsageError(f"{where}: {name}: {unknown('cell', cell, list(cells))}")
                _check_measure(part.measure, cells[cell].work, f"{where}: {name}: {cell}")
    for experiment, held in plan.experiments.items():
        _check_settings(held, f"{where}: {experiment}")


def _check_measure(measure: Measure, work: PlannedWork | None, where: str) -> None:
    """Of a training all is measured but what fades; of other work what it measures itself, at its end."""
    if isinstance(work, Starvation) != isinstance(measure, Fade):
        raise UsageError(f"{where}: fade is measured in cells with the work starvation, and nothing else is")
    if work is None or isinstance(work, Starvation):
        return
    along = isinstance(measure, Reaches) and measure.when == "along"
    if along or not isinstance(measure, End | Reaches) or measure.metric is None:
        raise UsageError(f"{where}: of the work {work.kind} a metric at the end is measured: {', '.join(work.metrics)}")
    if measure.metric not in work.metrics:
        raise UsageError(f"{where}: {unknown(f'metric of {work.kind}', measure.metric, work.metrics)}")


def _check_settings(experiment: Experiment, where: str) -> None:
    """What decides how all are measured alike is set for all cells; seeds are chosen by the command."""
    if len({trained.work is None for trained in experiment.cells.values()}) > 1:
        raise UsageError(f"{where}: cells that are trained and cells with other work go into experiments of their own")
    for cell, trained in experiment.cells.items():
        for key in trained.set:
            if key.partition(".")[0] in SHARED:
                raise UsageError(f"{where}: {cell}: {key} is the same for all cells; set it for the experiment")
    if "seed" in {*experiment.set, *(key for trained in experiment.cells.values() for key in trained.set)}:
        raise UsageError(f"{where}: seeds are not set; seeds: says how many there are, --first-seed which come first")


def cells_of(experiment: Experiment, data: DataSet, quick: Quick | None) -> list[Cell]:
    """An experiment's cells, made small where it is only tried. Raises UsageError where a recipe does not take one."""
    cells = []
    for name, trained in experiment.cells.items():
        changes = {**experiment.set, **trained.set}
        cell = Cell(name, trained.recipe or experiment.recipe or name, tuple(changes.items()), data.medium)
        cell = replace(cell, work=_done(trained.work))
        try:
            usual = cell.configuration("", 0)
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from None
        if quick:
            changes |= {
                "measure.count": min(QUICK_COUNT, usual.measure.count),
                "measure.final": min(QUICK_FINAL, usual.measure.final),
                "rounds": min(quick.rounds, usual.plan.rounds),
                "minutes": None,
            }
            work = _done(trained.work and trained.work.quick(quick.rounds))
            cell = replace(cell, changes=tuple(changes.items()), work=work)
        cells.append(cell)
    check_apart(cells)
    return cells


def _done(work: PlannedWork | None) -> Work:
    """What is done with a run: it is trained, or what is planned instead."""
    return InsteadOfTraining(work) if work else fit
