"""What a recipe is: a complete set of choices, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from ganbench.averages import AVERAGES, AverageSetting
from ganbench.constraints import CONSTRAINTS, ConstraintSetting
from ganbench.networks import DCGAN, MLP, NETWORKS, WRAPPERS, Network, NetworkSetting, WrapperSetting
from ganbench.objectives import OBJECTIVES, NonSaturating, ObjectiveSetting
from ganbench.optimizers import OPTIMIZERS, Adam, OptimizerSetting
from ganbench.priors import PRIORS, Noise, PriorSetting
from ganbench.schedules import CURVES, Constant, CurveSetting, Turns
from ganbench.settings import settings
from ganbench.terms import TERMS, TermSetting
from ganbench.types import LabelUse, Medium

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

    `labels` says how its network uses the data's labels, `rate` multiplies the optimiser's learning rate along the
    training.
    """

    network: NetworkSetting = MLP()
    labels: LabelUse = "none"
    optimizer: OptimizerSetting = Adam()
    rate: CurveSetting = Constant()
    terms: Mapping[str, TermSetting] = Field(default_factory=dict)
    constraints: Mapping[str, ConstraintSetting] = Field(default_factory=dict)


@settings
class Recipe:
    """A complete set of choices.

    `wrappers` change what the critic sees, `average` is the generator's running average, from which
    things are then sampled. `unlabelled` data are refused where a player uses labels, or allowed: players then do
    without. With `clusters` the labels are so many clusters of the images themselves, whatever labels they have.
    """

    objective: ObjectiveSetting = NonSaturating()
    critic: Player = Player()
    generator: Player = Player()
    wrappers: Mapping[str, WrapperSetting] = Field(default_factory=dict)
    turns: Turns = Turns()
    prior: PriorSetting = Noise()
    average: AverageSetting | None = None
    unlabelled: Literal["refused", "allowed"] = "refused"
    clusters: Annotated[int, Field(ge=2, le=512)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    rounds: PositiveInt = 4000


CRITICS: dict[Medium, Network] = {
    "points": MLP(activation="leaky-relu"),
    "images": DCGAN(dense=1024, activation="leaky-relu"),
}
GENERATORS: dict[Medium, Network] = {"points": MLP(), "images": DCGAN(dense=1024)}
"""The networks of recipes that ask for no others. Those for images are the pair that the MNIST text uses."""

NOISE: dict[Medium, Noise] = {"points": Noise(), "images": Noise(dimension=64)}
BATCH: dict[Medium, int] = {"points": 256, "images": 64}


def game(medium: Medium, *, critic: dict[str, Any], generator: dict[str, Any], **settings: Any) -> Recipe:
    """A recipe with the medium's networks, noise and batch size, unless the settings say otherwise."""
    common: dict[str, Any] = {"prior": NOISE[medium], "batch_size": BATCH[medium]}
    return Recipe(
        critic=Player(**{"network": CRITICS[medium], **critic}),
        generator=Player(**{"network": GENERATORS[medium], **generator}),
        **common | settings,
    )
