"""Where a generator's noise and codes come from."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, TypeAlias

import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeInt
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
    code_width: ClassVar[int] = 0

    def for_shape(self, shape: tuple[int, ...]) -> Noise:
        return self if self.dimension else replace(self, dimension=max(2, math.prod(shape)))

    def draw(self, labels: Tensor | None, count: int, rng: torch.Generator) -> Latent:
        shape = (count, self.dimension)
        if self.distribution == "uniform":
            z = torch.rand(shape, generator=rng, device=rng.device) * (self.high - self.low) + self.low
        else:
            z = torch.randn(shape, generator=rng, device=rng.device)
        if self.distribution == "sphere":
            z = F.normalize(z, dim=1) * self.dimension**0.5
        return Latent(z, labels)


@settings
class Coded:
    """Noise and a code to be recovered from the thing: a one-hot choice and numbers uniform on [-1, 1).
    arXiv:1606.03657.

    The code of a thing is the choice of one of `categories`, then `continuous` numbers.
    """

    noise: Noise = Noise(dimension=62)
    categories: NonNegativeInt = 10
    continuous: NonNegativeInt = 2

    @property
    def dimension(self) -> int:
        return self.noise.dimension

    @property
    def code_width(self) -> int:
        return self.categories + self.continuous

    def for_shape(self, shape: tuple[int, ...]) -> Coded:
        return replace(self, noise=self.noise.for_shape(shape))

    def draw(self, labels: Tensor | None, count: int, rng: torch.Generator) -> Latent:
        z = self.noise.draw(labels, count, rng).z
        code = torch.rand(count, self.code_width, generator=rng, device=rng.device) * 2 - 1
        if self.categories:
            choice = torch.randint(self.categories, (count,), generator=rng, device=rng.device)
            code[:, : self.categories] = F.one_hot(choice, self.categories).float()
        return Latent(z, labels, code, self.categories)


PRIORS: dict[str, type] = {"noise": Noise, "coded": Coded}
PriorSetting: TypeAlias = Annotated[Prior, OneOf(PRIORS, Prior)]
