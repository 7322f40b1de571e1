"""Style-based generators are explored in w, what their layers' styles are made of, and some layers alone if asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganbench.explore.subject import Subject
from ganbench.networks.players import Generator
from ganbench.networks.style import Modulated, Synthesis
from ganbench.types import Latent, Prior, UsageError

DRAWN = 2000
"""Latents by which the scale of w is found."""


def is_styled(subject: Subject) -> bool:
    """Whether the generator is one of our style-based ones."""
    return isinstance(subject.network, Generator) and isinstance(subject.network.body, Synthesis)


def in_styles(subject: Subject, layers: str | None = None) -> Subject:
    """The subject as a generator of images from w, in units of its standard deviation over all its numbers.

    Only `layers` (as in 0-3, or 2; all by default), counted from the smallest maps, are given the w that a direction
    moves; the others keep the one that was drawn, which stands as the code of the latent.

    Raises:
        UsageError: there are no such layers.
    """
    generator = subject.network
    assert isinstance(generator, Generator)
    assert isinstance(generator.body, Synthesis)
    chosen = layer_range(layers, len(generator.body.layers))
    w = _mapped(generator, subject.latents(DRAWN, seed=0))
    scale = float((w - w.mean(dim=0)).square().mean().sqrt())
    network = FromStyles(generator, chosen, scale).eval()
    return replace(subject, network=network, prior=_OfStyles(subject.prior, w.shape[1]), mapping=network.mapped)


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
    """A style-based generator from latents whose noise is the w of the chosen layers, and whose code that of others.

    What the chosen layers are given passes `w`, where it can be heard.
    """

    def __init__(self, generator: Generator, chosen: range, scale: float) -> None:
        super().__init__()
        self.generator, self.chosen, self.scale = generator, chosen, scale
        self.w = nn.Identity()

    @property
    def body(self) -> Synthesis:
        assert isinstance(self.generator.body, Synthesis)
        return self.generator.body

    @property
    def name(self) -> str:
        return f"styles of layers {self.chosen.start}-{self.chosen.stop - 1}"

    def affine_weight(self) -> Float[Tensor, "width styles"]:
        """The weights that make the chosen layers' styles of w, side by side, in float64."""
        modulated = [layer for number, layer in enumerate(self.body.layers) if number in self.chosen]
        rows = [layer.affine.weight.detach().double().cpu().T for layer in modulated if isinstance(layer, Modulated)]
        return torch.cat(rows, dim=1)

    def mapped(self, latent: Latent) -> Latent:
        """A drawn latent as one of w."""
        w = _mapped(self.generator, latent) / self.scale
        return Latent(w, latent.y, w)

    def forward(self, latent: Latent) -> Float[Tensor, "batch channels height width"]:
        moved = self.w(latent.z * self.scale)
        kept = moved if latent.code is None else latent.code * self.scale
        ws = [moved if n in self.chosen else kept for n in range(len(self.body.layers))]
        return self.generator.finished(self.body.synthesised(ws))


@torch.no_grad()
def _mapped(generator: Generator, latent: Latent) -> Float[Tensor, "batch width"]:
    assert isinstance(generator.body, Synthesis)
    return generator.body.mapping(generator.vector(latent))


@dataclass(frozen=True, slots=True)
class _OfStyles:
    """A prior whose draws a mapping takes to vectors of the length `dimension`."""

    drawn: Prior
    dimension: int
    code_width: int = 0

    def for_shape(self, shape: tuple[int, ...]) -> Prior:
        return self

    def draw(self, labels: Tensor | None, count: int, rng: torch.Generator) -> Latent:
        return self.drawn.draw(labels, count, rng)
