"""From one noise vector to another: along a great circle, or straight."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from ganbench.priors import Coded, Noise
from ganbench.types import Prior

STRAIGHT = 1e-4
"""Below this sine the two directions are the same, or opposite, and the way is the straight one; as it is from 0."""


def through_noise(
    prior: Prior, a: Float[Tensor, "n noise"], b: Float[Tensor, "n noise"], shares: Float[Tensor, " steps"]
) -> Float[Tensor, "n steps noise"]:
    """Points at these shares of the way through what a prior fills: straight where it is uniform, else by `slerp`."""
    noise = prior.noise if isinstance(prior, Coded) else prior
    way = straight if isinstance(noise, Noise) and noise.distribution == "uniform" else slerp
    return way(a, b, shares)


def slerp(
    a: Float[Tensor, "n noise"], b: Float[Tensor, "n noise"], shares: Float[Tensor, " steps"]
) -> Float[Tensor, "n steps noise"]:
    """Points at these shares of the way from each row of a to that of b: the angle and the length grow evenly.

    Between vectors of one length r all points have the length r, as standard normal noise of many dimensions nearly
    has; the straight line passes closer to 0, where a generator has seen nothing.

    >>> half = slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]), torch.tensor([0.5]))
    >>> round(float(half.norm()), 5), round(float(half[0, 0, 0] / half[0, 0, 1]), 5)
    (1.5, 1.0)
    """
    lengths = a.norm(dim=1), b.norm(dim=1)
    units = [v / length.clamp(min=1e-12)[:, None] for v, length in zip((a, b), lengths, strict=True)]
    angle = (units[0] * units[1]).sum(dim=1).clamp(-1, 1).acos()[:, None]
    t = shares[None, :].to(a)
    arc = units[0][:, None] * ((1 - t) * angle).sin()[..., None] + units[1][:, None] * (t * angle).sin()[..., None]
    around = arc / angle.sin().clamp(min=STRAIGHT)[..., None]
    around = around * torch.lerp(lengths[0][:, None], lengths[1][:, None], t)[..., None]
    bent = (angle.sin() > STRAIGHT) & (torch.minimum(*lengths)[:, None] > 0)
    return torch.where(bent[..., None], around, straight(a, b, shares))


def straight(
    a: Float[Tensor, "n noise"], b: Float[Tensor, "n noise"], shares: Float[Tensor, " steps"]
) -> Float[Tensor, "n steps noise"]:
    """Points at these shares of the straight way from each row of a to that of b, as uniform noise is filled.

    >>> straight(torch.tensor([[0.0]]), torch.tensor([[4.0]]), torch.tensor([0.0, 0.25])).flatten().tolist()
    [0.0, 1.0]
    """
    return torch.lerp(a[:, None], b[:, None], shares[None, :, None].to(a))
