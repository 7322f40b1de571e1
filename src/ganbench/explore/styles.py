"""Style-based generators are explored in w, what their layers' styles are made of, and some layers alone if asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganbench.explore.subject import FromMapping, Subject
from ganbench.networks.players import Generator
from ganbench.networks.style import Modulated, Synthesis
from ganbench.types import Latent, Prior, UsageError

DRAWN = 2000
"""Latents by which the scale of w is found."""


class Steps(Protocol):
    """A style-based generator in two steps: w, and images of one w for each layer."""

    count: int
    """Layers, from the smallest maps."""

    def w(self, latent: Latent) -> Float[Tensor, "batch width"]: ...
    def images(self, ws: Sequence[Float[Tensor, "batch width"]]) -> Float[Tensor, "batch channels height width"]: ...
    def weights(self, layers: range) -> list[Float[Tensor, "styles width"]]:
        """By which these layers' styles are made of w."""
        ...


def is_styled(subject: Subject) -> bool:
    """Whether the generator is style-based: one of ours, or a module with a `mapping` and a `synthesis`."""
    network = subject.network
    return isinstance(network, FromMapping) or (isinstance(network, Generator) and isinstance(network.body, Synthesis))


def in_styles(subject: Subject, layers: str | None = None) -> Subject:
    """The subject as a generator of images from w, in units of its standard deviation over all its numbers.

    Only `layers` (as in 0-3, or 2; all by default), counted from the smallest maps, are given the w that a direction
    moves; the others keep the one that was drawn, which stands in the code of the latent, behind the drawn code.

    Raises:
        UsageError: there are no such layers.
    """
    latent = subject.latents(DRAWN, seed=0)
    steps = _Elsewhere(subject.network, latent) if isinstance(subject.network, FromMapping) else _Ours(subject.network)
    chosen = layer_range(layers, steps.count)
    with torch.no_grad():
        w = steps.w(latent)
    scale = float((w - w.mean(dim=0)).square().mean().sqrt())
    network = FromStyles(subject.network, steps, chosen, scale).eval()
    prior = _OfStyles(subject.prior, w.shape[1], subject.prior.code_width)
    return replace(subject, network=network, prior=prior, mapping=network.mapped)


def layer_range(text: str | None, count: int) -> range:
    """The layers that a range names.

    >>> layer_range("1-3", 5), layer_range("2", 5), layer_range(None, 5)
    (range(1, 4), range(2, 3), range(0, 5))
    """
    if text is None:
        return range(count)
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip())
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
    if not 0 <= first <= last < count:
        raise UsageError(f"--layers {text}: write a range such as 0-{count - 1}, the layers that this generator has")
    return range(first, last + 1)


class FromStyles(nn.Module):
    """A style-based generator from latents whose noise is the w of the chosen layers; that of others ends their code.

    What the chosen layers are given passes `w`, where it can be heard.
    """

    def __init__(self, generator: nn.Module, steps: Steps, chosen: range, scale: float) -> None:
        super().__init__()
        self.generator, self.steps, self.chosen, self.scale = generator, steps, chosen, scale
        self.w = nn.Identity()

    @property
    def name(self) -> str:
        return f"styles of layers {self.chosen.start}-{self.chosen.stop - 1}"

    def affine_weight(self) -> Float[Tensor, "width styles"]:
        """The weights that make the chosen layers' styles of w, side by side, in float64."""
        weights = self.steps.weights(self.chosen)
        if not weights:
            raise UsageError("sefa: nothing makes styles of w by a matrix in these layers; --method pca takes any")
        return torch.cat([weight.detach().double().cpu().T for weight in weights], dim=1)

    @torch.no_grad()
    def mapped(self, latent: Latent) -> Latent:
        """A drawn latent as one of w."""
        w = self.steps.w(latent) / self.scale
        return Latent(w, latent.y, w if latent.code is None else torch.cat([latent.code, w], dim=1))

    def forward(self, latent: Latent) -> Float[Tensor, "batch channels height width"]:
        moved = self.w(latent.z * self.scale)
        kept = moved if latent.code is None else latent.code[:, -latent.z.shape[1] :] * self.scale
        return self.steps.images([moved if n in self.chosen else kept for n in range(self.steps.count)])


class _Ours:
    """The steps of a generator of this package."""

    def __init__(self, generator: nn.Module) -> None:
        assert isinstance(generator, Generator)
        assert isinstance(generator.body, Synthesis)
        self.generator, self.body = generator, generator.body
        self.count = len(self.body.layers)

    def w(self, latent: Latent) -> Float[Tensor, "batch width"]:
        return self.body.mapping(self.generator.vector(latent))

    def images(self, ws: Sequence[Float[Tensor, "batch width"]]) -> Float[Tensor, "batch channels height width"]:
        return self.generator.finished(self.body.synthesised(ws))

    def weights(self, layers: range) -> list[Float[Tensor, "styles width"]]:
        modulated = [layer for number, layer in enumerate(self.body.layers) if number in layers]
        return [layer.affine.weight for layer in modulated if isinstance(layer, Modulated)]


class _Elsewhere:
    """Those of a module that was trained elsewhere: layer k is whatever is given the k-th w."""

    def __init__(self, network: FromMapping, latent: Latent) -> None:
        self.network = network
        with torch.no_grad():
            self.count, self.width = network.styles(latent).shape[1:]

    def w(self, latent: Latent) -> Float[Tensor, "batch width"]:
        return self.network.styles(latent)[:, 0]

    def images(self, ws: Sequence[Float[Tensor, "batch width"]]) -> Float[Tensor, "batch channels height width"]:
        return self.network.synthesised(torch.stack(list(ws), dim=1))

    @torch.no_grad()
    def weights(self, layers: range) -> list[Float[Tensor, "styles width"]]:
        """Of the modules with a matrix as weight, those that are given the w of one of these layers and no other."""
        found: list[Tensor] = []
        ws = torch.randn(1, self.count, self.width, generator=torch.Generator().manual_seed(0))

        def hear(module: nn.Module, inputs: tuple[object, ...], _: object) -> None:
            weight, given = getattr(module, "weight", None), inputs[0] if inputs else None
            if not isinstance(weight, Tensor) or weight.dim() != 2 or not isinstance(given, Tensor):
                return
            if any(torch.equal(given.float(), ws[:, layer]) for layer in layers):
                found.append(weight)

        handles = [module.register_forward_hook(hear) for module in self.network.modules()]
        try:
            self.network.synthesised(ws)
        finally:
            for handle in handles:
                handle.remove()
        return found


@dataclass(frozen=True, slots=True)
class _OfStyles:
    """A prior whose draws a mapping takes to vectors of the length `dimension`; `code_width` is the drawn code's."""

    drawn: Prior
    dimension: int
    code_width: int

    def for_shape(self, shape: tuple[int, ...]) -> Prior:
        return self

    def draw(self, labels: Tensor | None, count: int, rng: torch.Generator) -> Latent:
        return self.drawn.draw(labels, count, rng)
