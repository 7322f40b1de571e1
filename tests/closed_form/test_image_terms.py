"""Terms, games and priors of the image recipes against closed forms, and against the fault that the texts ran into."""

import itertools
import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from torch import Tensor, nn

from ganbench.data.batches import Batches
from ganbench.objectives import Energy, Equilibrium, Pair
from ganbench.priors import Coded, Noise
from ganbench.recipes import Recipe, recipe_named
from ganbench.settings import from_tree, to_tree
from ganbench.state import State
from ganbench.terms import ClassLoss, CodeLoss, PullAway
from ganbench.training import play_round
from ganbench.types import Latent, Sample, Turn, UsageError, Verdict

rows = st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))


class Says(nn.Module):
    """A critic whose verdict on a thing is the thing itself, in one of the verdict's fields."""

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field

    def forward(self, x: Tensor, y: Tensor | None = None) -> Verdict:
        said: dict[str, Any] = {self.field: x}
        return Verdict(x.sum(1), **said)


def turn(
    field: str,
    fake: Tensor,
    real: Tensor | None = None,
    *,
    labels: Any = None,
    asked: Any = None,
    code: Any = None,
    choices: int = 10,
) -> Turn:
    seen = Sample(fake if real is None else real, labels)
    return Turn(seen, fake, Latent(torch.zeros(len(fake), 1), asked, code, choices), Says(field), torch.Generator())


def pull_away(codes: Tensor, norm: Literal["row", "batch"] = "row") -> float:
    return float(PullAway(norm=norm)(turn("embedding", codes)).detach())


def usual_pull_away(codes: Tensor) -> float:
    """As common code has it: one norm for the whole batch, and no squares."""
    normalised = codes / codes.abs().sum()
    count = len(codes)
    return float(((normalised @ normalised.T).sum() - count) / (count * (count - 1)))


@given(rows, st.sampled_from([0.01, 1.0, 50.0]))
def test_pull_away_is_one_on_a_collapsed_batch(rng: torch.Generator, scale: float) -> None:
    """Also where copies differ in length or sign: it is the directions that have collapsed."""
    one = torch.randn(1, 32, generator=rng)
    lengths = torch.rand(64, 1, generator=rng) * scale + scale
    lengths[::3] *= -1
    assert pull_away(one.repeat(64, 1)) == pytest.approx(1, abs=1e-5)
    assert pull_away(one * lengths) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("length", [2, 8, 32, 128])
def test_pull_away_is_one_over_the_length_of_the_code_on_a_random_batch(length: int) -> None:
    codes = torch.randn(1024, length, generator=torch.Generator().manual_seed(0))
    assert pull_away(codes) == pytest.approx(1 / length, rel=0.02)


def test_pull_away_by_hand() -> None:
    assert pull_away(torch.eye(5)) == 0
    assert pull_away(torch.tensor([[2.0, 0.0], [3.0, 3.0]])) == pytest.approx(0.5)  # 45 degrees
    codes = np.random.default_rng(0).normal(size=(6, 4))
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in itertools.permutations(codes, 2)]
    assert pull_away(torch.tensor(codes)) == pytest.approx(np.mean(np.square(cosines)))


def test_the_usual_pull_away_cannot_tell_a_collapsed_batch_from_a_random_one() -> None:
    """The text's EBGAN could not be made to work (claim V3)."""
    random = torch.randn(64, 32, generator=torch.Generator().manual_seed(0))
    collapsed = random[:1].repeat(64, 1)
    assert pull_away(collapsed) - pull_away(random) > 0.95
    for codes in (random, collapsed):
        assert pull_away(codes, "batch") == pytest.approx(usual_pull_away(codes), rel=1e-5)
        assert pull_away(codes, "batch") == pytest.approx(-1 / 63, rel=2e-3)


def test_pull_away_parts_what_has_collapsed() -> None:
    rng = torch.Generator().manual_seed(0)
    codes = torch.randn(1, 8, generator=rng) + 0.05 * torch.randn(16, 8, generator=rng)
    before = pull_away(codes)
    for _ in range(300):
        codes.requires_grad_()
        (gradient,) = torch.autograd.grad(PullAway()(turn("embedding", codes)), codes)
        codes = (codes - 10 * gradient).detach()
    assert before > 0.95
    assert pull_away(codes) < 0.15  # 16 directions in 8 dimensions cannot all be at right angles


def test_a_code_without_direction_has_a_finite_gradient() -> None:
    codes = torch.zeros(4, 8, requires_grad=True)
    (gradient,) = torch.autograd.grad(PullAway()(turn("embedding", codes)), codes)
    assert gradient.isfinite().all()


