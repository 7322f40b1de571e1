"""Residual convolutional networks without normalisation, as either player."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import NonNegativeInt, PositiveFloat
from torch import Tensor, nn

from ganbench.networks.dcgan import base_of
from ganbench.networks.layers import FeatureBody, Hidden, Width, pass_through, product, products_of
from ganbench.networks.players import Critic, Generator, latent_width, refuse_inside, seen_shape
from ganbench.settings import settings
from ganbench.types import Sizes


@settings
class Residual:
    """Blocks x + f(x) at each of the sizes that halving an image gives, after arXiv:2501.05441 (R3GAN).

    A first convolution of stride 2 makes maps of half the image's sides with `channels` channels, and each further
    halving doubles them, up to `most` channels; at each size there are `blocks` blocks of two convolutions. There is no
    normalisation: the second convolution of a block starts at 0 and the first as He et al. have it times
    (blocks in all)^(-1/2), so that a deep network starts as a shallow one (Fixup, arXiv:1901.09321).
    """

    channels: Width = 32
    most: Width = 256
    blocks: NonNegativeInt = 1
    slope: PositiveFloat = 0.2

    def generator(self, sizes: Sizes) -> nn.Module:
        refuse_inside(sizes, "residual")
        return Generator(ResidualUp(latent_width(sizes), self, sizes.shape), sizes)

    def critic(self, sizes: Sizes) -> nn.Module:
        refuse_inside(sizes, "residual")
        return Critic(ResidualDown(self, seen_shape(sizes)), sizes)

    def widths(self, levels: int) -> list[int]:
        """Channels at each size, from the largest to the smallest."""
        return [min(self.channels << level, max(self.most, self.channels)) for level in range(levels)]


class Block(nn.Module):
    """x + W2 a(W1 a(x)), a the leaky ReLU."""

    def __init__(self, channels: int, slope: float) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, channels, 3, padding=1)
        self.two = nn.Conv2d(channels, channels, 3, padding=1)
        self.slope = slope

    def forward(self, h: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        inner = product(self.one, F.leaky_relu(h, self.slope))
        return h + product(self.two, F.leaky_relu(inner, self.slope))


class ResidualDown(FeatureBody):
    """From an image to features."""

    def __init__(self, settings: Residual, shape: tuple[int, ...]) -> None:
        super().__init__()
        levels, (height, width) = base_of(shape)
        maps = settings.widths(levels)
        self.first = nn.Conv2d(shape[0], maps[0], 4, stride=2, padding=1)
        rest: list[nn.Module] = [Block(maps[0], settings.slope) for _ in range(settings.blocks)]
        for a, b in itertools.pairwise(maps):
            rest += [nn.AvgPool2d(2), nn.Conv2d(a, b, 1)]
            rest += [Block(b, settings.slope) for _ in range(settings.blocks)]
        self.rest = nn.Sequential(*rest, nn.LeakyReLU(settings.slope), nn.Flatten())
        self.last = nn.Linear(maps[-1] * height * width, 1)
        self.hidden_width = 9 * min(maps)
        _initialise(self, settings.slope)

    def hidden_products(self) -> list[nn.Module]:
        return products_of(self.rest)

    def hidden(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch features"]:
        """What the last layer is given."""
        maps = self.first(x.contiguous(memory_format=torch.channels_last))
        return pass_through(self.rest, maps.to(self.inner)).to(x.dtype)


class ResidualUp(Hidden):
    """From a vector to an image."""

    def __init__(self, inputs: int, settings: Residual, shape: tuple[int, ...]) -> None:
        super().__init__()
        levels, (height, width) = base_of(shape)
        maps = settings.widths(levels)[::-1]
        self.dense = nn.Linear(inputs, maps[0] * height * width)
        self.base = (maps[0], height, width)
        rest: list[nn.Module] = [Block(maps[0], settings.slope) for _ in range(settings.blocks)]
        for a, b in itertools.pairwise(maps):
            rest += [nn.Conv2d(a, b, 1), nn.Upsample(scale_factor=2, mode="nearest")]
            rest += [Block(b, settings.slope) for _ in range(settings.blocks)]
        self.rest = nn.Sequential(*rest, nn.LeakyReLU(settings.slope))
        self.last = nn.ConvTranspose2d(maps[-1], shape[0], 4, stride=2, padding=1)
        self.hidden_width = 9 * min(maps)
        _initialise(self, settings.slope)

    def hidden_products(self) -> list[nn.Module]:
        return products_of(self.rest)

    def forward(self, v: Float[Tensor, "batch vector"]) -> Float[Tensor, "batch channels height width"]:
        maps = self.dense(v).view(-1, *self.base).to(self.inner)
        return self.last(pass_through(self.rest, maps.contiguous(memory_format=torch.channels_last)).to(v.dtype))


@torch.no_grad()
def _initialise(network: nn.Module, slope: float) -> None:
    blocks = [module for module in network.modules() if isinstance(module, Block)]
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=slope)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    for block in blocks:
        block.one.weight.mul_(len(blocks) ** -0.5)
        block.two.weight.zero_()
