"""Penalties on critics whose gradients are known."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ganbench.networks import MLP, Plain
from ganbench.schedules import Cosine
from ganbench.terms import GradientPenalty
from ganbench.types import At, Latent, Sample, Sizes, Turn

PLACES = ("real", "fake", "between", "around_real")


def turn(
    critic: nn.Module, real: torch.Tensor, fake: torch.Tensor, *, joint: bool = True, progress: float = 0.0
) -> Turn:
    rng = torch.Generator().manual_seed(0)
    return Turn(Sample(real), fake, Latent(fake), critic, rng, moment=At(progress), joint=joint)


class Linear(nn.Module):
    """D(x) = w x."""

    def __init__(self, weight: list[float]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight


def linear(weight: list[float]) -> nn.Module:
    return Plain(Linear(weight)).critic(Sizes((len(weight),)))


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("joint", [True, False])
@given(weight=st.lists(st.floats(-3, 3), min_size=2, max_size=4), target=st.sampled_from([0.0, 1.0, 2.5]))
def test_a_linear_critics_gradient_norm_is_its_weights_norm(
    where: str, joint: bool, weight: list[float], target: float
) -> None:
    real, fake = torch.randn(6, len(weight)), torch.randn(6, len(weight))
    penalty = GradientPenalty(where, target=target)(turn(linear(weight), real, fake, joint=joint))  # type: ignore[arg-type]
    norm = sum(w**2 for w in weight) ** 0.5
    assert float(penalty.detach()) == pytest.approx((norm - target) ** 2, rel=1e-3, abs=1e-4)


class Square(nn.Module):
    """D(x) = |x|^2 / 2, whose gradient at x is x: each thing has a norm of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.square().sum(1) / 2


def test_each_sample_has_its_own_norm() -> None:
    real = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    at_real = GradientPenalty("real", target=0)(turn(Plain(Square()).critic(Sizes((2,))), real, real))
    assert float(at_real.detach()) == pytest.approx((25 + 0) / 2)  # the norm of the whole batch would give 25


def test_points_between_lie_on_the_segment_with_one_share_a_sample() -> None:
    seen: list[torch.Tensor] = []

    class Spy(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.detach())
            return x.sum(1)

    real, fake = torch.zeros(50, 3), torch.ones(50, 3)
    GradientPenalty("between")(turn(Plain(Spy()).critic(Sizes((3,))), real, fake))
    assert torch.equal(seen[-1], seen[-1][:, :1].expand(-1, 3))
    assert ((seen[-1] >= 0) & (seen[-1] <= 1)).all()
    assert seen[-1][:, 0].unique().numel() == 50


def test_points_around_the_data_stay_within_half_a_deviation() -> None:
    seen: list[torch.Tensor] = []

    class Spy(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.detach())
            return x.sum(1)

    real = torch.randn(200, 3)
    GradientPenalty("around_real")(turn(Plain(Spy()).critic(Sizes((3,))), real, real))
    moved = (seen[-1] - real) / real.std()
    assert float(moved.min()) >= -1e-6
    assert float(moved.max()) <= 0.5 + 1e-6


def test_the_penalty_reaches_the_weights() -> None:
    torch.manual_seed(0)
    critic = MLP(widths=(16, 16)).critic(Sizes((2,)))
    loss = GradientPenalty("real", target=0)(turn(critic, torch.randn(8, 2), torch.randn(8, 2)))
    first, second = (
        torch.autograd.grad(loss, critic.parameters(), materialize_grads=True, retain_graph=True)[i] for i in (0, 2)
    )
    assert first.abs().sum() > 0
    assert second.abs().sum() > 0


def test_a_flat_critic_has_a_finite_penalty_gradient() -> None:
    critic = linear([0.0, 0.0])
    loss = GradientPenalty("between", target=1)(turn(critic, torch.randn(4, 2), torch.randn(4, 2)))
    gradients = torch.autograd.grad(loss, list(critic.parameters()), materialize_grads=True)
    assert all(g.isfinite().all() for g in gradients)


def test_annealing_multiplies_the_penalty() -> None:
    critic, x = linear([3.0, 4.0]), torch.randn(4, 2)
    term = GradientPenalty("real", target=0, anneal=Cosine(final=0.1))
    start, end = (float(term(turn(critic, x, x, progress=p)).detach()) for p in (0.0, 1.0))
    assert (start, end) == pytest.approx((25.0, 2.5))
