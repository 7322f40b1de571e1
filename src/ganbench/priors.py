"""Where a generator's noise comes from."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor

from ganbench.settings import OneOf, settings
from ganbench.types import Latent, Prior


@settings
class Noise:
    """Noise that is standard normal, uniform on [low, high), or uniform on the sphere of radius sqrt(dimension).

    With dimension 0 there are as many as a thing of the data has numbers, and at least 2.
    """

    dimension: Annotated[int, Field(ge=0, le=65_536)] = 5
    distribution: Literal["normal", "uniform", "sphere"] = "normal"
    low: float = -1.0
    high: float = 1.0

    def for_shape(self, shape: tuple[int, ...]) -> Noise:
        return self if self.dimension else replace(self, dimension=max(2, math.prod(shape)))

    def draw(self, labels: Tensor | None, count: int, rng: torch.Generator) -> Latent:
        shape = (count, self.dimension)
        if self.distribution == "uniform":
            z = torch.rand(shape, generator=rng, device=rng.device) * (self.high - self.low) + self.low
        else:
            z = torch.randn(shape, generator=rng, device=rng.device)
        if self.distribution == "sphere":
            z = torch.nn.functional.normalize(z, dim=1) * self.dimension**0.5
        return Latent(z, labels)


PRIORS: dict[str, type] = {"noise": Noise}
PriorSetting: TypeAlias = Annotated[Prior, OneOf(PRIORS, Prior)]
