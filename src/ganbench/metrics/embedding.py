"""What image metrics are computed over: images as rows of numbers, by a network that is always named beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

Pixels: TypeAlias = UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]

PLACES = 200_000
"""Places of images that go through a network at once: few enough for the activations to stay near the processor."""


class Embedded(NamedTuple):
    """Images as a network sees them: features, and of a classifier the class that it reads with its probability."""

    features: Float[np.ndarray, "n f"]
    labels: Int[np.ndarray, "n"] | None = None
    confidence: Float[np.ndarray, "n"] | None = None


class Features(Protocol):
    """A fixed map from images to features. `name`, such as `mnist-cnn`, stands beside the figures that rest on it.

    Where it is `slow` only the images that are compared are looked at.
    """

    @property
    def name(self) -> str: ...
    @property
    def slow(self) -> bool: ...
    def __hash__(self) -> int: ...
    def __call__(self, pixels: Pixels) -> Embedded: ...


def scaled(pixels: Pixels) -> Float[Tensor, "n c h w"]:
    """Pixels with channels first, from [0, 255] to [-1, 1]."""
    x = torch.from_numpy(np.array(pixels, order="C"))
    first = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
    return first.float() / 127.5 - 1


def in_batches(
    function: Callable[[Tensor], tuple[Tensor, ...]],
    pixels: Pixels,
    network: nn.Module | None = None,
    at_once: int | None = None,
) -> tuple[np.ndarray, ...]:
    """The outputs of a function of scaled images, each over all images; nothing of it is recorded for gradients.

    Images go through it `at_once`, or as many as have PLACES together.
    Where this process uses a GPU already it is computed there, in fp32's full precision; a `network` in it goes there
    meanwhile.
    """
    _, height, width = pixels.shape[:3]
    batch = at_once or max(1, PLACES // (height * width))
    device = torch.device("cuda" if torch.cuda.is_initialized() else "cpu")
    with _on(device, network), torch.inference_mode():
        parts = [function(scaled(pixels[start : start + batch]).to(device)) for start in range(0, len(pixels), batch)]
    return tuple(torch.cat(outputs).cpu().numpy() for outputs in zip(*parts, strict=True))


@contextmanager
def _on(device: torch.device, network: nn.Module | None) -> Iterator[None]:
    """Within, the network is on a device, and a GPU convolves in full precision."""
    if device.type == "cpu":
        yield
        return
    moved = nn.ModuleList([] if network is None else [network]).to(device)
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
    finally:
        moved.to("cpu")
