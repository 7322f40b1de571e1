"""When a training has left the finite numbers, and why it probably did."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ganbench.objectives import EstimatesDistance
from ganbench.recipes.base import Player, Recipe
from ganbench.state import State

HIGH_RATE = 0.01
"""Adaptive optimisers move each weight by about the learning rate a step; weights are of the order 0.1."""


def why_diverged(state: State, recipe: Recipe, losses: Mapping[str, float]) -> str:
    """A sentence on what is no longer finite and the likely cause, or nothing where all is finite."""
    lost = [f"the loss {name!r}" for name, value in losses.items() if not math.isfinite(value)]
    learners = {"critic": state.critic, "generator": state.generator}
    lost += [f"the {name}'s weights" for name, each in learners.items() if not each.vector.sum().isfinite()]
    if not lost:
        return ""
    return f"{' and '.join(lost)} became infinite or undefined by round {state.round}; {_likely_cause(recipe)}"


def _likely_cause(recipe: Recipe) -> str:
    for name in ("critic", "generator"):
        player: Player = getattr(recipe, name)
        if player.optimizer.lr > HIGH_RATE:
            return f"likely {name}.optimizer.lr = {player.optimizer.lr:g} is too high: try a tenth of it"
        for term, settings in player.terms.items():
            if settings.weight * player.optimizer.lr > HIGH_RATE:
                return f"likely {name}.terms.{term}.weight = {settings.weight:g} is too high for the learning rate"
    unbounded = isinstance(recipe.objective, EstimatesDistance) and not (
        recipe.critic.constraints or recipe.critic.terms
    )
    if unbounded:
        return "nothing bounds the critic's slope: the Wasserstein game needs a clip or a gradient penalty"
    return "a lower learning rate of either player, or a gradient penalty on the critic, usually helps"
