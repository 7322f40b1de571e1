"""What a GPU plays again is what it would do when asked for each operation. Skipped where there is none."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from ganbench.data.batches import Batches
from ganbench.recipes import Recipe
from ganbench.recordings import recordable
from ganbench.schedules import Constant
from ganbench.state import State
from ganbench.training import Span, play_round, train
from ganbench.types import Medium
from tests.laws.test_laws import CASES, THINGS, small, snapshot
from tests.sharing.battery import plain
from tests.sharing.test_sharing import furthest

ROUNDS = 9
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
every_recipe = pytest.mark.parametrize(("name", "medium"), CASES)


def begin(
    name: str, medium: Medium, device: str = "cuda", change: Callable[[Recipe], Recipe] = plain
) -> tuple[State, Recipe, Batches]:
    recipe: Recipe = change(small(name, medium))
    x, y = (each if each is None else each.to(device) for each in THINGS[medium])
    assert x is not None
    batches = Batches(x, y, size=recipe.batch_size, seed=0)
    classes = 0 if medium == "points" else 3
    return State(recipe, x.shape[1:], classes=classes, seed=0, device=device), recipe, batches


def as_it_is(recipe: Recipe) -> Recipe:
    return recipe


def steady(recipe: Recipe) -> Recipe:
    """Descent at a rate that does not change, which alone can be recorded of it."""
    recipe = replace(plain(recipe), turns=replace(recipe.turns, then=None))
    players = {side: replace(getattr(recipe, side), rate=Constant()) for side in ("critic", "generator")}
    return replace(recipe, **players)


def to_be_recorded(
    name: str, medium: Medium, change: Callable[[Recipe], Recipe]
) -> tuple[State, Recipe, Batches, dict[str, torch.Tensor]]:
    """A training that is recorded, and where it starts."""
    state, recipe, batches = begin(name, medium, change=change)
    assert recordable(state, recipe)
    return state, recipe, batches, {f"start.{key}": value for key, value in snapshot(state).items()}


@on_a_gpu
@every_recipe
def test_recorded_rounds_are_those_that_are_asked_for(name: str, medium: Medium) -> None:
    """Losses, weights, averages, batch statistics, random streams and what games carry."""
    state, recipe, batches, start = to_be_recorded(name, medium, steady)
    losses = [dict(report.losses) for report in train(state, recipe, batches, Span(rounds=ROUNDS))]
    asked, recipe, batches = begin(name, medium, change=steady)
    for number, found in enumerate(losses):
        expected = play_round(asked, recipe, batches, number / ROUNDS)
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert float(found[key]) == pytest.approx(float(value), rel=5e-3, abs=1e-3), (number, key)
    differences = furthest(start | snapshot(asked), start | snapshot(state))
    assert max(differences.values()) < 5e-3, max(differences, key=differences.__getitem__)
    assert max(value for key, value in differences.items() if key.startswith("stream.")) == 0


@on_a_gpu
@pytest.mark.parametrize(("name", "medium"), [("r3gan", "images"), ("best", "images"), ("best", "points")])
def test_rates_and_penalties_change_along_a_recorded_training(name: str, medium: Medium) -> None:
    state, recipe, batches, start = to_be_recorded(name, medium, as_it_is)
    for _ in train(state, recipe, batches, Span(rounds=ROUNDS)):
        pass
    asked, recipe, batches = begin(name, medium, change=as_it_is)
    for number in range(ROUNDS):
        play_round(asked, recipe, batches, number / ROUNDS)
    differences = furthest(start | snapshot(asked), start | snapshot(state))
    assert max(differences.values()) < 5e-2, max(differences, key=differences.__getitem__)


@on_a_gpu
@pytest.mark.parametrize(("name", "medium"), [("began", "images"), ("best", "colour images"), ("wgan-gp", "points")])
def test_a_recorded_training_goes_on_from_a_copy(name: str, medium: Medium) -> None:
    state, recipe, batches, start = to_be_recorded(name, medium, as_it_is)
    copy = None
    for report in train(state, recipe, batches, Span(rounds=ROUNDS)):
        if report.round == 5:
            copy = snapshot(state), state.counters()
    assert copy is not None
    again, recipe, batches = begin(name, medium, change=as_it_is)
    again.restore(*copy)
    for _ in train(again, recipe, batches, Span(rounds=ROUNDS)):
        pass
    differences = furthest(start | snapshot(state), start | snapshot(again))
    assert max(differences.values()) < 5e-3, max(differences, key=differences.__getitem__)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions as exact, and as much the same each time, as the GPU can have them."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


def test_nothing_is_recorded_on_the_cpu() -> None:
    state, recipe, _ = begin("gan", "points", "cpu", as_it_is)
    assert not recordable(state, recipe)
