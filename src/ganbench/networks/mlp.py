"""Multilayer perceptrons, as either player."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from ganbench.settings import settings
from ganbench.types import Latent, Verdict

Width: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]
Widths: TypeAlias = Annotated[tuple[Width, ...], BeforeValidator(lambda v: (v,) if isinstance(v, int) else v)]

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
class Fourier:
    """Features x, sin(x B), cos(x B) of an input x, with a fixed random matrix B.

    B has `count` columns from N(0, s^2) for each scale s. The features let a network follow detail far finer than its
    weights reach alone. arXiv:2006.10739.
    """

    scales: tuple[PositiveFloat, ...] = (1.0, 4.0)
    count: PositiveInt = 16


@settings
class MLP:
    """Linear layers of the given hidden widths with an activation between them; the last layer is linear.

    The depth is the number of widths. `init` is torch's default (uniform, scaled by the fan in); `he` (weights
    N(0, 2 / fan in), the last layer's N(0, 1 / fan in), biases N(0, 1) in the first layer, so that its kinks are spread
    over the data, and 0 else); or the standard deviation of all weights.
    """

    widths: Widths = (256, 256)
    activation: Activation = "relu"
    features: Fourier | None = None
    init: Literal["default", "he"] | NonNegativeFloat = "default"

    def generator(self, latent: int, shape: tuple[int, ...]) -> nn.Module:
        return MLPGenerator(Stack(latent, self, math.prod(shape)), shape)

    def critic(self, shape: tuple[int, ...]) -> nn.Module:
        return MLPCritic(Stack(math.prod(shape), self, 1))


class FourierFeatures(nn.Module):
    """See Fourier."""

    frequencies: Tensor

    def __init__(self, inputs: int, settings: Fourier) -> None:
        super().__init__()
        parts = [torch.randn(inputs, settings.count) * scale for scale in settings.scales]
        self.register_buffer("frequencies", torch.cat(parts, dim=1))
        self.outputs = inputs + 2 * self.frequencies.shape[1]

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch outputs"]:
        angles = x @ self.frequencies
        return torch.cat((x, angles.sin(), angles.cos()), dim=1)


class Stack(nn.Module):
    """The layers of an MLP. The hidden products may be computed in bf16; the first and last layers are fp32.

    The first layer reads coordinates and the last writes them, so their precision is that of the result.
    """

    def __init__(self, inputs: int, settings: MLP, outputs: int) -> None:
        super().__init__()
        self.features = FourierFeatures(inputs, settings.features) if settings.features else None
        sizes = [self.features.outputs if self.features else inputs, *settings.widths, outputs]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.activation = ACTIVATIONS[settings.activation]()
        self.hidden_width = min(settings.widths, default=0)
        self.inner = torch.float32
        self._initialise(settings.init)

    @property
    def linears(self) -> list[nn.Linear]:
        return cast("list[nn.Linear]", list(self.layers))

    @torch.no_grad()
    def _initialise(self, init: str | float) -> None:
        if init == "default":
            return
        for layer in self.linears:
            nn.init.normal_(layer.weight, std=init if isinstance(init, float) else (2 / layer.in_features) ** 0.5)
            nn.init.zeros_(layer.bias)
        if init == "he":
            nn.init.normal_(self.linears[0].bias)
            self.linears[-1].weight.mul_(0.5**0.5)

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch outputs"]:
        h = self.features(x) if self.features else x
        *body, last = self.linears
        for depth, layer in enumerate(body):
            if depth == 1:
                h = h.to(self.inner)
            h = self.activation(F.linear(h, layer.weight.to(h.dtype), layer.bias.to(h.dtype)))
        return last(h.to(x.dtype))


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
