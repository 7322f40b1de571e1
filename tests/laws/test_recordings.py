"""A recorded move is the plain one, for every recipe; by what stands in for a GPU's recordings on a processor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from ganbench import recordings
from ganbench.data.batches import Batches
from ganbench.networks import Plain
from ganbench.objectives import NonSaturating
from ganbench.recipes import Recipe
from ganbench.recordings import Recorder, repeats
from ganbench.schedules import Falling, Turns
from ganbench.state import State
from ganbench.training import move, play_round
from ganbench.types import Medium, Memory, Scores
from tests.laws.test_laws import CASES, begin, same, snapshot
from tests.recordings import recording
from tests.sharing.battery import plain as descending

ROUNDS = 7
Training = tuple[State, Recipe, Batches]


def begun(name: str, medium: Medium, change: Callable[[Recipe], Recipe] = lambda recipe: recipe) -> Training:
    """Small, and with turns that do not change by what was seen, which cannot be recorded."""
    state, recipe, batches = begin(name, medium)
    recipe = change(replace(recipe, turns=replace(recipe.turns, then=None)))
    state.memory = recipe.objective.init()
    return state, recipe, batches


def play(training: Training, recorder: Recorder | None, rounds: range) -> list[dict[str, float]]:
    """The losses of rounds; read when all of them are over."""
    make = move if recorder is None else recorder
    losses = [play_round(*training, number / ROUNDS, make) for number in rounds]
    return [{name: float(loss) for name, loss in each.items()} for each in losses]


@pytest.mark.parametrize(("name", "medium"), CASES)
def test_recorded_moves_are_the_plain_ones(name: str, medium: Medium, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses, weights, averages, statistics, random streams and what games carry, with all that changes on the way."""
    recording(monkeypatch)
    recorded, plain = begun(name, medium), begun(name, medium)
    recorder = Recorder(move)
    found = play(recorded, recorder, range(ROUNDS))
    assert set(recorder.recordings) == {"critic", "generator"}
    monkeypatch.setattr(recordings, "FIRST", 1000)  # a rate that is read from memory is rounded to fp32, so here, too
    steady = all(player.rate.at(0) == player.rate.at(1) for player in (plain[1].critic, plain[1].generator))
    assert found == play(plain, None if steady else Recorder(move), range(ROUNDS))
    assert same(snapshot(recorded[0]), snapshot(plain[0]))


@pytest.mark.parametrize(("name", "medium"), [("best", "points"), ("best", "colour images"), ("began", "images")])
def test_going_on_is_bit_for_bit_the_same(name: str, medium: Medium, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the first moves are then plain again; with a new recorder, or with one that has recorded before."""
    recording(monkeypatch)
    whole, recorder = begun(name, medium), Recorder(move)
    play(whole, recorder, range(4))
    copy = snapshot(whole[0]), whole[0].counters()
    expected = play(whole, recorder, range(4, ROUNDS))
    for again, maker in ((begun(name, medium), Recorder(move)), (whole, recorder)):
        again[0].restore(*copy)
        assert play(again, maker, range(4, ROUNDS)) == expected


@dataclass(frozen=True)
class Remembering(NonSaturating):
    """A game in which the generator's loss reads what the critic's turns carry."""

    def init(self) -> Memory:
        return {"turns": torch.zeros(())}

    def advance(self, scores: Scores, memory: Memory) -> Memory:
        return {"turns": memory["turns"] + 1}

    def generator(self, scores: Scores, memory: Memory) -> Tensor:
        return super().generator(scores, memory) + memory["turns"]

    def gauges(self, scores: Scores, memory: Memory) -> Mapping[str, Tensor]:
        return memory


@pytest.mark.parametrize("turns", [Turns(critic=1, generator=5), Turns(critic=5), Turns(first="generator")])
def test_what_a_game_carries_is_seen_by_both(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while one player is recorded and the other not yet; and what a report said stays said."""
    recording(monkeypatch)

    def change(recipe: Recipe) -> Recipe:
        return replace(recipe, turns=turns, objective=Remembering())

    recorded, plain = begun("gan", "points", change), begun("gan", "points", change)
    assert play(recorded, Recorder(move), range(ROUNDS)) == play(plain, None, range(ROUNDS))


class Own(NonSaturating):
    """A game of a person's own, which may do anything."""


def repeated(change: Callable[[Recipe], Recipe], name: str = "gan") -> bool:
    """Whether a recipe that is changed so makes the same moves each time."""
    _, recipe, batches = begin(name, "points")
    recipe = change(recipe)
    return repeats(State(recipe, batches[0].x.shape[1:], seed=0), recipe)


def own_generator(recipe: Recipe) -> Recipe:
    module = torch.nn.Linear(recipe.prior.dimension, 2)
    return replace(recipe, generator=replace(recipe.generator, network=Plain(module)))


def test_what_may_differ_from_move_to_move_is_not_recorded() -> None:
    assert repeated(lambda recipe: recipe)
    assert repeated(lambda recipe: recipe, "best")
    assert not repeated(descending, "best")  # whose rate falls, which only some optimisers hear of
    assert not repeated(lambda recipe: replace(recipe, objective=Own()))
    assert not repeated(own_generator)
    assert not repeated(lambda recipe: replace(recipe, turns=Turns(then=Falling())))
