"""Searches that take seconds."""

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import ganbench
from tests.studies.conftest import WORDS
from tests.undrawn import undrawn

__all__ = ["WORDS", "ganbench", "undrawn"]

ROUNDS = 16
RATES = ("--search", "generator.optimizer.lr=1e-4..10")
"""Rates most of which are so high that the points fly away: something for the pruner."""
COMMAND = (
    "tune", "gan", "--data", "moons", "--rounds", str(ROUNDS), *RATES, *WORDS, "--confirm", "0", "--out", "search",
)  # fmt: skip
SERIAL = (*COMMAND, "--jobs", "1")


def table(search: Path) -> list[dict[str, str]]:
    """The rows of `table.csv`."""
    with open(search / "table.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def timeless(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def shuffle_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """What chance makes of a search is then known less well, and sooner."""
    monkeypatch.setattr("ganbench.tuning.importance.SHUFFLES", 60)


@pytest.fixture(autouse=True)
def few_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    shuffle_little(monkeypatch)
