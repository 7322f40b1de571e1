"""Moves of the players as a GPU records them once, and plays them again at one call.

A move of a small network is some hundreds of operations, and Python takes longer to ask for one than a GPU to do it.
A recording (a CUDA graph) asks for all at once. It reads and writes the same memory each time: a batch is put where the
recorded one lay, and so are the factors by which rates and penalties change along a training. Random numbers go on
where those of the same streams would.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor

from ganbench import sharing
from ganbench.networks import Plain
from ganbench.optimizers import Adam, AdamW, Momentum, Nesterov, RMSprop, Sgd
from ganbench.recipes.base import Player, Recipe
from ganbench.schedules import Constant, Side
from ganbench.state import State
from ganbench.types import Curve, Moment, Sample

Move: TypeAlias = Callable[[Side, State, Recipe, Sample, Moment], dict[str, Tensor]]

FIRST = 3
"""So many moves of a player are made plainly: libraries choose their methods, optimisers make room for moments."""

STEERED, STEADY = (Adam, AdamW), (Sgd, Momentum, Nesterov, RMSprop)
"""Optimisers whose rate a recording can read anew each time, and those whose rate it cannot change."""


def recordable(state: State, recipe: Recipe) -> bool:
    """Whether moves can be recorded: on the GPU in use, the same operations each time."""
    vector = state.critic.vector
    return vector.is_cuda and vector.device.index == torch.cuda.current_device() and repeats(state, recipe)


def repeats(state: State, recipe: Recipe) -> bool:
    """Whether the moves are the same operations each time: in one process, of parts that are known to be so."""
    whole = sharing.processes() == 1 and state.critic.shared is state.critic.network
    steady = not recipe.turns.then and all(map(_rate_is_recordable, (recipe.critic, recipe.generator)))
    return whole and steady and all(map(_is_ours, _parts(recipe)))


def _rate_is_recordable(player: Player) -> bool:
    return type(player.optimizer) in (STEERED + STEADY if isinstance(player.rate, Constant) else STEERED)


def _parts(recipe: Recipe) -> list[object]:
    """All that decides what a move does."""
    parts: list[object] = [recipe.objective, recipe.prior, *recipe.wrappers.values()]
    for player in (recipe.critic, recipe.generator):
        parts += [player.network, *player.terms.values(), *player.constraints.values()]
    return parts


def _is_ours(part: object) -> bool:
    """A person's own thing might do something else each time."""
    return type(part).__module__.startswith("ganbench.") and not isinstance(part, Plain)


class Recorder:
    """Makes moves: each player's first ones plainly, the later ones by a recording.

    It stands in for the moment of all moves, so that plain and recorded ones read the same factors, and the game's
    memory stays where it was.
    """

    def __init__(self, move: Move) -> None:
        self.move = move
        self.renewed = -1

    def __call__(self, side: Side, state: State, recipe: Recipe, real: Sample, moment: Moment) -> dict[str, Tensor]:
        if self.renewed != state.renewed:
            self._begin(state)
        self.moment = moment
        for curve, place in self.factors.values():
            place.fill_(moment.factor(curve))
        self.made[side] += 1
        if self.made[side] <= FIRST:
            return self._moved(side, state, recipe, real)
        if side not in self.recordings:
            make_capturable(getattr(state, side).optimizer)
            self.recordings[side] = Recording(partial(self._moved, side, state, recipe), real, state, self.pool)
        return self.recordings[side].play(real)

    def factor(self, curve: Curve) -> float | Tensor:
        """Where a move finds a curve's factor. Places are made in the first moves: in a recording's own memory one
        place serves many things."""
        if isinstance(curve, Constant):
            return 1.0
        if id(curve) not in self.factors:
            self.factors[id(curve)] = curve, torch.tensor(self.moment.factor(curve), device=self.device)
        return self.factors[id(curve)][1]

    def _begin(self, state: State) -> None:
        """Forgets what was recorded of tensors that the state no longer has."""
        self.renewed, self.device = state.renewed, state.critic.vector.device
        self.memory = state.memory = {name: value.clone() for name, value in state.memory.items()}
        self.factors: dict[int, tuple[Curve, Tensor]] = {}
        self.made: dict[Side, int] = {"critic": 0, "generator": 0}
        self.recordings: dict[Side, Recording] = {}
        self.pool = torch.cuda.graph_pool_handle()

    def _moved(self, side: Side, state: State, recipe: Recipe, real: Sample) -> dict[str, Tensor]:
        """A move after which the game's memory is where it was."""
        try:
            losses = self.move(side, state, recipe, real, self)
            for name, value in [(name, value.clone()) for name, value in state.memory.items()]:
                self.memory[name].copy_(value)
        finally:
            state.memory = self.memory
        return losses


class Recording:
    """A player's move, played again on other batches."""

    def __init__(self, move: Callable[[Sample], dict[str, Tensor]], real: Sample, state: State, pool: Any) -> None:
        self.real = Sample(real.x.clone(), None if real.y is None else real.y.clone())
        self.graph = torch.cuda.CUDAGraph()
        for stream in state.streams.values():
            self.graph.register_generator_state(stream)
        with torch.cuda.graph(self.graph, pool=pool):
            losses = move(self.real)
            self.losses = torch.stack([loss.float() for loss in losses.values()])
        self.names = tuple(losses)

    def play(self, real: Sample) -> dict[str, Tensor]:
        self.real.x.copy_(real.x)
        if self.real.y is not None and real.y is not None:
            self.real.y.copy_(real.y)
        self.graph.replay()
        return dict(zip(self.names, self.losses.clone().unbind(), strict=True))


def make_capturable(optimizer: torch.optim.Optimizer) -> None:
    """Has an optimiser count its steps on the GPU, as it must within a recording."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            if parameter.is_cuda and "capturable" in group:
                group["capturable"] = True
                state["step"] = state["step"].to(parameter.device)
