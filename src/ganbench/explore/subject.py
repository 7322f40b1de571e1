"""A generator of images that is explored: one of a run, or one that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganbench.data import PointSet, to_pixels
from ganbench.errors import first_line
from ganbench.metrics.embedding import Pixels
from ganbench.networks import set_precision
from ganbench.priors import Noise
from ganbench.sampling import generate, latents
from ganbench.seeds import derive
from ganbench.types import Latent, Prior, UsageError
from ganbench.workbench import Workbench

ROWS = 8
"""Noise vectors that are shown side by side; where the generator is asked for labels, there is one for each."""

FAR_OUT = 2.0
"""What no image is: generators without a last tanh reach a little beyond 1."""

MOST_LABELS = 10
"""Of more classes the first so many are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A generator from a `Latent` to images (batch, channels, height, width) in [-1, 1].

    `labels` are those of its data, in whose shares it is asked for labels, and `classes` their names; none of both
    where it takes no labels. With a `mapping` what is drawn from the prior becomes by it the latents that are explored,
    whose noise is as long as the prior says.
    """

    name: str
    network: nn.Module
    prior: Prior
    classes: tuple[str, ...] = ()
    labels: Int[np.ndarray, " n"] | None = None
    device: torch.device | str = "cpu"
    mapping: Callable[[Latent], Latent] | None = None

    @classmethod
    def of_run(cls, bench: Workbench) -> Subject:
        """The generator that a run samples from, in fp32.

        Raises:
            UsageError: it makes points.
        """
        if isinstance(bench.data, PointSet):
            raise UsageError(
                f"exploring is for generators of images; {bench.data.title} holds points, of which "
                "`ganbench sample RUN --count N --out FILE.png` draws what was learnt"
            )
        network = deepcopy(bench.state.sampler).eval().requires_grad_(False)
        set_precision(network, lambda width: torch.float32)
        asked = (bench.told.classes, bench.told.labels) if bench.conditional else ((), None)
        return cls(bench.title, network, bench.state.prior, *asked, bench.device)

    @classmethod
    def of_module(cls, name: str, module: nn.Module, noise: int) -> Subject:
        """A person's own module from standard normal noise (batch, noise) or (batch, noise, 1, 1) to images in [-1, 1].

        One that has them is taken as its `mapping` and its `synthesis` (see `FromMapping`).

        Raises:
            UsageError: it does not take such noise, gives something else, or cannot be copied.
        """
        if noise < 1:
            raise UsageError(f"{name}: the dimension of the noise is a whole number above 0, not {noise}")
        own = _copied(name, module).eval().requires_grad_(False)
        styled = all(callable(getattr(own, step, None)) for step in ("mapping", "synthesis"))
        networks = [FromMapping(own)] if styled else [FromNoise(own), FromNoise(own, (1, 1))]
        subjects = [cls(name, network, Noise(dimension=noise)) for network in networks]
        made = [_tried(subject) for subject in subjects]
        works = next((place for place, x in enumerate(made) if isinstance(x, Tensor)), 0)
        subject, x = subjects[works], made[works]
        if isinstance(x, Exception):
            forms = f"(2, {noise})" if styled else f"(2, {noise}) or (2, {noise}, 1, 1)"
            raise UsageError(f"{name}: the generator does not take noise {forms}: {first_line(x)}") from x
        if x.isfinite().all() and (most := float(x.abs().max())) > FAR_OUT:
            raise UsageError(f"{name}: a generator gives images in [-1, 1]; the values of this one reach {most:.3g}")
        if x.dim() != 4 or len(x) != 2 or x.shape[1] not in (1, 3) or not x.isfinite().all():
            raise UsageError(
                f"{name}: a generator gives finite images (batch, 1 or 3, height, width) in [-1, 1]; of noise "
                f"(2, {noise}) this one makes {tuple(x.shape)}"
            )
        return subject

    @property
    def noise(self) -> int:
        return self.prior.dimension

    def latents(self, count: int, seed: int) -> Latent:
        """Latents as the generator is trained on, with labels in the shares that the data have them."""
        asked = None
        if self.labels is not None:
            asked = torch.from_numpy(np.random.default_rng(derive(seed, "labels")).choice(self.labels, count))
        return self.mapped(self._drawn(count, asked, seed))

    def rows(self, seed: int) -> Latent:
        """Latents to be shown: a label each, where there are labels."""
        return self.mapped(self.drawn_rows(seed))

    def drawn_rows(self, seed: int) -> Latent:
        """The same as the prior draws them, before the mapping."""
        if self.labels is None:
            return self._drawn(ROWS, None, seed)
        return self._drawn(len(self.row_names), torch.arange(len(self.row_names)), seed)

    def mapped(self, drawn: Latent) -> Latent:
        """What is explored of a latent that the prior drew."""
        return self.mapping(drawn) if self.mapping else drawn

    def asked(self, latent: Latent) -> Float[Tensor, "n k"]:
        """Orthonormal columns, in float64, that span a constant and what latents are asked for: labels and codes."""
        columns = [torch.ones(len(latent.z), 1)]
        if latent.y is not None:
            columns.append(F.one_hot(latent.y.cpu().long()))
        if latent.code is not None and self.prior.code_width:
            columns.append(latent.code[:, : self.prior.code_width].cpu())
        spanning, lengths, _ = torch.linalg.svd(torch.cat([c.double() for c in columns], dim=1), full_matrices=False)
        return spanning[:, lengths > 1e-9 * lengths[0]]

    def _drawn(self, count: int, asked: Tensor | None, seed: int) -> Latent:
        labels = None if asked is None else asked.to(self.device)
        return latents(self.prior, count, labels, seed=derive(seed, "latents"), device=self.device)

    @property
    def row_names(self) -> tuple[str, ...]:
        """The labels of `rows`."""
        return self.classes[:MOST_LABELS]

    def images(self, latent: Latent) -> Pixels:
        """What the generator makes of latents, as uint8 (n, h, w) or (n, h, w, 3)."""
        return to_pixels(generate(self.network, latent))


def _copied(name: str, module: nn.Module) -> nn.Module:
    """A copy, so that the person's own stays as it is."""
    try:
        return deepcopy(module)
    except Exception as error:
        norm = "; take weight_norm off its layers first (torch.nn.utils.remove_weight_norm)"
        hint = norm if "deepcopy protocol" in str(error) else ""
        raise UsageError(f"{name}: the generator cannot be copied: {first_line(error)}{hint}") from error


