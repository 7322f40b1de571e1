"""Multilayer perceptrons, as either player."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

import torch
from jaxtyping import Float
from pydantic import BeforeValidator, NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganbench.settings import settings
from ganbench.types import Latent, Verdict

Widths: TypeAlias = Annotated[
    tuple[PositiveInt, ...], BeforeValidator(lambda v: (v,) if isinstance(v, int) else v)
]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": lambda: nn.LeakyReLU(0.2),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
}
Activation: TypeAlias = Literal["relu", "leaky-relu", "elu", "gelu", "silu", "softplus", "tanh"]


@settings
class MLP:
    """Linear layers of the given hidden widths with an activation between them; the last layer is linear.

    The depth is the number of widths. Weights start at N(0, init^2) where `init` is given and as torch's default else
    (uniform, scaled by the fan in).
    """

    widths: Widths = (256, 256)
    activation: Activation = "relu"
    init: NonNegativeFloat | None = None

    def generator(self, latent: int, shape: tuple[int, ...]) -> nn.Module:
        return MLPGenerator(self._stack(latent, math.prod(shape)), shape)

    def critic(self, shape: tuple[int, ...]) -> nn.Module:
        return MLPCritic(self._stack(math.prod(shape), 1))

    def _stack(self, inputs: int, outputs: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for width in self.widths:
            layers += [nn.Linear(inputs, width), ACTIVATIONS[self.activation]()]
            inputs = width
        layers.append(nn.Linear(inputs, outputs))
        stack = nn.Sequential(*layers)
        if self.init is not None:
            for layer in stack:
                if isinstance(layer, nn.Linear):
                    nn.init.normal_(layer.weight, std=self.init)
                    nn.init.zeros_(layer.bias)
        return stack


class MLPGenerator(nn.Module):
    def __init__(self, stack: nn.Sequential, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.stack, self.shape = stack, shape

    def forward(self, latent: Latent) -> Float[Tensor, "batch ..."]:
        return self.stack(latent.z).view(-1, *self.shape)


class MLPCritic(nn.Module):
    def __init__(self, stack: nn.Sequential) -> None:
        super().__init__()
        self.stack = stack

    def forward(self, x: Float[Tensor, "batch ..."], y: Tensor | None = None) -> Verdict:
        return Verdict(self.stack(x.flatten(1)).squeeze(1))
