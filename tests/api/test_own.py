"""A person's own networks, objectives and terms go in where ours do."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganbench import api
from ganbench.averages import Decay
from ganbench.networks import MLP, Plain
from ganbench.objectives import NonSaturating
from ganbench.recipes import Player, Recipe
from ganbench.terms import GradientPenalty
from ganbench.types import Turn, UsageError
from ganbench.workbench import Workbench

X = np.random.default_rng(0).normal(size=(200, 2)) * [1, 3] + [0, 100]
QUICK = {"measure.count": 32, "measure.final": 32, "snapshot_every": 2, "progress": False}
TINY = Player(network=MLP((8,)))


class Softplus:
    """The non-saturating game, written by somebody who has not seen ours."""

    surface = "probability"

    def init(self) -> dict:
        return {"turns": torch.zeros(())}

    def discriminator(self, scores: Any, memory: Any) -> torch.Tensor:
        return F.softplus(-scores.real).mean() + F.softplus(scores.fake).mean()

    def generator(self, scores: Any, memory: Any) -> torch.Tensor:
        return F.softplus(-scores.fake).mean()

    def advance(self, scores: Any, memory: Any) -> dict:
        return {"turns": memory["turns"] + 1}


class OwnR1:
    """R1, again."""

    weight = 0.5

    def __call__(self, turn: Turn) -> torch.Tensor:
        return turn.gradient_at_real.square().sum(dim=1).mean()


def recipe(**pieces: Any) -> Recipe:
    return Recipe(**({"critic": TINY, "generator": TINY, "batch_size": 16, "rounds": 4} | pieces))


def networks() -> tuple[nn.Module, nn.Module]:
    """A generator from the 5 numbers of the noise, and a critic, the same each time."""
    torch.manual_seed(0)
    return (
        nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2)),
        nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0)),
    )


def play(made: Recipe) -> Workbench:
    """A training, played to its end."""
    bench = api.prepare(made, X)
    assert [report.round for report in bench.play()] == [1, 2, 3, 4]
    return bench


def points(made: Recipe) -> np.ndarray:
    """Points after all rounds."""
    return play(made).sample(20)


def test_an_own_objective_is_played_as_ours() -> None:
    assert np.array_equal(points(recipe(objective=Softplus())), points(recipe(objective=NonSaturating())))


def test_an_own_term_is_paid_as_ours() -> None:
    ours = GradientPenalty("real", target=0, weight=0.5)
    both = [Player(network=MLP((8,)), terms={"r1": term}) for term in (OwnR1(), ours)]
    mine, theirs = (points(recipe(critic=player)) for player in both)
    assert mine == pytest.approx(theirs, rel=1e-5)
    assert not np.array_equal(mine, points(recipe()))
    bench = api.prepare(recipe(critic=both[0]), X)
    assert "critic.r1" in next(bench.play()).losses


def test_own_modules_are_players_bare_or_wrapped() -> None:
    found = []
    for wrap in (lambda module: module, Plain):
        players = networks()
        before = deepcopy([module.state_dict() for module in players])
        generator, critic = (Player(network=wrap(module)) for module in players)
        bench = api.prepare(recipe(generator=generator, critic=critic), X)
        start = bench.sample(20)
        assert len(list(bench.play())) == 4
        found.append(bench.sample(20))
        assert not np.array_equal(found[-1], start)
        for module, state in zip(players, before, strict=True):  # copies are trained
            assert all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())
    assert np.array_equal(*found)


def test_a_critic_may_give_a_column_of_scores() -> None:
    flat, column = networks()[1], networks()[1][:-1]
    assert np.array_equal(*(points(recipe(critic=Player(network=critic))) for critic in (flat, column)))


@pytest.mark.parametrize("average", [None, Decay(0.5)])
def test_what_is_frozen_stays(average: Decay | None) -> None:
    """Frozen weights are a person's own, such as those of a network that was trained before."""
    generator, _ = networks()
    generator[0].requires_grad_(False)
    bench = play(recipe(generator=Player(network=generator), average=average))
    for network in (bench.state.generator.network, bench.state.sampler):
        frozen, learnt = (layer.weight for layer in network.modules() if isinstance(layer, nn.Linear))
        assert torch.equal(frozen, generator[0].weight)
        assert not torch.equal(learnt, generator[2].weight)


