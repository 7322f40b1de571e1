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

BLOCK = 4096
"""Features that are looked at at once, in float64."""


def components(
    activations: Float[Tensor, "n features"], held: Float[Tensor, "n asked"], count: int
) -> tuple[Float[Tensor, " k"], Float[Tensor, "n k"]]:
    """Variances along the first principal components, and the rows' coordinates on them; both as far as there are any.

    They are those of what the orthonormal columns `held`, one of which may be a constant, do not explain of the
    activations, and computed from the smaller of its two Gram matrices. What is below the rounding of float32 is not
    there.
    """

    def rest(block: Tensor) -> Tensor:
        x = block.double()
        return x - held @ (held.T @ x)

    n, features = activations.shape
    if features <= n:
        x = rest(activations)
        _, vectors = torch.linalg.eigh(x.T @ x)
        coordinates = x @ vectors.flip(1)[:, :count]
    else:
        gram = torch.zeros(n, n, dtype=torch.float64)
        for block in map(rest, activations.split(BLOCK, dim=1)):
            gram.addmm_(block, block.T)
        values, vectors = torch.linalg.eigh(gram)
        coordinates = vectors.flip(1)[:, :count] * values.flip(0)[:count].clamp(min=0).sqrt()
    squares = coordinates.pow(2).sum(dim=0)
    there = squares > 1e-12 * activations.norm().double() ** 2
    return (squares / (n - held.shape[1]))[there], coordinates[:, there]


def regressed(z: Float[Tensor, "n noise"], coordinates: Float[Tensor, "n k"]) -> Float[Tensor, "k noise"]:
    """For each coordinate the direction u that a unit of it means in the noise: least squares of z on them all."""
    centred = z.double() - z.double().mean(dim=0)
    return torch.linalg.lstsq(coordinates, centred).solution


def pca(subject: Subject, count: int, layer: str | None = None, seed: int = 0) -> Directions:
    """The first `count` components of what a layer makes of 2,000 latents, as unit directions of the noise.

    What labels and codes make of it is taken off before: no direction of the noise goes along it.

    Raises:
        UsageError: there is no such layer, the generator does not call it, or it varies in fewer ways.
    """
    name, module = first_layer(subject.network, layer)
    latent = subject.latents(DRAWN, derive(seed, "pca"))
    _, made = heard(subject, module, name, latent)
    variances, coordinates = components(made, subject.asked(latent), count)
    if len(variances) < count:
        raise UsageError(
            f"--directions {count}: what layer {name} makes varies with the noise in {len(variances)} ways only"
        )
    vectors = regressed(latent.z.cpu(), coordinates)
    vectors = vectors / vectors.norm(dim=1, keepdim=True)
    return Directions("pca", name, oriented(vectors.numpy()), variances.numpy(), "variance")