@given(st.integers(1, 9), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_the_class_loss_is_the_cross_entropy(count: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    real, fake = 3 * rng.normal(size=(2, count, classes))
    labels, asked = rng.integers(classes, size=(2, count))

    def by_hand(logits: np.ndarray, of: np.ndarray) -> float:
        return float(np.mean(special.logsumexp(logits, axis=1) - logits[np.arange(count), of]))

    deal = turn(
        "class_logits", torch.tensor(fake), torch.tensor(real), labels=torch.tensor(labels), asked=torch.tensor(asked)
    )
    generators, critics = (ClassLoss(on=on)(deal) for on in (("fake",), ("real", "fake")))
    assert float(generators.detach()) == pytest.approx(by_hand(fake, asked))
    assert float(critics.detach()) == pytest.approx(by_hand(real, labels) + by_hand(fake, asked))


@given(st.integers(1, 9), st.integers(0, 5), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_the_code_loss_is_a_cross_entropy_and_half_a_squared_error(
    count: int, categories: int, continuous: int, seed: int
) -> None:
    if categories + continuous == 0:
        return
    rng = np.random.default_rng(seed)
    said = rng.normal(size=(count, categories + continuous))
    choice = rng.integers(categories, size=count) if categories else np.zeros(count, int)
    numbers = rng.uniform(-1, 1, (count, continuous))
    code = np.concatenate([np.eye(categories)[choice] if categories else np.zeros((count, 0)), numbers], axis=1)
    expected = 0.5 * np.square(said[:, categories:] - numbers).sum(axis=1).mean()
    if categories:
        logits = said[:, :categories]
        expected += np.mean(special.logsumexp(logits, axis=1) - logits[np.arange(count), choice])
    loss = CodeLoss()(turn("code", torch.tensor(said), code=torch.tensor(code), choices=categories))
    assert float(loss.detach()) == pytest.approx(expected)


def test_the_code_loss_bounds_the_codes_information() -> None:
    """A head that has learnt nothing pays the code's entropy (and the variances), one that knows it all pays 0."""
    code = Coded(Noise(2)).draw(None, 20_000, torch.Generator().manual_seed(0)).code
    assert code is not None
    ignorant = CodeLoss()(turn("code", torch.zeros_like(code), code=code))
    assert float(ignorant.detach()) == pytest.approx(math.log(10) + 2 * 0.5 / 3, rel=0.01)
    sure = torch.cat((code[:, :10] * 50, code[:, 10:]), dim=1)
    assert float(CodeLoss()(turn("code", sure, code=code)).detach()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("term", "field", "fragment"),
    [
        (PullAway(), "code", "autoencoder"),
        (ClassLoss(), "embedding", "heads"),
        (CodeLoss(), "embedding", "heads"),
        (CodeLoss(), "code", "prior=coded"),
    ],
)
def test_terms_say_what_they_miss(term: Any, field: str, fragment: str) -> None:
    with pytest.raises(UsageError, match=fragment):
        term(turn(field, torch.randn(4, 12), asked=torch.zeros(4, dtype=torch.int64)))


def energies(real: list[float], fake: list[float]) -> Pair:
    """The scores of things with these energies."""
    return Pair(-torch.tensor(real), -torch.tensor(fake))


def test_ebgans_margin() -> None:
    game, pair = Energy(margin=10.0), energies([1.0, 3.0], [4.0, 12.0])
    assert float(game.discriminator(pair, {})) == pytest.approx(2 + (6 + 0) / 2)
    assert float(game.generator(pair, {})) == pytest.approx(8)


@given(st.floats(0.5, 20), st.lists(st.floats(0, 40), min_size=1, max_size=6))
def test_fakes_beyond_the_margin_are_left_alone(margin: float, fake: list[float]) -> None:
    scores = (-torch.tensor(fake, dtype=torch.float64)).requires_grad_()
    loss = Energy(margin).discriminator(Pair(torch.zeros(1, dtype=torch.float64), scores), {})
    (gradient,) = torch.autograd.grad(loss, scores)
    expected = [1 / len(fake) if energy < margin else 0.0 for energy in fake]
    assert gradient.tolist() == pytest.approx(expected)


energy = st.floats(0, 100)


@given(st.lists(st.tuples(energy, energy), min_size=1, max_size=20), st.floats(0.1, 1), st.floats(1e-3, 0.5))
def test_begans_k_follows_its_recurrence_within_0_and_1(
    seen: list[tuple[float, float]], gamma: float, rate: float
) -> None:
    game = Equilibrium(gamma, rate)
    memory, k = game.init(), 0.0
    assert float(memory["k"]) == 0
    for real, fake in seen:
        pair = energies([real], [fake])
        assert float(game.discriminator(pair, memory)) == pytest.approx(real - k * fake, rel=1e-4, abs=1e-3)
        assert float(game.generator(pair, memory)) == pytest.approx(fake, rel=1e-6)
        memory, k = game.advance(pair, memory), min(1.0, max(0.0, k + rate * (gamma * real - fake)))
        assert 0 <= float(memory["k"]) <= 1
        assert float(memory["k"]) == pytest.approx(k, abs=1e-4)


def test_begans_measure_of_convergence_by_hand() -> None:
    game = Equilibrium(gamma=0.5)
    gauges = game.gauges(energies([3.0, 5.0], [1.0, 2.0]), {"k": torch.tensor(0.25)})
    assert float(gauges["convergence"]) == pytest.approx(4 + abs(0.5 * 4 - 1.5))
    assert float(gauges["k"]) == 0.25
    balanced = game.gauges(energies([4.0], [2.0]), game.init())
    assert float(balanced["convergence"]) == 4  # at equilibrium it is the error on the data


def tiny_began() -> tuple[State, Recipe, Batches]:
    tree = to_tree(recipe_named("began", "images")) | {"batch_size": 16}
    tree["critic"]["network"] |= {"channels": 4, "code": 5}
    tree["generator"]["network"] |= {"channels": 4, "dense": 16}
    tree["objective"] |= {"rate": 0.1}
    recipe = from_tree(Recipe, tree)
    things = torch.randint(0, 256, (64, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return State(recipe, (1, 16, 16), seed=0), recipe, Batches(things, size=16, seed=0)


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_a_begans_training_moves_k_by_the_errors_that_it_saw(start: float) -> None:
    """Two of the three numbers that a round logs decide the third."""
    state, recipe, batches = tiny_began()
    state.memory = {"k": torch.tensor(start)}
    logged: Mapping[str, Tensor] = play_round(state, recipe, batches)
    k, paid, measure = (float(logged[name]) for name in ("gauge.k", "critic", "gauge.convergence"))
    assert 0 < k < 1
    assert k == float(state.memory["k"])
    imbalance = (k - start) / 0.1  # gamma L(x) - L(G(z))
    # paid = L(x) - start L(G(z)), so that
    real = (paid - start * imbalance) / (1 - start * recipe.objective.gamma)  # type: ignore[attr-defined]
    assert measure == pytest.approx(real + abs(imbalance), rel=1e-4)


def test_codes_are_one_choice_and_numbers_each_uniform() -> None:
    prior = Coded(Noise(62), categories=10, continuous=2)
    latent = prior.draw(None, 20_000, torch.Generator().manual_seed(0))
    assert latent.z.shape == (20_000, 62)
    assert latent.code is not None
    assert latent.code.shape == (20_000, prior.code_width) == (20_000, 12)
    choice, numbers = latent.code[:, :10], latent.code[:, 10:]
    assert set(choice.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(choice.sum(1), torch.ones(20_000))
    assert stats.chisquare(choice.sum(0).numpy()).pvalue > 0.001
    assert -1 <= float(numbers.min()) < -0.99
    assert 0.99 < float(numbers.max()) < 1
    for column in numbers.T.numpy():
        assert stats.kstest(column, stats.uniform(-1, 2).cdf).pvalue > 0.001
    parts = np.corrcoef(torch.cat((latent.z[:, :2], choice.argmax(1, keepdim=True), numbers), dim=1).T.numpy())
    assert np.abs(parts - np.eye(5)).max() < 0.04


@pytest.mark.parametrize(("categories", "continuous"), [(3, 0), (0, 4), (7, 1)])
def test_codes_of_other_lengths(categories: int, continuous: int) -> None:
    prior = Coded(Noise(0), categories, continuous).for_shape((1, 2, 3))
    latent = prior.draw(torch.zeros(8, dtype=torch.int64), 8, torch.Generator().manual_seed(0))
    assert prior.dimension == latent.z.shape[1] == 6
    assert latent.code is not None
    assert latent.code.shape == (8, categories + continuous)
    assert latent.y is not None
    assert torch.equal(latent.code[:, :categories].sum(1), torch.full((8,), float(categories > 0)))


def test_the_seed_decides_the_code() -> None:
    codes = [Coded().draw(None, 32, torch.Generator().manual_seed(seed)).code for seed in (1, 1, 2)]
    assert torch.equal(codes[0], codes[1])  # type: ignore[arg-type]
    assert not torch.equal(codes[0], codes[2])  # type: ignore[arg-type]
