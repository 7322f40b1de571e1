"""Looking at networks without moving a training: fakes from a generator, verdicts of a critic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganbench.types import Prior

CHUNK = 4096


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


def draw(
    generator: nn.Module, prior: Prior, count: int, *, seed: int, device: torch.device | str = "cpu"
) -> Float[Tensor, "count ..."]:
    """Fakes from their own random stream, on the CPU, in the units that the networks see.

    The first fakes are the same whatever the count.
    """
    rng = torch.Generator(device).manual_seed(seed)
    with looking(generator):
        parts = [generator(prior.draw(None, CHUNK, rng)).float().cpu() for _ in range(0, count, CHUNK)]
    return torch.cat(parts)[:count]


def score(
    critic: nn.Module, x: Float[np.ndarray, "n ..."], *, device: torch.device | str = "cpu"
) -> Float[np.ndarray, " n"]:
    """The critic's scores of things in the units that the networks see."""
    with looking(critic):
        parts = [
            critic(torch.from_numpy(part).float().to(device), None).score.float().cpu()
            for part in np.array_split(x, max(1, len(x) // CHUNK))
        ]
    return torch.cat(parts).numpy()
