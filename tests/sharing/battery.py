"""Trains small forms of all recipes on the processes that torchrun started; the first writes what became of them.

Run as `torchrun --nproc-per-node 2 -m tests.sharing.battery OUT`, or alone.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ganbench import sharing
from ganbench.data.batches import Batches
from ganbench.optimizers import Sgd
from ganbench.recipes import Recipe
from ganbench.recipes.base import Player
from ganbench.state import State
from ganbench.training import Span, train
from ganbench.types import Medium
from tests.laws.test_laws import CASES, begin

ROUNDS = 3
SMOOTH = {"init": "default", "activation": "gelu"}

Results = dict[str, dict[str, torch.Tensor]]


def plain(recipe: Recipe) -> Recipe:
    """Both players go down their gradients, which change no more than their weights do.

    An Adam's first steps have the size of no gradient, but its sign. Where narrow layers start small, norms divide by
    next to nothing, so that what was rounded comes back a thousand times as large; where an activation has a kink, it
    can decide on which side a number is.
    """
    players = {side: _plain(getattr(recipe, side)) for side in ("critic", "generator")}
    return replace(recipe, **players)


def _plain(player: Player) -> Player:
    smooth = {name: value for name, value in SMOOTH.items() if hasattr(player.network, name)}
    network: Any = replace(player.network, **smooth)  # type: ignore[type-var]
    return replace(player, network=network, optimizer=Sgd(lr=1e-3))


def started(name: str, medium: Medium, pieces: int = 1) -> tuple[State, Recipe, Batches]:
    """A recipe's small form at its start."""
    _, recipe, batches = begin(name, medium)
    recipe = plain(recipe)
    state = State(recipe, batches[0].x.shape[1:], classes=0 if medium == "points" else 3, seed=0, pieces=pieces)
    return state, recipe, batches


def results(pieces: int = 1, skip: tuple[str, ...] = ()) -> Results:
    """The losses of each recipe, and its state at the start and after the last round."""
    torch.set_num_threads(1)
    found: Results = {}
    for name, medium in CASES:
        if name in skip:
            continue
        state, recipe, batches = started(name, medium, pieces)
        start = {f"start.{key}": value.clone() for key, value in state.tensors().items()}
        losses: dict[str, torch.Tensor] = {}
        for report in train(state, recipe, batches, Span(rounds=ROUNDS)):
            losses |= {f"loss.{report.round}.{key}": value for key, value in report.losses.items()}
        found[f"{name} on {medium}"] = start | losses | state.tensors()
    return found


if __name__ == "__main__":
    with sharing.joined():
        made = results()
        if sharing.rank() == 0:
            torch.save(made, Path(sys.argv[1]))
