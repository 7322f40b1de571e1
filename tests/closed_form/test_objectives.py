"""Games against what is known of them in closed form."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganbench.objectives import (
    OBJECTIVES,
    Energy,
    Equilibrium,
    HasCertainty,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Pair,
    Relativistic,
    Wasserstein,
)

ZERO = Pair(torch.zeros(8), torch.zeros(8))
scores = st.lists(st.floats(-20, 20), min_size=1, max_size=8).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)


def test_at_zero_scores() -> None:
    assert float(NonSaturating().discriminator(ZERO, {})) == pytest.approx(2 * math.log(2))
    assert float(NonSaturating().generator(ZERO, {})) == pytest.approx(math.log(2))
    assert float(Minimax().generator(ZERO, {})) == pytest.approx(-math.log(2))
    assert float(LeastSquares().discriminator(ZERO, {})) == pytest.approx(0.5)
    assert float(Hinge().discriminator(ZERO, {})) == pytest.approx(2)
    assert float(Relativistic().discriminator(ZERO, {})) == pytest.approx(math.log(2))


@given(scores, scores)
def test_minimax_is_zero_sum_in_the_fakes(s: torch.Tensor, t: torch.Tensor) -> None:
    other = Pair(s, t - 1)
    game = Minimax()
    change = game.discriminator(Pair(s, t), {}) - game.discriminator(other, {})
    assert float(change) == pytest.approx(-float(game.generator(Pair(s, t), {}) - game.generator(other, {})), abs=1e-9)


@given(scores, scores)
def test_wasserstein_is_the_difference_of_means_and_blind_to_a_constant(s: torch.Tensor, t: torch.Tensor) -> None:
    game = Wasserstein()
    assert float(game.distance(Pair(s, t))) == pytest.approx(float(s.mean() - t.mean()))
    assert float(game.distance(Pair(s + 3, t + 3))) == pytest.approx(float(game.distance(Pair(s, t))), abs=1e-9)


@given(scores)
def test_relativistic_players_mirror_each_other(s: torch.Tensor) -> None:
    t = s.flip(0) * 0.5
    game = Relativistic()
    assert float(game.discriminator(Pair(s, t), {})) == pytest.approx(float(game.generator(Pair(t, s), {})))


@pytest.mark.parametrize("game", [cls() for cls in OBJECTIVES.values()], ids=list(OBJECTIVES))
@given(scores, scores)
def test_a_better_fooled_critic_never_costs_the_generator_more(game, s: torch.Tensor, t: torch.Tensor) -> None:  # type: ignore[no-untyped-def]
    if isinstance(game, LeastSquares):
        s, t = s.clamp(max=0), t.clamp(max=0)  # beyond its aim this game pulls back, by design
    worse, better = Pair(s[:1], t[:1]), Pair(s[:1], t[:1] + 0.5)
    assert float(game.generator(better, {})) <= float(game.generator(worse, {})) + 1e-12


def test_the_optimal_discriminator_values_two_known_densities_at_twice_jsd_minus_log_4() -> None:
    p, q = torch.tensor([0.1, 0.2, 0.7]), torch.tensor([0.4, 0.4, 0.2])
    logits = (p / q).log()
    # A batch in which each of the three places occurs in proportion to its density.
    real = logits.repeat_interleave((p * 10).round().long())
    fake = logits.repeat_interleave((q * 10).round().long())
    middle = (p + q) / 2
    jsd = 0.5 * (p * (p / middle).log()).sum() + 0.5 * (q * (q / middle).log()).sum()
    value = -Minimax().discriminator(Pair(real, fake), {})
    assert float(value) == pytest.approx(float(2 * jsd - math.log(4)), abs=1e-6)


def flow(game, psi: torch.Tensor, theta: torch.Tensor) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """The gradient field of the Dirac-GAN (arXiv:1801.04406): data at 0, a fake at theta, a critic psi x."""
    pair = Pair(psi * torch.zeros(1), psi * theta)
    (d,) = torch.autograd.grad(game.discriminator(pair, {}), psi, retain_graph=True)
    (g,) = torch.autograd.grad(game.generator(Pair(psi * torch.zeros(1), psi * theta), {}), theta)
    return -float(d), -float(g)


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_the_dirac_gan_follows_its_known_flow(psi: float, theta: float) -> None:
    def at(game) -> tuple[float, float]:  # type: ignore[no-untyped-def]
        return flow(game, torch.tensor([psi], requires_grad=True), torch.tensor([theta], requires_grad=True))

    def sigma(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    assert at(Minimax()) == pytest.approx((-sigma(psi * theta) * theta, sigma(psi * theta) * psi), abs=1e-5)
    assert at(NonSaturating()) == pytest.approx((-sigma(psi * theta) * theta, sigma(-psi * theta) * psi), abs=1e-5)
    assert at(Wasserstein()) == pytest.approx((-theta, psi), abs=1e-5)


def certainty(game: HasCertainty, real: list[float], fake: list[float]) -> float:
    return float(game.certainty(Pair(torch.tensor(real), torch.tensor(fake))))


def logit(p: float) -> float:
    return math.log(p / (1 - p))


@pytest.mark.parametrize("game", [NonSaturating(), Minimax()])
def test_a_probability_critic_is_as_certain_as_on_the_side_it_knows_less_of(game: HasCertainty) -> None:
    assert certainty(game, [0, 0], [0, 0]) == pytest.approx(0.5)
    assert certainty(game, [logit(0.9), logit(0.7)], [logit(0.01)] * 2) == pytest.approx(0.8)
    assert certainty(game, [logit(0.99)] * 2, [logit(0.9), logit(0.5)]) == pytest.approx(0.3)
    assert certainty(game, [100.0], [100.0]) == pytest.approx(0)


def test_a_least_squares_critic_is_certain_as_its_errors_vanish() -> None:
    assert certainty(LeastSquares(), [1, 1], [0, 0]) == 1
    assert certainty(LeastSquares(), [1.1, 0.9], [0.2, -0.2]) == pytest.approx(1 - 0.04)
    assert certainty(LeastSquares(), [0.5], [0.5]) == pytest.approx(0.75)
    assert certainty(LeastSquares(), [9.0], [0.0]) == 0
    assert certainty(LeastSquares(real=3, fake=-1), [3.0], [0.0]) == pytest.approx(1 - 1 / 16)


def test_a_hinge_critic_is_certain_of_what_lies_beyond_its_hinges() -> None:
    assert certainty(Hinge(), [1.0, 5.0], [-1.0, -2.0]) == 1
    assert certainty(Hinge(), [2.0, 2.0, 2.0, 0.9], [-2.0, -2.0, -2.0, -2.0]) == 0.75
    assert certainty(Hinge(), [2.0, 2.0], [-0.5, -1.5]) == 0.5
    assert certainty(Hinge(), [0.0], [0.0]) == 0


def test_a_relativistic_critic_is_certain_by_differences_alone() -> None:
    assert certainty(Relativistic(), [3.0, -7.0], [3.0, -7.0]) == pytest.approx(0.5)
    assert certainty(Relativistic(), [5.0, 5.0], [5 - logit(0.9), 5 - logit(0.6)]) == pytest.approx(0.75)


def test_an_energy_critic_is_certain_where_the_margin_lies_between() -> None:
    """Also untrained it rebuilds no fakes: it has won where it rebuilds what is real."""
    assert certainty(Energy(margin=2), [-1.0, -0.5], [-2.0, -3.0]) == 1
    assert certainty(Energy(margin=2), [-1.0, -0.5], [-1.9, -3.0]) == 0.5
    assert certainty(Energy(margin=2), [-9.0, -9.0], [-9.0, -9.0]) == 0


@pytest.mark.parametrize("game", [cls() for cls in OBJECTIVES.values()], ids=list(OBJECTIVES))
@given(scores, scores)
def test_certainty_is_a_share_and_games_without_a_scale_have_none(game, s: torch.Tensor, t: torch.Tensor) -> None:  # type: ignore[no-untyped-def]
    known = isinstance(game, HasCertainty)
    assert known != isinstance(game, Wasserstein | Equilibrium)
    if known:
        assert 0 <= float(game.certainty(Pair(s[:1], t[:1]))) <= 1
