"""What a recipe is: a complete set of choices, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, PositiveInt

from ganbench.averages import AVERAGES, AverageSetting
from ganbench.constraints import CONSTRAINTS, ConstraintSetting
from ganbench.networks import MLP, NETWORKS, WRAPPERS, NetworkSetting, WrapperSetting
from ganbench.objectives import OBJECTIVES, NonSaturating, ObjectiveSetting
from ganbench.optimizers import OPTIMIZERS, Adam, OptimizerSetting
from ganbench.priors import PRIORS, Noise, PriorSetting
from ganbench.schedules import CURVES, Constant, CurveSetting, Turns
from ganbench.settings import settings
from ganbench.terms import TERMS, TermSetting

KINDS: dict[str, dict[str, type]] = {
    "objective": OBJECTIVES,
    "network": NETWORKS,
    "optimizer": OPTIMIZERS,
    "rate, anneal": CURVES,
    "terms": TERMS,
    "constraints": CONSTRAINTS,
    "wrappers": WRAPPERS,
    "prior": PRIORS,
    "average": AVERAGES,
}
"""What may stand in each field that takes one of several kinds."""


@settings
class Player:
    """One of the two: its network, how it learns, what it pays beside the game, what holds its weights.

    `rate` multiplies the optimiser's learning rate along the training.
    """

    network: NetworkSetting = MLP()
    optimizer: OptimizerSetting = Adam()
    rate: CurveSetting = Constant()
    terms: Mapping[str, TermSetting] = Field(default_factory=dict)
    constraints: Mapping[str, ConstraintSetting] = Field(default_factory=dict)


@settings
class Recipe:
    """A complete set of choices.

    `wrappers` change what the critic sees, `average` is the generator's running average, from which
    things are then sampled.
    """

    objective: ObjectiveSetting = NonSaturating()
    critic: Player = Player()
    generator: Player = Player()
    wrappers: Mapping[str, WrapperSetting] = Field(default_factory=dict)
    turns: Turns = Turns()
    prior: PriorSetting = Noise()
    average: AverageSetting | None = None
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    rounds: PositiveInt = 4000
