"""Optimisers by name, with their settings, and the two that were made for games.

A player's parameters are one flat vector, so each step is a few operations however many layers there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol, TypeAlias, runtime_checkable

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor, nn

from ganbench.settings import OneOf, settings

Decay: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Betas: TypeAlias = tuple[Decay, Decay]


@runtime_checkable
class OptimizerSettings(Protocol):
    """Settings that make an optimiser for a player's flat parameter vector."""

    @property
    def lr(self) -> float: ...
    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer: ...


@settings
class Sgd:
    """Plain gradient descent."""

    lr: PositiveFloat = 0.01
    weight_decay: NonNegativeFloat = 0.0

    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer:
        return torch.optim.SGD([vector], lr=self.lr, weight_decay=self.weight_decay, fused=True)


@settings
class Momentum:
    """Gradient descent with Polyak's momentum."""

    lr: PositiveFloat = 0.01
    momentum: Decay = 0.9
    weight_decay: NonNegativeFloat = 0.0

    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer:
        return torch.optim.SGD([vector], lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay, fused=True)


@settings
class Nesterov:
    """Gradient descent with Nesterov's momentum."""

    lr: PositiveFloat = 0.01
    momentum: Annotated[float, Field(gt=0, lt=1)] = 0.9
    weight_decay: NonNegativeFloat = 0.0

    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            [vector],
            lr=self.lr,
            momentum=self.momentum,
            nesterov=True,
            weight_decay=self.weight_decay,
            fused=True,
        )


@settings
class Adagrad:
    """Steps divided by the root of the sum of squared gradients so far."""

    lr: PositiveFloat = 0.01
    eps: PositiveFloat = 1e-10

    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer:
        return torch.optim.Adagrad([vector], lr=self.lr, eps=self.eps, fused=True)


@settings
class RMSprop:
    """Steps divided by the root of a running mean of squared gradients. WGAN's choice, at lr 5e-5."""

    lr: PositiveFloat = 5e-5
    alpha: Decay = 0.99
    eps: PositiveFloat = 1e-8
    momentum: Decay = 0.0

    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer:
        return torch.optim.RMSprop([vector], lr=self.lr, alpha=self.alpha, eps=self.eps, momentum=self.momentum)


@settings
class Adam:
    """Adam, arXiv:1412.6980. GANs take a small first beta: 0.5 (DCGAN) or 0 (WGAN-GP, R3GAN)."""

    lr: PositiveFloat = 2e-4
    betas: Betas = (0.5, 0.999)
    eps: PositiveFloat = 1e-8

    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer:
        return torch.optim.Adam([vector], lr=self.lr, betas=self.betas, eps=self.eps, fused=True)


@settings
class AdamW:
    """Adam with decoupled weight decay, arXiv:1711.05101."""

    lr: PositiveFloat = 2e-4
    betas: Betas = (0.5, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.01

    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            [vector],
            lr=self.lr,
            betas=self.betas,
            eps=self.eps,
            weight_decay=self.weight_decay,
            fused=True,
        )


@settings
class OptimisticAdam:
    """Adam that steps 2 u_t - u_(t-1), with u Adam's direction. arXiv:1711.00141, algorithm 1."""

    lr: PositiveFloat = 2e-4
    betas: Betas = (0.5, 0.999)
    eps: PositiveFloat = 1e-8

    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer:
        return Optimistic([vector], lr=self.lr, betas=self.betas, eps=self.eps)


@settings
class ExtraAdam:
    """Adam that looks a step ahead and moves by what it sees there. arXiv:1802.10551, algorithm 4.

    A player's 1st, 3rd, ... turns go to the point ahead; its 2nd, 4th, ... turns return and move from where it stood.
    When both players take equally many turns, both look ahead in the same round, as in the paper.
    """

    lr: PositiveFloat = 2e-4
    betas: Betas = (0.5, 0.999)
    eps: PositiveFloat = 1e-8

    def build(self, vector: nn.Parameter) -> torch.optim.Optimizer:
        return Extragradient([vector], lr=self.lr, betas=self.betas, eps=self.eps)


class _GameAdam(torch.optim.Optimizer):
    """The part that both share: Adam's direction from running moments."""

    def __init__(self, params: list[nn.Parameter], lr: float, betas: Betas, eps: float) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                if not state:
                    state["step"] = torch.zeros(())
                    for name in ("mean", "square", *self.carried):
                        state[name] = torch.zeros_like(parameter)
                self.move(parameter, _adam_direction(parameter.grad, state, group), state, group["lr"])

    carried: tuple[str, ...] = ()

    def move(self, parameter: Tensor, direction: Tensor, state: dict[str, Tensor], lr: float) -> None:
        raise NotImplementedError


class Optimistic(_GameAdam):
    """See OptimisticAdam."""

    carried = ("last",)

    def move(self, parameter: Tensor, direction: Tensor, state: dict[str, Tensor], lr: float) -> None:
        parameter.add_(direction, alpha=-2 * lr).add_(state["last"], alpha=lr)
        state["last"].copy_(direction)


class Extragradient(_GameAdam):
    """See ExtraAdam."""

    carried = ("stood",)

    def move(self, parameter: Tensor, direction: Tensor, state: dict[str, Tensor], lr: float) -> None:
        if int(state["step"]) % 2:
            state["stood"].copy_(parameter)
        else:
            parameter.copy_(state["stood"])
        parameter.add_(direction, alpha=-lr)


def _adam_direction(gradient: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> Tensor:
    """m / (sqrt(v) + eps), both corrected for their start at zero."""
    beta1, beta2 = group["betas"]
    state["step"] += 1
    step = float(state["step"])
    state["mean"].lerp_(gradient, 1 - beta1)
    state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    root = (state["square"] / (1 - beta2**step)).sqrt_().add_(group["eps"])
    return state["mean"] / root / (1 - beta1**step)


OPTIMIZERS: dict[str, type] = {
    "sgd": Sgd,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "optimistic-adam": OptimisticAdam,
    "extra-adam": ExtraAdam,
}
OptimizerSetting: TypeAlias = Annotated[OptimizerSettings, OneOf(OPTIMIZERS, OptimizerSettings)]
