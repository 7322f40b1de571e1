"""The layer of a generator by which it is explored: found, heard, and its weight as the noise sees it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganbench.explore.styles import FromStyles
from ganbench.explore.subject import Subject, with_noise
from ganbench.sampling import generate
from ganbench.settings import unknown
from ganbench.types import Latent, UsageError

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
FIRST = (nn.Linear, *TRANSPOSED)
"""What may be a generator's first layer."""


def first_layer(network: nn.Module, layer: str | None = None) -> tuple[str, nn.Module]:
    """The first linear or transposed-convolution layer in the order of registration, or any by its name.

    Of a style-based generator the first is where w stands.

    Raises:
        UsageError: there is none, or none of that name.
    """
    named = {name: module for name, module in network.named_modules() if name}
    if layer is not None:
        if layer not in named:
            raise UsageError(f"--layer: {unknown('layer', layer, named)}")
        return layer, named[layer]
    if isinstance(network, FromStyles):
        return "w", network.w
    for name, module in named.items():
        if isinstance(module, FIRST):
            return name, module
    raise UsageError("this generator has no linear or transposed-convolution layer to begin with")


def heard(subject: Subject, module: nn.Module, name: str, latent: Latent) -> tuple[Tensor, Tensor]:
    """What a layer is given and what it makes, a row a latent, when the generator is fed with these.

    Raises:
        UsageError: the generator does not call the layer, or with other things than a row for each latent.
    """
    given: list[Tensor] = []
    made: list[Tensor] = []

    def hear(_: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        for parts, part in ((given, inputs[0] if inputs else None), (made, output)):
            if isinstance(part, Tensor) and part.dim():
                parts.append(part.detach().float().cpu().reshape(len(part), -1))

    handle = module.register_forward_hook(hear)
    try:
        generate(subject.network, latent)
    finally:
        handle.remove()
    if any(sum(map(len, parts)) != len(latent.z) for parts in (given, made)):
        raise UsageError(
            f"--layer {name}: the generator does not call this layer once for each image, from one tensor to another"
        )
    return torch.cat(given), torch.cat(made)


def noise_weight(subject: Subject, layer: str | None = None) -> tuple[str, Float[Tensor, "noise out"]]:
    """The name of a layer that sees the noise, and its weight: a row a number of the noise, in float64.

    Of a style-based generator those that make the styles of the chosen layers, side by side. Of a layer that is also
    given a label or a code, which stand behind the noise, only the part of the noise.

    Raises:
        UsageError: the layer is neither linear nor a transposed convolution, or does not see the noise itself.
    """
    if layer is None and isinstance(subject.network, FromStyles):
        return subject.network.name, subject.network.affine_weight()
    name, module = first_layer(subject.network, layer)
    if not isinstance(module, FIRST):
        raise UsageError(
            f"--layer {name}: sefa needs a linear or a transposed-convolution layer, not {type(module).__name__}; "
            "--method pca takes any"
        )
    if not _sees_noise(subject, module, name) or (isinstance(module, TRANSPOSED) and module.groups > 1):
        others = [each for each, other in subject.network.named_modules() if isinstance(other, FIRST) and each != name]
        first = f"the first, and others are {', '.join(others[:5]) or 'none'}: " if layer is None else ""
        raise UsageError(
            f"--layer {name}: {first}this layer is not given the noise itself; --method pca takes any layer"
        )
    weight = module.weight.detach().double().cpu()
    rows = weight.T if isinstance(module, nn.Linear) else weight.flatten(1)
    return name, rows[: subject.noise]


def _sees_noise(subject: Subject, module: nn.Module, name: str) -> bool:
    """Whether a layer is given the noise, and behind it nothing that depends on it."""
    z = subject.latents(8, seed=0).z
    given, _ = heard(subject, module, name, with_noise(subject.latents(1, seed=0), z[None]))
    if given.shape[1] < subject.noise:
        return False
    first, rest = given[:, : subject.noise], given[:, subject.noise :]
    # A layer before it may bring the noise to one length, which leaves its direction.
    alike = F.cosine_similarity(first, z.float().cpu()) > 1 - 1e-4
    return bool(alike.all()) and bool((rest == rest[:1]).all())
