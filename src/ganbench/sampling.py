"""Looking at networks without moving a training: fakes from a generator, verdicts of a critic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganbench.types import Latent, Prior

CHUNK = 4096
"""How many latents are drawn at once."""

PASS = 512
"""How many things go through a network at once."""


@contextmanager
def looking(network: nn.Module) -> Iterator[None]:
    """Within, the network is in evaluation mode and takes no gradients; after it, as it was."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(was_training)


def latents(
    prior: Prior, count: int, labels: Tensor | None, *, seed: int, device: torch.device | str = "cpu"
) -> Latent:
    """What so many fakes start from, with the labels (count,) that are asked for. The first are the same whatever the
    count.
    """
    rng = torch.Generator(device).manual_seed(seed)
    parts = [prior.draw(None, CHUNK, rng) for _ in range(0, count, CHUNK)]
    code = None if parts[0].code is None else torch.cat([p.code for p in parts if p.code is not None])[:count]
    return Latent(torch.cat([p.z for p in parts])[:count], labels, code)


def generate(generator: nn.Module, latent: Latent) -> Float[Tensor, "count ..."]:
    """The fakes of given latents, on the CPU, in the units that the networks see."""
    with looking(generator):
        rows = range(0, len(latent.z), PASS)
        parts = [generator(_part(latent, slice(start, start + PASS))).float().cpu() for start in rows]
    return torch.cat(parts)


def _part(latent: Latent, rows: slice) -> Latent:
    return Latent(latent.z[rows], _rows(latent.y, rows), _rows(latent.code, rows))


def _rows(t: Tensor | None, rows: slice) -> Tensor | None:
    return None if t is None else t[rows]


def draw(
    generator: nn.Module,
    prior: Prior,
    count: int,
    labels: Int[Tensor, " count"] | None = None,
    *,
    seed: int,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "count ..."]:
    """Fakes from their own random stream, on the CPU, in the units that the networks see."""
    return generate(generator, latents(prior, count, labels, seed=seed, device=device))


def score(
    critic: nn.Module,
    x: Float[np.ndarray, "n ..."] | Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"] | None = None,
    *,
    device: torch.device | str = "cpu",
) -> Float[np.ndarray, " n"]:
    """The critic's scores of things in the units that the networks see."""
    things = torch.as_tensor(x)
    with looking(critic):
        parts = [
            critic(things[start : start + PASS].float().to(device), _rows(labels, slice(start, start + PASS))).score
            for start in range(0, len(things), PASS)
        ]
    return torch.cat(parts).float().cpu().numpy()
