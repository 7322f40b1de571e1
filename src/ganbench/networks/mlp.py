"""Multilayer perceptrons, as either player."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BeforeValidator, NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganbench.settings import settings
from ganbench.types import Latent, Verdict

Widths: TypeAlias = Annotated[tuple[PositiveInt, ...], BeforeValidator(lambda v: (v,) if isinstance(v, int) else v)]

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
        return MLPGenerator(Stack(latent, self, math.prod(shape)), shape)

    def critic(self, shape: tuple[int, ...]) -> nn.Module:
        return MLPCritic(Stack(math.prod(shape), self, 1))


class Stack(nn.Module):
    """The layers of an MLP. The hidden products may be computed in bf16; the first and last layers are fp32.

    The first layer reads coordinates and the last writes them, so their precision is that of the result.
    """

    def __init__(self, inputs: int, settings: MLP, outputs: int) -> None:
        super().__init__()
        sizes = [inputs, *settings.widths, outputs]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.activation = ACTIVATIONS[settings.activation]()
        self.inner = torch.float32
        if settings.init is not None:
            for layer in self.layers:
                nn.init.normal_(layer.weight, std=settings.init)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch outputs"]:
        if len(self.layers) == 1:
            return self.layers[0](x)
        first, *hidden, last = self.layers
        h = self.activation(first(x))
        if hidden:
            h = h.to(self.inner)
            for layer in hidden:
                h = self.activation(F.linear(h, layer.weight.to(h.dtype), layer.bias.to(h.dtype)))
            h = h.to(x.dtype)
        return last(h)


class MLPGenerator(nn.Module):
    def __init__(self, stack: Stack, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.stack, self.shape = stack, shape

    def forward(self, latent: Latent) -> Float[Tensor, "batch ..."]:
        return self.stack(latent.z).view(-1, *self.shape)


class MLPCritic(nn.Module):
    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.stack = stack

    def forward(self, x: Float[Tensor, "batch ..."], y: Tensor | None = None) -> Verdict:
        return Verdict(self.stack(x.flatten(1)).squeeze(1))
