"""Optimisers on games and slopes whose course is known."""

import pytest
import torch
from torch import nn

from ganbench.optimizers import OPTIMIZERS, Adam, ExtraAdam, OptimisticAdam, Sgd


def descend(settings, gradient, start: list[float], steps: int) -> torch.Tensor:  # type: ignore[no-untyped-def]
    vector = nn.Parameter(torch.tensor(start), requires_grad=False)
    optimizer = settings.build(vector)
    for _ in range(steps):
        vector.grad = gradient(vector.detach())
        optimizer.step()
    return vector.detach()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_goes_down_a_bowl(name: str) -> None:
    lr = 0.5 if name == "adagrad" else 0.05
    end = descend(OPTIMIZERS[name](lr=lr), lambda x: 2 * x, [1.0, -2.0], 400)
    assert float(end.abs().max()) < 0.1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_learning_rate_zero_moves_nothing(name: str) -> None:
    vector = nn.Parameter(torch.tensor([1.0, 2.0]), requires_grad=False)
    optimizer = OPTIMIZERS[name]().build(vector)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    for _ in range(4):
        vector.grad = torch.ones(2)
        optimizer.step()
    assert torch.equal(vector.detach(), torch.tensor([1.0, 2.0]))


def test_sgd_is_minus_lr_times_the_gradient() -> None:
    end = descend(Sgd(lr=0.1), lambda x: torch.tensor([3.0]), [1.0], 2)
    assert float(end) == pytest.approx(1 - 2 * 0.1 * 3)


def test_optimism_without_memory_is_twice_the_new_less_the_old_direction() -> None:
    """With betas 0 Adam's direction is the gradient's sign, so steps are 2 s_t - s_(t-1)."""
    signs = iter([1.0, 1.0, -1.0])
    end = descend(OptimisticAdam(lr=0.1, betas=(0, 0)), lambda x: torch.tensor([next(signs)]), [0.0], 3)
    assert float(end) == pytest.approx(-0.1 * (2 * 1 + (2 * 1 - 1) + (2 * -1 - 1)), abs=1e-5)


def test_extragradient_returns_before_it_moves() -> None:
    """Ahead by the first sign, back, and from there by the second."""
    signs = iter([1.0, -1.0])
    end = descend(ExtraAdam(lr=0.1, betas=(0, 0)), lambda x: torch.tensor([next(signs)]), [0.0], 2)
    assert float(end) == pytest.approx(0.1, abs=1e-5)


def bilinear(settings, steps: int = 3000) -> float:  # type: ignore[no-untyped-def]
    """How far from its equilibrium at 0 the game min_x max_y x y ends, from distance 1."""
    x, y = (nn.Parameter(torch.tensor([value]), requires_grad=False) for value in (0.6, 0.8))
    players = settings.build(x), settings.build(y)
    for _ in range(steps):
        x.grad, y.grad = y.detach().clone(), -x.detach().clone()
        for player in players:
            player.step()
    return float((x**2 + y**2).sqrt())


def test_games_optimisers_converge_where_gradient_descent_leaves() -> None:
    assert bilinear(Sgd(lr=0.05)) > 10
    for cls in (OptimisticAdam, ExtraAdam):
        assert bilinear(cls(lr=0.02, betas=(0.0, 0.999))) < 0.5 < bilinear(Adam(lr=0.02, betas=(0.0, 0.999)))


@pytest.mark.parametrize("cls", [OptimisticAdam, ExtraAdam])
def test_their_adam_direction_is_torchs(cls: type) -> None:
    """One step from a fresh state: extragradient's step ahead is Adam's; optimism's is twice that."""
    times = 2 if cls is OptimisticAdam else 1
    start, gradient = [0.5, -0.5], torch.tensor([0.3, -2.0])
    ours = descend(cls(lr=0.01, betas=(0.5, 0.9)), lambda x: gradient, start, 1)
    theirs = descend(Adam(lr=0.01 * times, betas=(0.5, 0.9)), lambda x: gradient, start, 1)
    torch.testing.assert_close(ours, theirs)
