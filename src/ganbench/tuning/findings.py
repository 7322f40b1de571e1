"""What a search came to: the best settings, what mattered, what fresh seeds say of it, and sentences."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ganbench.checkpoints import write_atomically
from ganbench.data import DataSet
from ganbench.runs import plain
from ganbench.studies import Results, Study, Workers, carry_out
from ganbench.studies.conclusions import number
from ganbench.studies.grid import cells
from ganbench.studies.statistics import paired_comparison
from ganbench.studies.study import Done
from ganbench.tuning.importance import ENOUGH, Importance
from ganbench.tuning.search import Search
from ganbench.tuning.space import changes
from ganbench.tuning.trials import Tried

FRESH = 1000
"""The first of the seeds that only the confirmation uses."""


@dataclass(frozen=True)
class Findings:
    """The trials of a search, the floor of the metric that decides, and what follows."""

    search: Search
    data: DataSet
    guide: str
    floor: float
    trials: Sequence[Tried]
    importance: Importance
    confirmation: Results | None = None

    @property
    def best(self) -> Tried | None:
        """The finished trial with the lowest value."""
        finished = [trial for trial in self.trials if trial.state == "finished"]
        return min(finished, key=_value, default=None)

    @property
    def own(self) -> Tried | None:
        """The trial of the recipe's own settings, where it finished."""
        return next((trial for trial in self.trials if trial.own and trial.state == "finished"), None)

    @property
    def changes(self) -> dict[str, Any]:
        """What the best settings change of the recipe's own."""
        own, best = self.search.configuration({}), self.best
        if best is None or self.search.configuration(best.settings) == own:
            return {}
        return changes(own, best.settings)

    @property
    def command(self) -> str:
        """The command that trains with the best settings."""
        words = ["ganbench", "train", self.search.recipe, "--data", self.search.source]
        for key, value in (*self.search.fixed, *self.changes.items()):
            words += ["--rounds", str(value)] if key == "rounds" else ["--set", f"{key}={written(value)}"]
        return shlex.join(words)

    def sentences(self) -> list[str]:
        """What was found, the most important first."""
        return [*self._found(), *self._confirmed(), *self._mattered(), *self._ended()]

    def _found(self) -> list[str]:
        best, own = self.best, self.own
        if best is None:
            return ["No trial finished, so nothing is concluded."]
        many = f"{len(self.trials)} trials" if len(self.trials) > 1 else "1 trial"
        each = f"{self.search.seeds} seeds each" if self.search.seeds > 1 else "one seed each"
        floors = f", {number(_value(best) / self.floor)} times the floor of a snapshot" if self.floor > 0 else ""
        value = f"{self.guide} {number(_value(best))}{floors}"
        found = f"Of {many} over {each}, trial {best.number} came closest to the data: {value}"
        if best.own:
            moved = ", moved into what was searched" if self.changes else ""
            return [f"{found}. These are the recipe's own settings{moved}."]
        if own is None:
            return [f"{found}. The first settings did not finish."]
        ratio, longer = number(_value(best) / _value(own)), number(best.seconds / own.seconds)
        first = f"{ratio} times that of the first settings ({number(_value(own))})"
        return [f"{found}, {first}. Its training took {longer} times as long as theirs."]

    def _confirmed(self) -> list[str]:
        if self.best is None or not self.changes:
            return []
        lowest = "That is the lowest of several noisy figures, and so in part luck"
        if self.confirmation is None:
            return [f"{lowest}; it was not confirmed on other seeds."]
        own, found = (_by_seed(runs, self.guide) for runs in self.confirmation.runs.values())
        shared = sorted(own.keys() & found.keys())
        paired = paired_comparison([found[seed] for seed in shared], [own[seed] for seed in shared])
        if paired.effect is None:
            return [f"{lowest}, and on fresh seeds there is nothing to compare it with."]
        spread = ""
        if paired.low is not None and paired.high is not None:
            spread = f", 95 % interval {number(paired.low)} to {number(paired.high)}"
        ratio = f"{number(paired.effect)} times" if paired.kind == "ratio" else f"{number(paired.effect)} beside"
        told = "" if paired.told_apart else ": the two are not told apart"
        seeds = f"{paired.n} fresh seeds" if paired.n > 1 else "one fresh seed"
        return [f"{lowest}. On {seeds} it is {ratio} that of the recipe as it is{spread}{told}."]

    def _mattered(self) -> list[str]:
        if not self.importance.shares:
            return [f"What mattered is not said: that takes {ENOUGH} trials."]
        told = [f"{key} ({self.importance.shares[key]:.0%})" for key in self.importance.mattered]
        if not told:
            return ["No setting is shown to matter: so few trials would put as much weight on one by chance."]
        return [f"What mattered, beyond chance: {', '.join(told)}."]

    def _ended(self) -> list[str]:
        told = {"pruned": "stopped early, being behind the median", "diverged": "diverged", "failed": "failed"}
        counts = {state: sum(trial.state == state for trial in self.trials) for state in told}
        ended = [f"{count} {told[state]}" for state, count in counts.items() if count]
        return [f"Of all trials, {', '.join(ended)}."] if ended else []


