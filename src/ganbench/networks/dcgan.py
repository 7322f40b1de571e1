"""Convolutional networks that halve or double an image's sides, as either player."""

from __future__ import annotations

import itertools
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganbench.networks.layers import (
    ACTIVATIONS,
    Activation,
    FeatureBody,
    Hidden,
    Init,
    Norm,
    Width,
    initialise,
    norm_of_maps,
    norm_of_vectors,
    pass_through,
    products_of,
    with_label,
)
from ganbench.networks.players import Critic, Generator, inner_width, latent_width, seen_shape
from ganbench.settings import settings
from ganbench.types import Sizes, UsageError

SMALLEST = 4
"""Sides are halved while both are even and the halves are at least so long."""


@settings
class DCGAN:
    """Convolutions of stride 2 down to a small base, and transposed ones back up from it. arXiv:1511.06434.

    The maps next to the image have `channels` channels, and each halving doubles them: an image of 64 x 64 has a base
    of 4 x 4 with 512, one of 28 x 28 a base of 7 x 7 with 128. `dense` is the width of a fully connected layer between
    the base and the vector at the other end (the pair of InfoGAN, arXiv:1606.03657, which the MNIST text uses); null
    leaves it out. `norm` follows all layers but the critic's first and the last ones, or of these the fully connected
    ones (`dense`), the convolutions (`maps`) or the convolutions but the critic's last (`inner`) alone, as `normed`
    says. `halvings` says how often sides are halved, where that should not be as often as they can. With `smoothing`
    the generator's last transposed convolution gives so many maps, squashed by tanh, and a 5 x 5 convolution of stride
    1 makes the image of them. `init` as in the MLP.
    """

    channels: Width = 64
    halvings: PositiveInt | None = None
    dense: Width | None = None
    kernel: Literal[4, 5] = 4
    activation: Activation = "relu"
    slope: NonNegativeFloat = 0.2
    norm: Norm = "batch"
    normed: Literal["all", "dense", "maps", "inner"] = "all"
    smoothing: PositiveInt | None = None
    init: Init = 0.02

    def generator(self, sizes: Sizes) -> nn.Module:
        return Generator(Upward(latent_width(sizes), self, sizes.shape, inner_width(sizes)), sizes)

    def critic(self, sizes: Sizes) -> nn.Module:
        if self.smoothing:
            raise UsageError("critic.network.smoothing: a generator's images are smoothed; leave it null in the critic")
        return Critic(Downward(self, seen_shape(sizes), inner_width(sizes)), sizes)

    @property
    def norm_of_dense(self) -> Norm:
        return "none" if self.normed in ("maps", "inner") else self.norm

    @property
    def norm_of_maps(self) -> Norm:
        return "none" if self.normed == "dense" else self.norm


def base_of(shape: tuple[int, ...], asked: int | None = None) -> tuple[int, tuple[int, int]]:
    """How often an image of (channels, height, width) is halved, and the base that is left.

    >>> base_of((1, 28, 28)), base_of((3, 64, 64)), base_of((1, 28, 28), asked=1)
    ((2, (7, 7)), (4, (4, 4)), (1, (14, 14)))

    Raises:
        UsageError: these are no images, or their sides cannot be halved.
    """
    if len(shape) != 3:
        raise UsageError(f"convolutions need images; a thing of these data has the shape {shape}: use the mlp")
    height, width = shape[1:]
    count = 0
    while height % 2 == width % 2 == 0 and min(height, width) >= 2 * SMALLEST and count != asked:
        height, width, count = height // 2, width // 2, count + 1
    if count == 0:
        raise UsageError(
            f"images of {shape[2]} x {shape[1]} cannot be halved, as convolutions need; "
            "choose another size, such as --set images.size=32"
        )
    if asked is not None and count < asked:
        raise UsageError(
            f"images of {shape[2]} x {shape[1]} cannot be halved {asked} times, but {count} times at most; "
            "choose so many `halvings` in both networks, or another size, such as --set images.size=64"
        )
    return count, (height, width)


