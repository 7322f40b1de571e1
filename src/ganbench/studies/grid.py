"""What a study trains: recipes, optimisers and settings, crossed with each other and with seeds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from ganbench.configuration import Configuration, configure, parse_change
from ganbench.fitting import fit
from ganbench.optimizers import OPTIMIZERS
from ganbench.recipes.base import Recipe
from ganbench.settings import unknown
from ganbench.studies.workers import Work
from ganbench.types import Medium, UsageError

SHARED = ("images", "features", "measure")
"""What all cells have alike, since their distances could not be compared else."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of a study's grid: runs that differ by their seed alone."""

    name: str
    recipe: str | Recipe
    changes: tuple[tuple[str, Any], ...]
    medium: Medium = "points"
    work: Work = fit

    def configuration(self, data: str, seed: int) -> Configuration:
        return configure(self.recipe, data, changes=[*self.changes, ("seed", seed)], medium=self.medium)

    def folder(self, seed: int) -> str:
        """A name for a run's folder."""
        return f"{folder_name(self.name)}-seed{seed}"


def folder_name(name: str) -> str:
    """A name as one folder's: letters, digits, dots, dashes and equals signs.

    >>> folder_name("gan, lr=0.1"), folder_name("../../evil")
    ('gan-lr=0.1', 'evil')
    """
    return re.sub(r"[^A-Za-z0-9.=-]+", "-", name).lstrip("-.").rstrip("-")


def cells(
    recipes: Mapping[str, str | Recipe],
    optimizers: Sequence[str] = (),
    grid: Mapping[str, Sequence[Any]] | None = None,
    fixed: Iterable[tuple[str, Any]] = (),
    medium: Medium = "points",
) -> list[Cell]:
    """All cells. Both players take each optimiser in turn; a `grid` maps dotted names to lists of values.

    A cell is named by its recipe and by what it varies.

    Raises:
        UsageError: a name or value that a recipe does not take, or two cells that would be one.
    """
    if not recipes:
        raise UsageError("name a recipe at least; `ganbench recipes` lists them")
    for name in optimizers:
        if name not in OPTIMIZERS:
            raise UsageError(unknown("optimizer", name, OPTIMIZERS))
    for key, values in (grid or {}).items():
        if key.partition(".")[0] in SHARED and len(values) > 1:
            raise UsageError(
                f"--set {key}: all cells of a study are measured alike on the same data; give it one value"
            )
    fixed = tuple(fixed)
    if "seed" in {*(grid or {}), *(key for key, _ in fixed)}:
        raise UsageError("seeds are not set one by one; --seeds says how many each cell has")
    found: list[Cell] = []
    configurations: list[Configuration] = []
    choices = [[(key, value) for value in values] for key, values in (grid or {}).items()]
    players: Sequence[str | None] = optimizers or [None]
    for (name, recipe), optimizer, setting in product(recipes.items(), players, product(*choices)):
        both = [("critic.optimizer", optimizer), ("generator.optimizer", optimizer)] if optimizer else []
        varied = [f"{key}={value}" for key, value in setting if len((grid or {})[key]) > 1]
        label = ", ".join([name, *([optimizer] if optimizer else []), *varied])
        cell = Cell(label, recipe, (*fixed, *both, *setting), medium)
        try:
            configuration = cell.configuration("", 0)
        except UsageError as error:
            raise UsageError(f"{label}: {error}") from None
        if configuration in configurations:  # as 1e-3 and 0.001 are one rate
            same = found[configurations.index(configuration)].name
            raise UsageError(f"the cells {same!r} and {label!r} have the same settings; leave one out")
        found.append(cell)
        configurations.append(configuration)
    check_apart(found)
    return found


def check_apart(found: Sequence[Cell]) -> None:
    """Finds cells that would be taken for one another. Raises UsageError."""
    for what, names in (("names", [c.name for c in found]), ("folders", [c.folder(0) for c in found])):
        if twice := [name for name in names if names.count(name) > 1]:
            raise UsageError(f"two cells would have the same {what}: {twice[0]!r}; name each recipe and value once")


def parse_values(text: str) -> tuple[str, list[Any]]:
    """`key=v1,v2` with YAML values; commas within brackets and braces do not separate.

    >>> parse_values("critic.network.widths=[64,64],[128]")
    ('critic.network.widths', [[64, 64], [128]])
    """
    name, separator, values = text.partition("=")
    if separator and not values.strip():
        raise UsageError(f"--set {name}= has no values; give them as {name}=1,2")
    return parse_change(f"{name}=[{values}]") if separator else parse_change(text)
