"""Images along a direction: a row a noise vector, a column a step."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganbench.explore.subject import Subject, with_noise
from ganbench.types import Latent

REACH = 3.0
"""Directions are followed so far to either side."""

STEPS = np.linspace(-REACH, REACH, 11)


def moved(
    latent: Latent, vectors: Float[np.ndarray, "k noise"], steps: Float[np.ndarray, " k"]
) -> Float[Tensor, "n k noise"]:
    """The noise of each latent moved by each step along its vector."""
    offsets = torch.from_numpy(vectors * steps[:, None]).to(latent.z)
    return latent.z[:, None] + offsets


def strip(
    subject: Subject, vector: Float[np.ndarray, " noise"], latent: Latent, steps: Float[np.ndarray, " k"] = STEPS
) -> UInt8[np.ndarray, "n k h w *c"]:
    """What the generator makes of each latent at each step along a direction, its label and code held."""
    z = moved(latent, np.broadcast_to(vector, (len(steps), len(vector))), steps)
    pixels = subject.images(with_noise(latent, z))
    return pixels.reshape(len(latent.z), len(steps), *pixels.shape[1:])