class Downward(FeatureBody):
    """From an image to features: convolutions, then a fully connected layer where there is one.

    A label of the width `label` goes beside the input of each fully connected layer.
    """

    def __init__(self, settings: DCGAN, shape: tuple[int, ...], label: int = 0) -> None:
        super().__init__()
        levels, (height, width) = base_of(shape, settings.halvings)
        maps = [settings.channels << level for level in range(levels)]

        def act() -> nn.Module:
            return ACTIVATIONS[settings.activation](settings.slope)

        def convolution(a: int, b: int) -> nn.Conv2d:
            return nn.Conv2d(a, b, settings.kernel, stride=2, padding=(settings.kernel - 1) // 2)

        self.first = nn.Sequential(convolution(shape[0], maps[0]), act())
        rest: list[nn.Module] = []
        for a, b in itertools.pairwise(maps):
            norm = "none" if settings.normed == "inner" and b == maps[-1] else settings.norm_of_maps
            rest += [convolution(a, b), *norm_of_maps(norm, b), act()]
        rest.append(nn.Flatten())
        features = maps[-1] * height * width
        if settings.dense:
            rest.append(nn.Linear(features + label, settings.dense))
            rest += [*norm_of_vectors(settings.norm_of_dense, settings.dense), act()]
            features = settings.dense
        self.rest = nn.Sequential(*rest)
        self.last = nn.Linear(features + label, 1)
        self.hidden_width = settings.channels * settings.kernel**2
        initialise(self, settings.init)

    def hidden_products(self) -> list[nn.Module]:
        return products_of(self.rest)

    def hidden(
        self, x: Float[Tensor, "batch channels height width"], label: Float[Tensor, "batch classes"] | None = None
    ) -> Float[Tensor, "batch features"]:
        """What the last layer is given."""
        maps = self.first(x.contiguous(memory_format=torch.channels_last))
        return with_label(pass_through(self.rest, maps.to(self.inner), label).to(x.dtype), label)


class Upward(Hidden):
    """From a vector to an image: fully connected layers to the base, then transposed convolutions.

    A label of the width `label` goes beside the input of each fully connected layer.
    """

    def __init__(self, inputs: int, settings: DCGAN, shape: tuple[int, ...], label: int = 0) -> None:
        super().__init__()
        levels, (height, width) = base_of(shape, settings.halvings)
        maps = [settings.channels << level for level in reversed(range(levels))]

        def act() -> nn.Module:
            return ACTIVATIONS[settings.activation](settings.slope)

        def convolution(a: int, b: int) -> nn.ConvTranspose2d:
            odd = settings.kernel % 2
            return nn.ConvTranspose2d(a, b, settings.kernel, 2, (settings.kernel - 1) // 2, output_padding=odd)

        dense: list[nn.Module] = []
        if settings.dense:
            dense.append(nn.Linear(inputs + label, settings.dense))
            dense += [*norm_of_vectors(settings.norm_of_dense, settings.dense), act()]
        base = maps[0] * height * width
        dense.append(nn.Linear((settings.dense or inputs) + label, base))
        # InfoGAN's pair has a mean for each number of the base, DCGAN one for each of its maps.
        dense += norm_of_vectors(settings.norm_of_dense, base) if settings.dense else []
        dense.append(nn.Unflatten(1, (maps[0], height, width)))
        dense += [] if settings.dense else norm_of_maps(settings.norm_of_dense, maps[0])
        self.dense = nn.Sequential(*dense, act())
        rest: list[nn.Module] = []
        for a, b in itertools.pairwise(maps):
            rest += [convolution(a, b), *norm_of_maps(settings.norm_of_maps, b), act()]
        last: nn.Module
        if settings.smoothing:
            rest += [convolution(maps[-1], settings.smoothing), nn.Tanh()]
            last = nn.Conv2d(settings.smoothing, shape[0], 5, padding=2)
        else:
            last = convolution(maps[-1], shape[0])
        self.rest = nn.Sequential(*rest)
        self.last = last
        self.hidden_width = settings.channels * settings.kernel**2
        initialise(self, settings.init)

    def hidden_products(self) -> list[nn.Module]:
        return products_of(self.dense, self.rest)

    def forward(
        self, v: Float[Tensor, "batch vector"], label: Float[Tensor, "batch classes"] | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        maps = pass_through(self.dense, v.to(self.inner), label).contiguous(memory_format=torch.channels_last)
        return self.last(pass_through(self.rest, maps).to(v.dtype))
