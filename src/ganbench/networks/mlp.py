"""Multilayer perceptrons, as either player."""

from __future__ import annotations

import itertools
import math
from typing import Annotated, TypeAlias, cast

import torch
from jaxtyping import Float
from pydantic import BeforeValidator, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from ganbench.networks.layers import (
    ACTIVATIONS,
    Activation,
    FeatureBody,
    Init,
    Norm,
    Width,
    initialise,
    norm_of_vectors,
    product,
    with_label,
)
from ganbench.networks.players import Critic, Generator, inner_width, latent_width, seen_shape
from ganbench.settings import settings
from ganbench.types import Sizes

Widths: TypeAlias = Annotated[tuple[Width, ...], BeforeValidator(lambda v: (v,) if isinstance(v, int) else v)]


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

    The depth is the number of widths, `slope` that of a leaky ReLU below 0, `norm` follows all hidden layers but the
    first. `init` is torch's default (uniform, scaled by the fan in); `he` (weights N(0, 2 / fan in), the last layer's
    N(0, 1 / fan in), biases N(0, 1) in the first layer, so that its kinks are spread over the data, and 0 else); or the
    standard deviation of all weights.
    """

    widths: Widths = (256, 256)
    activation: Activation = "relu"
    slope: NonNegativeFloat = 0.2
    norm: Norm = "none"
    features: Fourier | None = None
    init: Init = "default"

    def generator(self, sizes: Sizes) -> nn.Module:
        return Generator(Stack(latent_width(sizes), self, math.prod(sizes.shape), inner_width(sizes)), sizes)

    def critic(self, sizes: Sizes) -> nn.Module:
        return Critic(Stack(math.prod(seen_shape(sizes)), self, 1, inner_width(sizes)), sizes)


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


class Stack(FeatureBody):
    """The layers of an MLP, with a label of the width `label` beside the input of each."""

    def __init__(self, inputs: int, settings: MLP, outputs: int, label: int = 0) -> None:
        super().__init__()
        self.features = FourierFeatures(inputs, settings.features) if settings.features else None
        sizes = [self.features.outputs if self.features else inputs, *settings.widths, outputs]
        self.layers = nn.ModuleList(nn.Linear(a + label, b) for a, b in itertools.pairwise(sizes))
        self.norms = nn.ModuleList(nn.Sequential(*norm_of_vectors(settings.norm, w)) for w in settings.widths[1:])
        self.activation = ACTIVATIONS[settings.activation](settings.slope)
        self.hidden_width = min(settings.widths, default=0)
        self._initialise(settings.init)

    @property
    def linears(self) -> list[nn.Linear]:
        return cast("list[nn.Linear]", list(self.layers))

    @property
    def last(self) -> nn.Linear:  # type: ignore[override]
        return self.linears[-1]

    def hidden_products(self) -> list[nn.Module]:
        return list(self.linears[1:-1])

    @torch.no_grad()
    def _initialise(self, init: Init) -> None:
        initialise(self, init)
        if init == "he":
            nn.init.normal_(self.linears[0].bias)
            self.last.weight.mul_(0.5**0.5)

    def hidden(
        self, x: Float[Tensor, "batch ..."], label: Float[Tensor, "batch classes"] | None = None
    ) -> Float[Tensor, "batch features"]:
        """What the last layer is given."""
        x = x.flatten(1)
        h = self.features(x) if self.features else x
        for depth, layer in enumerate(self.linears[:-1]):
            if depth == 1:
                h = h.to(self.inner)
            h = product(layer, with_label(h, label))
            h = self.activation(self.norms[depth - 1](h) if depth else h)
        return with_label(h.to(x.dtype), label)

    def forward(
        self, x: Float[Tensor, "batch inputs"], label: Float[Tensor, "batch classes"] | None = None
    ) -> Float[Tensor, "batch outputs"]:
        return self.last(self.hidden(x, label))
