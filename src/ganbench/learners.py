"""A player in training, the vector that holds its parameters, and the running average of a generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from ganbench import sharing
from ganbench.averages import Average
from ganbench.networks import keep_copies
from ganbench.recipes.base import Player
from ganbench.types import Moment, UsageError


class Learner:
    """A player in training: its network, whose parameters are views of one flat vector, and its optimiser.

    Raises:
        UsageError: nothing in the network can be trained, or a constraint does not fit it.
    """

    def __init__(self, network: nn.Module, settings: Player, pack: int = 1, pieces: int = 1) -> None:
        for constraint in settings.constraints.values():
            constraint.attach(network)
        self.network = network
        alone = sharing.processes() == pieces == 1
        self.shared: Callable[..., Any] = network if alone else sharing.SharedOut(network, pack, pieces)
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        if not self.parameters:
            raise UsageError(f"{type(network).__name__}: a player's network needs a parameter that can be trained")
        self.vector = flatten(self.parameters)
        self.gradient = self.vector.grad = torch.zeros_like(self.vector)
        self._slots = slots(self.gradient, self.parameters)
        self.optimizer = settings.optimizer.build(self.vector)
        self._copies: dict[nn.Parameter, Tensor] = {}
        self._moved: list[Tensor] = list(self.parameters)

    def keep_copies(self) -> None:
        """Has layers that compute in another type do so with a copy of their weights, made once a step."""
        self._copies = keep_copies(self.network)
        self._moved = [self._copies.get(p, p) for p in self.parameters]

    @torch.no_grad()
    def refresh(self) -> None:
        """To be called when the weights have moved."""
        for parameter, copy in self._copies.items():
            copy.copy_(parameter)

    def gradients(self, loss: Tensor) -> tuple[Tensor, ...]:
        """The loss's gradient at this player's parameters, which alone take any."""
        return torch.autograd.grad(loss, self._moved, materialize_grads=True)

    @torch.no_grad()
    def moments(self) -> dict[str, Tensor]:
        """What the optimiser carries; of each parameter's numbers as they are in the parameters."""
        kept = {name: value for name, value in self.optimizer.state.get(self.vector, {}).items() if value is not None}
        whole = self.vector.shape
        return {name: compact(v, self.parameters) if v.shape == whole else v for name, v in kept.items()}

    @torch.no_grad()
    def recall(self, moments: Mapping[str, Tensor]) -> None:
        """Puts back what `moments` gave."""
        self.optimizer.state.clear()
        for name, value in moments.items():
            if value.dim() == 0:
                self.optimizer.state[self.vector][name] = value.clone().to(self.vector.device)
            else:
                self.optimizer.state[self.vector][name] = torch.zeros_like(self.vector)
                spread(value, self.parameters, self.optimizer.state[self.vector][name])

    def step(self, loss: Tensor, settings: Player, moment: Moment) -> None:
        """Moves down the loss."""
        gradients = self.gradients(loss)
        # Into the same memory each time: fresh pages cost more than the copy.
        torch._foreach_copy_(self._slots, gradients)
        sharing.add_up(self.gradient)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.optimizer.lr * moment.factor(settings.rate)
        self.optimizer.step()
        for constraint in settings.constraints.values():
            constraint.project(self.network)
        self.refresh()


class RunningAverage:
    """A running average of a learner's weights w: v <- k v + (1 - k) w. Buffers are taken over as they are."""

    def __init__(self, learner: Learner, settings: Average) -> None:
        self.settings = settings
        self.network = deepcopy(learner.network)
        self.parameters = [p for p in self.network.parameters() if p.requires_grad]
        self.vector = flatten(self.parameters)
        self.network.requires_grad_(False)

    @torch.no_grad()
    def follow(self, learner: Learner, turn: int) -> None:
        self.vector.lerp_(learner.vector, 1 - self.settings.keep(turn))
        copy_buffers(self.network, dict(learner.network.named_buffers()))


@torch.no_grad()
def copy_buffers(network: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Puts values into the network's buffers of those names."""
    for name, buffer in network.named_buffers():
        buffer.copy_(values[name])


ALIGNED = 16
"""A GPU reads weights from addresses that are multiples of so many bytes, and may refuse others."""


def flatten(parameters: list[nn.Parameter]) -> nn.Parameter:
    """One vector that holds all parameters, which become views of it: an optimiser's step is then one operation.

    Each parameter is followed by zeros up to the next aligned place. They have no gradient and stay; files are without.
    """
    kind = reduce(torch.promote_types, (p.dtype for p in parameters))
    room = sum(_room(p, kind) for p in parameters)
    vector = torch.zeros(room, dtype=kind, device=parameters[0].device)
    for parameter, slot in zip(parameters, slots(vector, parameters), strict=True):
        slot.copy_(parameter.detach())
        parameter.data = slot
    return nn.Parameter(vector, requires_grad=False)


def slots(vector: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """Where each parameter stands in a vector as `flatten` makes one."""
    parts = vector.split([_room(p, vector.dtype) for p in parameters])
    return [part[: p.numel()].view_as(p) for part, p in zip(parts, parameters, strict=True)]


def _room(parameter: Tensor, kind: torch.dtype) -> int:
    """How many numbers of a vector a parameter takes."""
    unit = max(1, ALIGNED // kind.itemsize)
    return -(-parameter.numel() // unit) * unit


def compact(vector: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """The numbers of a vector's parameters, one after another."""
    return torch.cat([slot.reshape(-1) for slot in slots(vector, parameters)])


def spread(numbers: Tensor, parameters: Sequence[Tensor], vector: Tensor) -> None:
    """Puts numbers that `compact` gave into a vector."""
    parts = numbers.split([p.numel() for p in parameters])
    for slot, part in zip(slots(vector, parameters), parts, strict=True):
        slot.copy_(part.view_as(slot))
