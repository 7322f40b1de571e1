"""A recorded move is the plain one, for every recipe; by what stands in for a GPU's recordings on a processor."""

from dataclasses import replace

import pytest

from ganbench.data.batches import Batches
from ganbench.recipes import Recipe
from ganbench.recordings import Recorder
from ganbench.state import State
from ganbench.training import move, play_round
from ganbench.types import Medium
from tests.laws.test_laws import CASES, begin, same, snapshot
from tests.recordings import recording

ROUNDS = 7


def without_then(name: str, medium: Medium) -> tuple[State, Recipe, Batches]:
    """Small, and with turns that do not change by what was seen, which cannot be recorded."""
    state, recipe, batches = begin(name, medium)
    return state, replace(recipe, turns=replace(recipe.turns, then=None)), batches


@pytest.mark.parametrize(("name", "medium"), CASES)
def test_recorded_moves_are_the_plain_ones(name: str, medium: Medium, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses, weights, averages, statistics, random streams and what games carry, with all that changes on the way."""
    recording(monkeypatch)
    recorded, plain = without_then(name, medium), without_then(name, medium)
    recorder = Recorder(move)
    steady = all(player.rate.at(0) == player.rate.at(1) for player in (plain[1].critic, plain[1].generator))
    for number in range(ROUNDS):
        found, expected = (
            play_round(*training, number / ROUNDS, makes) for training, makes in ((recorded, recorder), (plain, move))
        )
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert float(found[key]) == pytest.approx(float(value), rel=1e-5, abs=1e-6), (number, key)
    assert set(recorder.recordings) == {"critic", "generator"}
    # A rate that comes as a number in fp32 rounds otherwise than Python's.
    assert same(snapshot(recorded[0]), snapshot(plain[0])) or not steady
