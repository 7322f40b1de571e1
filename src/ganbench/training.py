"""The training story: the two turns, a round, and the stream of reports. What they move is a `State`."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench import sharing
from ganbench.data.batches import Batches
from ganbench.objectives import HasGauges
from ganbench.recipes.base import Recipe
from ganbench.recordings import Move, Recorder, recordable
from ganbench.schedules import Falling, Side
from ganbench.state import State
from ganbench.types import START, At, Moment, Sample, Term, Turn


@dataclass(frozen=True, slots=True)
class Report:
    """What a round did. Losses stay on the device until somebody reads them."""

    round: int
    seconds: float
    losses: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Span:
    """How long a training is: so many rounds, or so many minutes of training."""

    rounds: int | None = None
    minutes: float | None = None

    def progress(self, round: int, seconds: float) -> float:
        """The share that is done; 1 or more when the training is over."""
        if self.rounds is not None:
            return round / self.rounds
        assert self.minutes is not None
        return seconds / (60 * self.minutes)


def train(state: State, recipe: Recipe, batches: Batches, span: Span) -> Generator[Report]:
    """Plays rounds to the end of the span, and reports each. The state moves on in place.

    `seconds` counts the rounds alone, not what the caller does between them. Of several processes all end where one
    of their callers stops asking. On a GPU moves are recorded in the first rounds, and played again from then on.
    """
    going = True
    make = Recorder(move) if recordable(state, recipe) else move
    while going and (progress := span.progress(state.round, state.seconds)) < 1:
        start = time.perf_counter()
        with sharing.together():
            losses = play_round(state, recipe, batches, progress, make)
        if state.critic.vector.is_cuda:  # the round was only asked for until then
            torch.cuda.synchronize(state.critic.vector.device)
        state.seconds += time.perf_counter() - start
        going = False
        try:
            yield Report(state.round, state.seconds, losses)
            going = True
        finally:
            state.seconds, going = sharing.agreed(state.seconds, going)


def move(side: Side, state: State, recipe: Recipe, real: Sample, moment: Moment) -> dict[str, Tensor]:
    """A player learns from a batch; gives its losses. What this changes are tensors alone."""
    return (_move_critic if side == "critic" else _move_generator)(state, recipe, real, moment)


def play_round(
    state: State, recipe: Recipe, batches: Batches, progress: float = 0.0, make: Move = move
) -> dict[str, Tensor]:
    """The turns of one round; gives the losses of each player's last turn, by name."""
    losses: dict[str, Tensor] = {}
    with state.own_layer_noise():
        for side in recipe.turns.of_round(state.round, turned=state.turned > 0):
            losses |= play_turn(side, state, recipe, batches, At(progress), make)
    state.round += 1
    if recipe.turns.then:
        _turn_when_fallen(state, recipe.turns.then, recipe.turns.ends_window(state.round))
        losses["gauge.turned"] = torch.tensor(float(state.turned))
    return losses


def play_turn(
    side: Side, state: State, recipe: Recipe, batches: Batches, moment: Moment = START, make: Move = move
) -> dict[str, Tensor]:
    """A player's turn: the critic's is on the next batch, the generator's on the one seen last. Gives its losses."""
    if side == "critic":
        real = batches[state.critic_turns]
        state.critic_turns += 1
        return make(side, state, recipe, real, moment)
    losses = make(side, state, recipe, batches[max(state.critic_turns - 1, 0)], moment)
    if state.average:
        state.average.follow(state.generator, state.generator_turns)
    state.generator_turns += 1
    return losses


def _turn_when_fallen(state: State, then: Falling, window_ends: bool) -> None:
    """Notes that the ratio of turns changes; asks the device once a window, and no more once it has changed."""
    if window_ends and not state.turned:
        state.pace = then.judge(state.pace)
        state.turned = state.round if then.fallen(state.pace) else 0


def _move_critic(state: State, recipe: Recipe, real: Sample, moment: Moment) -> dict[str, Tensor]:
    """The critic learns to tell the data from fakes, which are made without a graph."""
    with torch.no_grad():
        turn = _deal(state, recipe, real, moment, joint=state.joint)
    game = recipe.objective.discriminator(turn.scores, state.memory)
    loss, losses = _add_terms("critic", game, recipe.critic.terms, turn)
    state.critic.step(loss, recipe.critic, moment)
    with torch.no_grad():
        if recipe.turns.then and not state.turned and state.round >= recipe.turns.opened:
            gap = turn.scores.real.mean() - turn.scores.fake.mean()
            state.pace = recipe.turns.then.add(gap, state.pace)
        state.memory = recipe.objective.advance(turn.scores, state.memory)
        if isinstance(recipe.objective, HasGauges):
            gauges = recipe.objective.gauges(turn.scores, state.memory)
            losses |= {f"gauge.{name}": value.detach() for name, value in gauges.items()}
    return losses


def _move_generator(state: State, recipe: Recipe, real: Sample, moment: Moment) -> dict[str, Tensor]:
    """The generator learns what the critic takes for data."""
    loss, losses = generator_loss(state, recipe, real, moment)
    state.generator.step(loss, recipe.generator, moment)
    return losses


def generator_loss(
    state: State, recipe: Recipe, real: Sample, moment: Moment = START
) -> tuple[Tensor, dict[str, Tensor]]:
    """What the generator would go down on its next turn, and its parts by name. Some compare it with the data."""
    turn = _deal(state, recipe, real, moment, joint=False)
    game = recipe.objective.generator(turn.scores, state.memory)
    return _add_terms("generator", game, recipe.generator.terms, turn)


def _deal(state: State, recipe: Recipe, real: Sample, moment: Moment, *, joint: bool) -> Turn:
    """A batch of the data and as many fakes, with the data's labels."""
    latent = state.prior.draw(real.y, len(real.x), state.streams["latent"])
    fake = state.generator.shared(latent)
    return Turn(real, fake, latent, state.critic.shared, state.streams["terms"], moment=moment, joint=joint)


def _add_terms(side: str, game: Tensor, terms: Mapping[str, Term], turn: Turn) -> tuple[Tensor, dict[str, Tensor]]:
    """The whole loss, and its parts by name: the game's under the player's name, the terms' unweighted."""
    loss, losses = game, {side: game.detach()}
    for name, term in terms.items():
        value = term(turn)
        loss = loss + term.weight * value
        losses[f"{side}.{name}"] = value.detach()
    return loss, losses
