"""What is put around a critic, and around a person's own modules."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Protocol, TypeAlias, runtime_checkable

from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor, nn

from ganbench.networks.augment import Augment
from ganbench.settings import OneOf, settings
from ganbench.types import Latent, Sizes, UsageError, Verdict


@runtime_checkable
class Wrapper(Protocol):
    """Changes what a critic sees. `shape` is that of one thing of the data."""

    def seen(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that the wrapped critic is built for."""

    def wrap(self, critic: nn.Module) -> nn.Module: ...


@settings
class Pack:
    """The critic judges `count` things at once, so that it sees a lack of variety. PacGAN, arXiv:1712.04086."""

    count: PositiveInt = 2

    def seen(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (self.count * shape[0], *shape[1:])

    def wrap(self, critic: nn.Module) -> nn.Module:
        return PackedCritic(critic, self.count)


class PackedCritic(nn.Module):
    """Neighbours in the batch are judged together, so there are `batch / count` scores.

    In evaluation each thing is judged in a pack of its own copies, so that there is one score a thing.
    """

    def __init__(self, critic: nn.Module, count: int) -> None:
        super().__init__()
        self.critic, self.count = critic, count

    def forward(self, x: Float[Tensor, "batch ..."], y: Tensor | None = None) -> Verdict:
        if not self.training:
            x = x.repeat_interleave(self.count, dim=0)
        return self.critic(x.reshape(len(x) // self.count, self.count * x.shape[1], *x.shape[2:]), None)


WRAPPERS: dict[str, type] = {"augment": Augment, "pack": Pack}
WrapperSetting: TypeAlias = Annotated[Wrapper, OneOf(WRAPPERS, Wrapper)]


@dataclass(frozen=True)
class Plain:
    """A person's own module from tensors to tensors, as either player.

    A generator takes (batch, noise) and gives (batch, ...); a critic takes (batch, ...) and gives (batch,) or
    (batch, 1). A copy of the module is trained, whose layers start anew where they know how (`reset_parameters`), so
    that the seed decides the start; layers without a parameter that takes gradients stay as they are.

    Raises:
        UsageError: what it gives has another shape.
    """

    module: nn.Module

    def generator(self, sizes: Sizes) -> nn.Module:
        _refuse(sizes, "generator")
        return PlainGenerator(_fresh(self.module), sizes.shape)

    def critic(self, sizes: Sizes) -> nn.Module:
        _refuse(sizes, "critic")
        return PlainCritic(_fresh(self.module))


def _refuse(sizes: Sizes, player: str) -> None:
    if sizes.labels != "none" or sizes.heads or (player == "generator" and sizes.code):
        raise UsageError(
            f"{player}.network: a module of one's own from tensors to tensors knows no labels, codes or heads; one "
            "that does is an object with `generator` and `critic` (see ganbench.networks.Network)"
        )


def _fresh(module: nn.Module) -> nn.Module:
    copy = deepcopy(module)
    for part in copy.modules():
        trained = any(p.requires_grad for p in part.parameters())
        if trained and callable(reset := getattr(part, "reset_parameters", None)):
            reset()
    return copy


class PlainGenerator(nn.Module):
    def __init__(self, module: nn.Module, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.module, self.shape = module, shape

    def forward(self, latent: Latent) -> Float[Tensor, "batch ..."]:
        x = self.module(latent.z)
        if math.prod(x.shape[1:]) != math.prod(self.shape):
            raise UsageError(
                f"your generator gives things of shape {tuple(x.shape[1:])}, but the data's have {self.shape}"
            )
        return x.reshape(-1, *self.shape)


class PlainCritic(nn.Module):
    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Float[Tensor, "batch ..."], y: Tensor | None = None) -> Verdict:
        score = self.module(x)
        if score.numel() != len(x):
            raise UsageError(
                f"your critic gives scores of shape {tuple(score.shape)}; it must give one for each of {len(x)}"
            )
        return Verdict(score.reshape(-1))
