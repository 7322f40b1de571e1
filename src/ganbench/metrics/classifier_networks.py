"""The networks that read images, each with the last hidden layer that metrics use as features."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import TypeAlias, cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganbench.metrics.embedding import Pixels, in_batches
from ganbench.types import UsageError

WIDTH = 64
"""Features of the small network: its last hidden layer, after the ReLU."""

HALVING = (16, 32, 64, 64, 64, 64, 64)
"""Channels of the convolutions that are followed by a halving of the image, from the first; the last two see a grid
of 5 to 9 places a side."""

LAST = (96, 128)

_SMALLEST = 16  # what two valid 5 x 5 convolutions, each halved, leave anything of


class Small(nn.Module):
    """3 x 3 convolutions with ReLU, halved by maxima to 5 to 9 places a side; 2 x 2 means; 64 features; classes.

    About 180,000 parameters for 28 x 28 grey images. Batch norm follows each convolution while it is trained
    (`trained=False`) and is a part of the convolution afterwards.
    """

    name, rate, decay = "small", 5e-3, 1e-2

    def __init__(self, shape: tuple[int, int, int], classes: int, *, trained: bool = False) -> None:
        super().__init__()
        channels, height, width = shape
        halvings = min(max(0, round(math.log2(min(height, width) / 7))), len(HALVING))
        widths = (channels, *HALVING[:halvings], *LAST)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, bias=trained) for a, b in itertools.pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.Identity() if trained else nn.BatchNorm2d(w) for w in widths[1:])
        self.halvings = halvings
        self.hidden = nn.Linear(4 * widths[-1], WIDTH)
        self.classes = nn.Linear(WIDTH, classes)

    def features(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        x = x.contiguous(memory_format=torch.channels_last)
        for depth, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = F.relu(norm(convolution(x)))
            if depth < self.halvings:
                x = F.max_pool2d(x, 2)
        return F.relu(self.hidden(F.adaptive_avg_pool2d(x, 2).flatten(1)))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        return self.classes(self.features(x))

    def folded(self, shape: tuple[int, int, int]) -> Small:
        """The same function with each batch norm, its averages fixed, inside its convolution."""
        with torch.device("meta"):
            network = Small(shape, self.classes.out_features, trained=True)
        self.eval()
        pairs = zip(self.convolutions, self.norms, strict=True)
        fused = [fuse_conv_bn_eval(cast("nn.Conv2d", c), cast("nn.BatchNorm2d", n)) for c, n in pairs]
        network.convolutions = nn.ModuleList(fused)
        network.hidden, network.classes = self.hidden, self.classes
        return network


class LeNet(nn.Module):
    """The thesis's recogniser: 20 convolutions 5 x 5, halved; 50 of 5 x 5, halved; 500 features; classes.

    Convolutions are without padding, each is followed by ReLU and then by 2 x 2 maxima: of 20 x 20 pixels 2 x 2 places
    are left. It is trained by Adam, without decay.

    Raises UsageError for images of fewer than 16 pixels a side.
    """

    name, rate, decay = "lenet", 2e-3, 0.0

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        if min(height, width) < _SMALLEST:
            raise UsageError(
                f"the network lenet reads images of at least {_SMALLEST} x {_SMALLEST} pixels, and these are of "
                f"{width} x {height}; the network small reads them"
            )
        self.first = nn.Conv2d(channels, 20, 5)
        self.second = nn.Conv2d(20, 50, 5)
        places = [((side - 4) // 2 - 4) // 2 for side in (height, width)]
        self.hidden = nn.Linear(50 * math.prod(places), 500)
        self.classes = nn.Linear(500, classes)

    def features(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return F.relu(self.hidden(x.flatten(1)))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        return self.classes(self.features(x))

    def folded(self, shape: tuple[int, int, int]) -> LeNet:
        return self


Network: TypeAlias = Small | LeNet

_Maker: TypeAlias = Callable[[tuple[int, int, int], int], Network]

NETWORKS: dict[str, _Maker] = {"small": Small, "lenet": LeNet}
"""The networks by name, to be trained: made of (channels, height, width) and the number of classes."""

_READY: dict[str, _Maker] = {
    "small": partial(Small, trained=True),
    "lenet": LeNet,
}


def unfilled(name: str, shape: tuple[int, int, int], classes: int) -> Network:
    """A trained network without its weights; unlike a fresh one, it draws no numbers from torch's global stream."""
    with torch.device("meta"):
        return _READY[name](shape, classes)


def scale_features(network: Network, pixels: Pixels) -> None:
    """Divides the features by their root mean square over images; what is read stays the same."""
    (features,) = in_batches(lambda x: (network.features(x),), pixels, network)
    unit = max(float(np.sqrt(np.square(features, dtype=np.float64).mean())), 1e-12)
    for inward in network.hidden.parameters():
        inward.div_(unit)
    network.classes.weight.mul_(unit)