def _tried(subject: Subject) -> Tensor | Exception:
    """Two images, or why there are none: a module of one's own can fail in any way."""
    try:
        return generate(subject.network, subject.latents(2, seed=0))
    except Exception as error:
        return error


class FromMapping(nn.Module):
    """A style-based module, called with a latent.

    Its `mapping` makes of noise (batch, noise) one w for each layer, (batch, layers, width), and its `synthesis` images
    of these, as in StyleGAN2's own code.
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def styles(self, latent: Latent) -> Float[Tensor, "batch layers width"]:
        ws: Tensor = self.module.mapping(latent.z)
        if ws.dim() != 3:
            raise UsageError(f"its mapping gives one w for each layer, (batch, layers, width), not {tuple(ws.shape)}")
        return ws

    def synthesised(self, ws: Float[Tensor, "batch layers width"]) -> Float[Tensor, "batch ..."]:
        return self.module.synthesis(ws)

    def forward(self, latent: Latent) -> Float[Tensor, "batch ..."]:
        return self.synthesised(self.styles(latent))


class FromNoise(nn.Module):
    """A module of noise alone, called with a latent; `sides` end the shape of its noise, as (1, 1) of maps."""

    def __init__(self, module: nn.Module, sides: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.module, self.sides = module, sides

    def forward(self, latent: Latent) -> Float[Tensor, "batch ..."]:
        return self.module(latent.z.reshape(*latent.z.shape, *self.sides))


def with_noise(latent: Latent, z: Float[Tensor, "n steps noise"]) -> Latent:
    """For each latent so many with other noise, row by row, but its label and its code."""

    def repeat(part: Tensor | None) -> Tensor | None:
        return None if part is None else part.repeat_interleave(z.shape[1], dim=0)

    return Latent(z.flatten(0, 1), repeat(latent.y), repeat(latent.code), latent.choices)
