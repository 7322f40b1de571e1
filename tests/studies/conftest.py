"""Studies that take a second, and what is to be the same in two of them."""

import csv
from pathlib import Path
from typing import Any

from ganbench.data import load_points
from ganbench.runs import RunFolder
from ganbench.studies.grid import cells
from ganbench.studies.study import Study
from tests.cli.conftest import ganbench
from tests.undrawn import undrawn

__all__ = ["ganbench", "undrawn"]

SMALL: dict[str, Any] = {
    "critic.network.widths": [8],
    "generator.network.widths": [8],
    "measure.count": 64,
    "measure.final": 64,
    "batch_size": 16,
}
WORDS = tuple(word for key, value in SMALL.items() for word in ("--set", f"{key}={value}"))
"""The same settings as the command line takes them."""


def small_study(path: Path, rounds: int, seeds: int = 2) -> Study:
    """`gan` and `lsgan` on the moons; the seeds are the study's only difference from its command."""
    compared = cells({"gan": "gan", "lsgan": "lsgan"}, fixed=[*SMALL.items(), ("rounds", rounds)])
    return Study(path, load_points("moons"), "moons", compared, seeds, "Comparison")


def table(study: Path) -> list[dict[str, str]]:
    """The rows of `table.csv`."""
    with open(study / "table.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outcome(study: Path) -> dict[str, Any]:
    """All that a study's runs came to, but for the seconds it took."""
    runs = {}
    for row in table(study):
        folder = RunFolder(study / row["folder"])
        rows = [timeless(line) for name in ("log", "metrics") for line in folder.rows(name)]
        metrics = folder.summary["metrics"] if folder.summary else None
        runs[row["folder"]] = (timeless(row), rows, metrics)
    return runs


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("seconds")}
