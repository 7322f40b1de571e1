"""A style-based generator: a vector is mapped to styles, which say at every layer how strong each map is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from ganbench.networks.dcgan import base_of
from ganbench.networks.layers import Hidden, Width, initialise, product, products_of, weight_in
from ganbench.networks.players import Generator, latent_width, refuse_inside
from ganbench.settings import settings
from ganbench.types import Sizes, UsageError

GAIN = 2**0.5
"""Of the activations, so that rectified maps keep their mean square."""


@settings
class Style:
    """StyleGAN2's generator in little (arXiv:1912.04958, after arXiv:1812.04948).

    A mapping network of `depth` layers of `width` numbers makes w of the noise, which is brought to one length before.
    A learnt constant of the smallest maps passes `convolutions` 3 x 3 convolutions, and at each doubling of the sides
    as many; what each is given is modulated by a style, an affine function of w, and what it gives is brought to unit
    variance (demodulated). At each size a modulated 1 x 1 convolution makes an image, and the images' enlarged sum is
    what comes out. The maps of the largest size have `channels` channels, each halving doubles them, up to `most`. Left
    out are the paper's noise inputs (an image follows from its latent alone), its scaled learning rates (weights start
    as He et al. have them instead), style mixing and the filters of its resampling.
    """

    channels: Width = 16
    most: Width = 128
    convolutions: PositiveInt = 1
    width: Width = 128
    depth: PositiveInt = 4
    slope: PositiveFloat = 0.2

    def generator(self, sizes: Sizes) -> nn.Module:
        refuse_inside(sizes, "style")
        return Generator(Synthesis(latent_width(sizes), self, sizes.shape), sizes)

    def critic(self, sizes: Sizes) -> nn.Module:
        raise UsageError("critic.network: style is a generator; use residual, dcgan or mlp")


class Mapping(nn.Module):
    """From a vector, brought to the length of a standard normal one, to w."""

    def __init__(self, inputs: int, settings: Style) -> None:
        super().__init__()
        widths = [inputs, *[settings.width] * settings.depth]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))
        self.slope = settings.slope

    def forward(self, v: Float[Tensor, "batch vector"]) -> Float[Tensor, "batch latent"]:
        w = v * (v.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        for layer in self.layers:
            w = F.leaky_relu(layer(w), self.slope)
        return w


class Modulated(nn.Module):
    """A convolution of maps that a style scales: y_o = d_o sum_i W_oi * (s_i x_i), s = A w + b.

    With `demodulated` d_o = (sum over i and the kernel of (W_oi s_i)^2)^(-1/2), else 1. Scaling what goes in and what
    comes out is the paper's scaling of the weights, with one convolution for the whole batch.
    """

    def __init__(self, width: int, inputs: int, outputs: int, kernel: int, *, demodulated: bool) -> None:
        super().__init__()
        self.affine = nn.Linear(width, inputs)
        self.convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.demodulated = demodulated

    def forward(
        self, h: Float[Tensor, "batch inputs height width"], w: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, "batch outputs height width"]:
        style = self.affine(w)
        made = product(self.convolution, h * style.to(h.dtype)[:, :, None, None])
        if self.demodulated:
            power = weight_in(self.convolution, h.dtype).float().square().sum(dim=(2, 3))
            demodulation = (style.square() @ power.T + 1e-8).rsqrt()
            made = made * demodulation.to(h.dtype)[:, :, None, None]
        return made + self.bias.to(h.dtype)[:, None, None]


class Synthesis(Hidden):
    """From a vector to an image, by way of w."""

    def __init__(self, inputs: int, settings: Style, shape: tuple[int, ...]) -> None:
        super().__init__()
        halvings, (height, width) = base_of(shape)
        maps = [min(settings.channels << level, max(settings.most, settings.channels)) for level in range(halvings + 1)]
        maps.reverse()
        self.mapping = Mapping(inputs, settings)
        self.constant = nn.Parameter(torch.randn(maps[0], height, width))
        self.per_size, self.slope = settings.convolutions, settings.slope
        layers, images = [], []
        for a, b in zip([maps[0], *maps[:-1]], maps, strict=True):
            inputs_of = [a, *[b] * (settings.convolutions - 1)]
            layers += [Modulated(settings.width, c, b, 3, demodulated=True) for c in inputs_of]
            images.append(Modulated(settings.width, b, shape[0], 1, demodulated=False))
        self.layers = nn.ModuleList(layers)
        self.images = nn.ModuleList(images)
        self.hidden_width = 9 * min(maps)
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        initialise(self, "he")
        for module in self.modules():
            if isinstance(module, Modulated):
                module.affine.weight.mul_(0.5**0.5)  # no activation follows
                nn.init.ones_(module.affine.bias)
        for image in self.images:
            image.convolution.weight.mul_((2 * len(self.images)) ** -0.5)  # type: ignore[union-attr, operator]

    def hidden_products(self) -> list[nn.Module]:
        return [m for m in products_of(self.layers) if isinstance(m, nn.Conv2d)]

    def forward(self, v: Float[Tensor, "batch vector"]) -> Float[Tensor, "batch channels height width"]:
        return self.synthesised([self.mapping(v)] * len(self.layers))

    def synthesised(self, ws: Sequence[Float[Tensor, "batch latent"]]) -> Float[Tensor, "batch channels height width"]:
        """The images of one w for each layer; a size's image is made with that of its last layer."""
        h = self.constant.expand(ws[0].shape[0], -1, -1, -1).to(self.inner)
        image: Tensor | None = None
        for number, (layer, w) in enumerate(zip(self.layers, ws, strict=True)):
            size, place = divmod(number, self.per_size)
            if size and place == 0:
                h = F.interpolate(h, scale_factor=2.0, mode="nearest")
            h = F.leaky_relu(layer(h, w), self.slope) * GAIN
            if place == self.per_size - 1:
                made = self.images[size](h.to(w.dtype), w)
                image = made if image is None else made + F.interpolate(image, scale_factor=2.0, mode="bilinear")
        assert image is not None
        return image
