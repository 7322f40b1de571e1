"""Generators of few convolutions behind fully connected layers."""

from __future__ import annotations

import itertools

from jaxtyping import Float
from torch import Tensor, nn

from ganbench.networks.layers import ACTIVATIONS, Activation, Hidden, Width, pass_through, products_of
from ganbench.networks.mlp import Widths
from ganbench.networks.players import Generator, latent_width, refuse_inside
from ganbench.settings import settings
from ganbench.types import Sizes, UsageError

KERNEL = 5
SLOPE = 0.2


@settings
class MLPConv:
    """An MLP that makes maps, and convolutions that make an image of them: a generator without norms.

    Fully connected layers of the `widths` with the `activation`, then one to `maps` maps (null: as many as the image
    has channels), whose sides are the image's, halved once for each of the `transposed` convolutions. These have so
    many channels each, stride 2 and tanh; a convolution of stride 1 makes the image. What that is given has passed
    through tanh, also where there are no transposed ones. All kernels are 5 x 5. With none and with two of them these
    are the endings that the 2017 thesis gave the generator of its MLP WGAN (arXiv:1701.07875).
    """

    widths: Widths = (1024,)
    activation: Activation = "relu"
    maps: Width | None = None
    transposed: tuple[Width, ...] = ()

    def generator(self, sizes: Sizes) -> nn.Module:
        refuse_inside(sizes, "mlp-conv")
        return Generator(Convolved(latent_width(sizes), self, sizes.shape), sizes)

    def critic(self, sizes: Sizes) -> nn.Module:
        raise UsageError("critic.network: mlp-conv is a generator; use mlp, dcgan or residual")


class Convolved(Hidden):
    """From a vector to an image."""

    def __init__(self, inputs: int, settings: MLPConv, shape: tuple[int, ...]) -> None:
        super().__init__()
        base = _base(shape, len(settings.transposed))
        maps = [settings.maps or shape[0], *settings.transposed]
        widths = [inputs, *settings.widths, maps[0] * base[0] * base[1]]
        self.first = nn.Linear(widths[0], widths[1])
        rest: list[nn.Module] = []
        for a, b in itertools.pairwise(widths[1:]):
            rest += [ACTIVATIONS[settings.activation](SLOPE), nn.Linear(a, b)]
        rest.append(nn.Unflatten(1, (maps[0], *base)))
        for a, b in itertools.pairwise(maps):
            rest += [nn.ConvTranspose2d(a, b, KERNEL, stride=2, padding=KERNEL // 2, output_padding=1), nn.Tanh()]
        self.rest = nn.Sequential(*rest, *([] if settings.transposed else [nn.Tanh()]))
        self.last = nn.Conv2d(maps[-1], shape[0], KERNEL, padding=KERNEL // 2)
        # A number that a transposed convolution of stride 2 makes sees a quarter of the kernel.
        self.hidden_width = min([*widths[1:-1], *(a * KERNEL**2 // 4 for a in maps[:-1])], default=0)

    def hidden_products(self) -> list[nn.Module]:
        return products_of(self.rest)

    def forward(self, v: Float[Tensor, "batch vector"]) -> Float[Tensor, "batch channels height width"]:
        return self.last(pass_through(self.rest, self.first(v).to(self.inner)).to(v.dtype))


def _base(shape: tuple[int, ...], halvings: int) -> tuple[int, int]:
    """The sides of an image that is halved so often. Raises UsageError where these are no images, or not even."""
    if len(shape) != 3:
        raise UsageError(f"convolutions need images; a thing of these data has the shape {shape}: use the mlp")
    height, width = shape[1:]
    factor = 2**halvings
    if height % factor or width % factor:
        raise UsageError(
            f"images of {width} x {height} cannot be halved {halvings} times, as the generator's transposed "
            "convolutions need; choose another size, such as --set images.size=64"
        )
    return height // factor, width // factor