def test_batch_statistics_are_kept_apart_and_averaged() -> None:
    generator, critic = (nn.Sequential(module[0], nn.BatchNorm1d(8), *module[1:]) for module in networks())
    bench = play(recipe(generator=Player(network=generator), critic=Player(network=critic), average=Decay(0.5)))
    assert np.isfinite(bench.sample(20)).all()

    def passes(network: nn.Module) -> int:
        return next(int(buffer) for name, buffer in network.named_buffers() if name.endswith("num_batches_tracked"))

    # Each round has a turn of each player; real and fake are judged apart on the critic's, the fake on the generator's.
    assert passes(bench.state.generator.network) == passes(bench.state.sampler) == 4 * 2
    assert passes(bench.state.critic.network) == 4 * (2 + 1)


@pytest.mark.parametrize(
    ("player", "module", "sentence"),
    [
        ("generator", nn.Linear(5, 3), r"your generator gives things of shape \(3,\), but the data's have \(2,\)"),
        ("critic", nn.Linear(2, 2), "your critic gives scores of shape .* one for each of"),
    ],
)
def test_wrong_shapes_are_told_in_a_sentence(player: str, module: nn.Module, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        points(recipe(**{player: Player(network=module)}))


@pytest.mark.parametrize("field", ["objective", "critic", "average"])
def test_what_is_no_piece_is_told_in_a_sentence(field: str) -> None:
    with pytest.raises((UsageError, ValueError), match=field):
        recipe(**{field: object()})


def test_a_run_of_own_pieces_needs_its_recipe_again(tmp_path: Path, undrawn: None) -> None:
    own = recipe(objective=Softplus(), critic=Player(network=MLP((8,)), terms={"r1": OwnR1()}))
    run = api.fit(own, X, tmp_path / "run", **QUICK, seed=3)
    assert run.sample(5).shape == (5, 2)
    for look in (lambda run: run.sample(5), lambda run: run.measure(), lambda run: run.scatter()):
        with pytest.raises(UsageError, match=r"config.yaml: .*own object \(.*Softplus\).*give the recipe"):
            look(api.load(run.path))
    again = api.load(run.path, own)
    assert np.array_equal(again.sample(5), run.sample(5))
    assert again.measure(count=32, checkpoint="last") == run.summary["metrics"]["final"]
    assert api.load(run.path).summary == run.summary


def test_own_networks_come_back_as_they_were_best(tmp_path: Path, undrawn: None) -> None:
    generator, critic = networks()
    own = recipe(generator=Player(network=generator), critic=Player(network=critic))
    run = api.fit(own, X, tmp_path / "run", **QUICK)
    found = run.sample(5)
    fresh, other = networks()
    loaded = api.load(run.path, recipe(generator=Player(network=fresh), critic=Player(network=other)))
    assert np.array_equal(loaded.sample(5), found)
    assert loaded.measure(count=32) == run.summary["metrics"]["best"]


def test_settings_change_around_own_pieces(tmp_path: Path, undrawn: None) -> None:
    own = recipe(objective=Softplus())
    run = api.fit(own, X, tmp_path / "run", **QUICK, rounds=2, **{"critic.optimizer": "sgd"})
    assert (run.summary["rounds"], run.summary["recipe"]) == (2, "own")
    results = api.compare(
        {"mine": own}, X, tmp_path / "study", seeds=2, jobs=1, grid={"critic.optimizer.lr": [1e-3, 1e-2]},
        **{name: value for name, value in QUICK.items() if name != "progress"},
    )  # fmt: skip
    assert [run.status for runs in results.runs.values() for run in runs] == ["finished"] * 4


def test_objects_that_cannot_reach_a_worker_are_told_of(tmp_path: Path) -> None:
    class Local(Softplus):
        """A class that no other process can import."""

    with pytest.raises(UsageError, match="jobs=1"):
        api.compare({"mine": recipe(objective=Local())}, X, tmp_path / "study", seeds=1, jobs=2)
