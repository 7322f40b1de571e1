"""GANSpace: principal components of a layer's activations, brought back to the noise. arXiv:2004.02546."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from ganbench.explore.directions import Directions, oriented
from ganbench.explore.layers import first_layer, heard
from ganbench.explore.subject import Subject
from ganbench.seeds import derive
from ganbench.types import UsageError

DRAWN = 2000
"""Latents whose activations are analysed."""


def components(
    activations: Float[Tensor, "n features"], count: int
) -> tuple[Float[Tensor, " k"], Float[Tensor, "n k"]]:
    """Variances along the first principal components, and the rows' coordinates on them; both as far as there are any.

    Computed from the smaller of the two Gram matrices of the centred activations.
    """
    x = activations.double()
    x = x - x.mean(dim=0)
    n, features = x.shape
    if features <= n:
        _, vectors = torch.linalg.eigh(x.T @ x)
        coordinates = x @ vectors.flip(1)[:, :count]
    else:
        values, vectors = torch.linalg.eigh(x @ x.T)
        coordinates = vectors.flip(1)[:, :count] * values.flip(0)[:count].clamp(min=0).sqrt()
    variances = coordinates.pow(2).sum(dim=0) / (n - 1)
    there = variances > 1e-12 * variances.sum()
    return variances[there], coordinates[:, there]


def regressed(z: Float[Tensor, "n noise"], coordinates: Float[Tensor, "n k"]) -> Float[Tensor, "k noise"]:
    """For each coordinate the direction u that a unit of it means in the noise: least squares of z on them all."""
    centred = z.double() - z.double().mean(dim=0)
    return torch.linalg.lstsq(coordinates, centred).solution


def pca(subject: Subject, count: int, layer: str | None = None, seed: int = 0) -> Directions:
    """The first `count` components of what a layer makes of 2,000 latents, as unit directions of the noise.

    Raises:
        UsageError: there is no such layer, the generator does not call it, or it varies in fewer ways.
    """
    name, module = first_layer(subject.network, layer)
    latent = subject.latents(DRAWN, derive(seed, "pca"))
    _, made = heard(subject, module, name, latent)
    variances, coordinates = components(made, count)
    if len(variances) < count:
        raise UsageError(f"--directions {count}: what layer {name} makes varies in {len(variances)} ways only")
    vectors = regressed(latent.z.cpu(), coordinates)
    vectors = vectors / vectors.norm(dim=1, keepdim=True)
    return Directions("pca", name, oriented(vectors.numpy()), variances.numpy(), "variance")
