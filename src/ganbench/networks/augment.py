"""Differentiable augmentation: a critic that sees real and generated images changed at random in the same ways."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor, nn

from ganbench.settings import settings
from ganbench.sharing import noise_of_each
from ganbench.types import UsageError, Verdict

Images: TypeAlias = Float[Tensor, "batch channels height width"]
Kind: TypeAlias = Literal["colour", "translation", "cutout"]

SHIFT = 8
"""Images are moved by at most this part of their sides."""

CUT = 2
"""A square of this part of the sides is cut out."""


@settings
class Augment:
    """The critic sees images changed at random, so that it cannot learn a small set by heart. arXiv:2006.10738.

    Real and generated images alike, an own draw for each and each time; gradients flow through. The `kinds`, in their
    order: `colour` adds a number from U[-0.5, 0.5) to all pixels, then stretches each pixel's distances from its grey
    by U[0, 2), then all distances from the image's mean by U[0.5, 1.5); `translation` moves the image by up to an
    eighth of its sides, each whole shift as likely, and fills up with 0; `cutout` sets a square of half the sides to 0
    whose middle lies anywhere. The draws come from the training's own stream; in evaluation nothing is changed.
    """

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = ("colour", "translation", "cutout")

    def seen(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) != 3:
            raise UsageError(f"wrappers: augment is for images; a thing of these data has the shape {shape}")
        return shape

    def wrap(self, critic: nn.Module) -> nn.Module:
        return AugmentedCritic(critic, self.kinds)


class AugmentedCritic(nn.Module):
    """See Augment."""

    def __init__(self, critic: nn.Module, kinds: tuple[Kind, ...]) -> None:
        super().__init__()
        self.critic, self.kinds = critic, kinds

    def forward(self, x: Images, y: Tensor | None = None) -> Verdict:
        return self.critic(augmented(x, self.kinds) if self.training else x, y)


def augmented(x: Images, kinds: tuple[Kind, ...]) -> Images:
    """Each image changed in each of the ways. Draws from the global stream of the device on which they are."""
    for kind in kinds:
        x = _WAYS[kind](x)
    return x


def coloured(x: Images) -> Images:
    drawn = noise_of_each(lambda n: torch.rand(n, 3, device=x.device), len(x)).to(x.dtype)
    brightness, saturation, contrast = drawn.T[..., None, None, None]
    x = x + (brightness - 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * (2 * saturation)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


def translated(x: Images) -> Images:
    for axis in (2, 3):
        side = x.shape[axis]
        most = int(side / SHIFT + 0.5)
        by = noise_of_each(partial(_whole, -most, most + 1, x.device), len(x))
        x = shifted(x, by, axis)
    return x


def shifted(x: Images, by: Int[Tensor, " batch"], axis: int) -> Images:
    """Each image moved along an axis; what comes in is 0."""
    side = x.shape[axis]
    along = (-1, 1, side, 1) if axis == 2 else (-1, 1, 1, side)
    source = (torch.arange(side, device=x.device) - by[:, None]).view(along)
    inside = (source >= 0) & (source < side)
    index = source.clamp(0, side - 1).expand_as(x)
    return x.gather(axis, index) * inside


def cut_out(x: Images) -> Images:
    rows, columns = (_spans(len(x), side, x.device) for side in x.shape[2:])
    return x * ~(rows[:, None, :, None] & columns[:, None, None, :])


def _spans(count: int, side: int, device: torch.device) -> Bool[Tensor, "count side"]:
    """The pixels of a row that so many cuts take away, of which the ends may lie outside."""
    length = int(side / CUT + 0.5)
    middle = noise_of_each(partial(_whole, 0, side + (1 - length % 2), device), count)[:, None]
    start = middle - length // 2
    at = torch.arange(side, device=device)
    return (at >= start) & (at < start + length)


def _whole(low: int, high: int, device: torch.device, count: int) -> Int[Tensor, " count"]:
    return torch.randint(low, high, (count,), device=device)


_WAYS: dict[Kind, Callable[[Images], Images]] = {
    "colour": coloured,
    "translation": translated,
    "cutout": cut_out,
}
