"""Where a generator's noise comes from."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import PositiveInt
from torch import Tensor

from ganbench.settings import OneOf, settings
from ganbench.types import Latent, Prior


@settings
class Noise:
    """Noise that is standard normal, uniform on [low, high), or uniform on the sphere of radius sqrt(dimension)."""

    dimension: PositiveInt = 5
    distribution: Literal["normal", "uniform", "sphere"] = "normal"
    low: float = -1.0
    high: float = 1.0

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
