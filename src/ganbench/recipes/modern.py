"""Games with a proof of convergence, and the project's own choice."""

from __future__ import annotations

from ganbench.networks import MLP
from ganbench.objectives import Relativistic
from ganbench.optimizers import Adam
from ganbench.recipes.base import Player, Recipe
from ganbench.schedules import Cosine
from ganbench.terms import GradientPenalty


def r3gan() -> Recipe:
    """The relativistic game with R1 and R2 on every critic turn.

    Huang et al. 2024, arXiv:2501.05441: squared gradient norms at data and at fakes with gamma falling from 1 to 0.1
    (weights of half that), Adam with beta1 0, a running average of the generator, no normalisation.
    """
    anneal = Cosine(final=0.1)
    adam = Adam(lr=2e-4, betas=(0.0, 0.99))
    network = MLP(activation="leaky-relu")
    return Recipe(
        objective=Relativistic(),
        critic=Player(
            network=network,
            optimizer=adam,
            terms={
                "r1": GradientPenalty("real", target=0, weight=0.5, anneal=anneal),
                "r2": GradientPenalty("fake", target=0, weight=0.5, anneal=anneal),
            },
        ),
        generator=Player(network=network, optimizer=adam),
        average=0.999,
        rounds=4000,
    )