def _by_seed(runs: Sequence[Done], metric: str) -> dict[int, float]:
    return {run.seed: value for run in runs if (value := run.value(metric)) is not None}


def _value(trial: Tried) -> float:
    assert trial.value is not None
    return trial.value


def written(value: Any) -> str:
    """A value as `--set` takes it.

    >>> written([0.5, 0.9]), written(1e-05)
    ('[0.5, 0.9]', '1.0e-05')
    """
    return yaml.safe_dump(value, default_flow_style=True, width=float("inf")).removesuffix("\n").removesuffix("\n...")


def confirm(search: Search, data: DataSet, best: Tried, seeds: int, workers: Workers) -> tuple[Results, bool]:
    """The best settings and the recipe's own on seeds that the search did not use; also whether all was done."""
    own = cells({search.recipe: search.recipe}, fixed=search.fixed, medium=search.medium)
    name = f"{search.recipe}, trial {best.number}"
    found = cells({name: search.recipe}, fixed=[*search.fixed, *best.settings.items()], medium=search.medium)
    title = f"{search.recipe} as it is and with the settings of trial {best.number}"
    path = search.path / "confirm"
    return carry_out(Study(path, data, search.source, [*own, *found], seeds, title, first_seed=FRESH), workers)


def write(findings: Findings) -> None:
    """`table.csv`, a row a trial, and `summary.json`."""
    path = findings.search.path
    write_atomically(path / "table.csv", _table(findings).encode())
    best, confirmation = findings.best, findings.confirmation
    summary = {
        "recipe": findings.search.recipe,
        "data": findings.data.name,
        "ranked_by": findings.guide,
        "floor": findings.floor,
        "seeds": findings.search.seeds,
        "trials": len(findings.trials),
        "best": best and {"trial": best.number, "settings": best.settings, "value": best.value},
        "importance": findings.importance.shares or None,
        "importance_by_chance": findings.importance.chance or None,
        "confirmation": confirmation and {"cells": confirmation.rows(), "conclusions": confirmation.conclusions},
        "command": findings.command,
        "conclusions": findings.sentences(),
    }
    write_atomically(path / "summary.json", json.dumps(plain(summary), indent=1).encode())


def _table(findings: Findings) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    space = findings.search.space
    writer.writerow(["trial", "state", findings.guide, "snapshots", "rounds", "seconds", *space])
    for trial in findings.trials:
        settings = [written(trial.settings[key]) if key in trial.settings else "" for key in space]
        row = [trial.number, trial.state, trial.value, trial.snapshots, trial.rounds, trial.seconds]
        writer.writerow([*row, *settings])
    return text.getvalue()
