"""Moves of the players as a GPU records them once, and plays them again at one call.

A move of a small network is some hundreds of operations, and Python takes longer to ask for one than a GPU to do it.
A recording (a CUDA graph) asks for all at once. It reads and writes the same memory each time: a batch is put where the
recorded one lay, and so are the factors by which rates and penalties change along a training. Random numbers go on
where those of the same streams would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from ganbench import sharing
from ganbench.optimizers import Adam, AdamW, Momentum, Nesterov, RMSprop, Sgd
from ganbench.recipes.base import Player, Recipe
from ganbench.schedules import Constant, Side
from ganbench.state import State
from ganbench.types import Curve, Moment, Sample

Move: TypeAlias = Callable[[Side, State, Recipe, Sample, Moment], dict[str, Tensor]]

FIRST = 3
"""So many moves of a player are made plainly: libraries choose their methods, optimisers make room for moments."""

CURVES = 64
"""More than a recipe has."""

STEERED, STEADY = (Adam, AdamW), (Sgd, Momentum, Nesterov, RMSprop)
"""Optimisers whose rate a recording can read anew each time, and those whose rate it cannot change."""


def recordable(state: State, recipe: Recipe) -> bool:
    """Whether the moves are the same operations each time: on one GPU, of parts that are known to be so."""
    plain = sharing.processes() == 1 and state.critic.shared is state.critic.network
    steady = recipe.turns.then is None and all(map(_rate_is_recordable, (recipe.critic, recipe.generator)))
    return state.critic.vector.is_cuda and plain and steady and all(map(_is_ours, _parts(state, recipe)))


def _rate_is_recordable(player: Player) -> bool:
    fixed = isinstance(player.rate, Constant)
    return isinstance(player.optimizer, (*STEERED, *STEADY) if fixed else STEERED)


def _parts(state: State, recipe: Recipe) -> list[object]:
    """All that takes part in a move, a person's own things among them."""
    players = (recipe.critic, recipe.generator)
    settings = [part for player in players for part in (*player.terms.values(), *player.constraints.values())]
    return [
        recipe.objective,
        state.prior,
        *settings,
        *(part for network in state.networks for part in network.modules()),
    ]


def _is_ours(part: object) -> bool:
    return type(part).__module__.partition(".")[0] in ("ganbench", "torch")


class Recorder:
    """Makes moves: the first ones plainly, the later ones by a recording of each player's."""

    def __init__(self, move: Move) -> None:
        self.move = move
        self.made: Counter[Side] = Counter()
        self.recordings: dict[Side, Recording] = {}

    def __call__(self, side: Side, state: State, recipe: Recipe, real: Sample, moment: Moment) -> dict[str, Tensor]:
        self.made[side] += 1
        if self.made[side] <= FIRST:
            return self.move(side, state, recipe, real, moment)
        if not self.recordings:  # which write into the memory that they found, and reports may hold what was there
            state.memory = {name: value.clone() for name, value in state.memory.items()}
        if side not in self.recordings:
            self.recordings[side] = Recording(self.move, side, state, recipe, real)
        return self.recordings[side].play(real, moment)


class Recording:
    """A player's move, which stands in for the moment of each."""

    def __init__(self, move: Move, side: Side, state: State, recipe: Recipe, real: Sample) -> None:
        self.real = Sample(real.x.clone(), None if real.y is None else real.y.clone())
        self.factors: dict[Curve, Tensor] = {}
        # Not within the recording, whose memory is used for one thing after another.
        self._room = iter(torch.empty(CURVES, device=real.x.device))
        self.graph = torch.cuda.CUDAGraph()
        for stream in state.streams.values():
            self.graph.register_generator_state(stream)
        memory = state.memory
        with torch.cuda.graph(self.graph):
            losses = move(side, state, recipe, self.real, self)  # type: ignore[arg-type]
            for name, value in [(name, value.clone()) for name, value in state.memory.items()]:
                memory[name].copy_(value)
            self.losses = torch.stack([loss.float() for loss in losses.values()])
        state.memory = memory
        self.names = tuple(losses)

    def factor(self, curve: Curve) -> float | Tensor:
        """Where a recorded move finds a curve's factor, into which each replay writes it first."""
        if isinstance(curve, Constant):
            return 1.0
        if curve not in self.factors:
            self.factors[curve] = next(self._room)
        return self.factors[curve]

    def play(self, real: Sample, moment: Moment) -> dict[str, Tensor]:
        """The move on this batch, at this moment."""
        self.real.x.copy_(real.x)
        if self.real.y is not None and real.y is not None:
            self.real.y.copy_(real.y)
        for curve, factor in self.factors.items():
            factor.fill_(moment.factor(curve))
        self.graph.replay()
        return dict(zip(self.names, self.losses.clone().unbind(), strict=True))
