"""Features for images without labels: fixed random convolutions at several scales.

Random filters see edges, strokes and textures without having been taught any; distances over them order generators
by much the same things as distances over trained ones do, with less regard for what an image shows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganbench.metrics.embedding import Embedded, Pixels, in_batches

CHANNELS = 16
LARGEST, SMALLEST = 64, 6
"""The side of the largest and the smallest scale, in pixels."""

GRID = 2
"""Each channel gives its mean in GRID x GRID parts of the image."""


class RandomConv:
    """Random features, always the same for images of one shape.

    The image, brought to at most 64 pixels a side, is halved by means while its side is 6 or more. At each scale two
    layers of 16 filters (5 x 5, then 3 x 3; weights N(0, 2 / fan in), the first's with mean 0 over a filter, so that
    they see contrast) with ReLU, and of each channel the mean in the four quarters: 64 features a scale, 192 for
    28 x 28 images. Filters differ between scales and come from one fixed seed.
    """

    name, slow = "random-conv", False

    def __call__(self, pixels: Pixels) -> Embedded:
        channels = 3 if pixels.ndim == 4 else 1
        rng = torch.Generator().manual_seed(0)
        scales = [_filters(channels, rng) for _ in range(_scales(pixels.shape[1:3]))]
        (features,) = in_batches(lambda x: (_features(x, scales),), pixels)
        return Embedded(features)


def _scales(sides: tuple[int, ...]) -> int:
    side, scales = min(LARGEST, *sides), 1
    while side // 2 >= SMALLEST:
        side, scales = side // 2, scales + 1
    return scales


def _filters(channels: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    first = torch.randn(CHANNELS, channels, 5, 5, generator=rng) * (2 / (25 * channels)) ** 0.5
    second = torch.randn(CHANNELS, CHANNELS, 3, 3, generator=rng) * (2 / (9 * CHANNELS)) ** 0.5
    return first - first.mean(dim=(1, 2, 3), keepdim=True), second


def _features(x: Float[Tensor, "n c h w"], scales: list[tuple[Tensor, Tensor]]) -> Float[Tensor, "n f"]:
    if max(x.shape[2:]) > LARGEST:
        x = F.interpolate(x, (LARGEST, LARGEST), mode="bilinear", antialias=True)
    parts = []
    for depth, filters in enumerate(scales):
        first, second = (each.to(x.device) for each in filters)
        if depth:
            x = F.avg_pool2d(x, 2)
        seen = F.relu(F.conv2d(F.relu(F.conv2d(x, first, padding=2)), second, padding=1))
        parts.append(F.adaptive_avg_pool2d(seen, GRID).flatten(1))
    return torch.cat(parts, dim=1)
