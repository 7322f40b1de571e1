"""Critics that rebuild what they see: their error, and the gradient that it gives a generator."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench.networks import Autoencoder, set_precision
from ganbench.objectives import Energy, Pair
from ganbench.types import Sizes
from tests.closed_form.seeded import COUNT, GREY, seeded, things  # noqa: F401  the fixture


def copying_grey(critic: Any, grey: float) -> None:
    """Has the autoencoder rebuild every image as one grey."""
    with torch.no_grad():
        critic.decoder.last.weight.zero_()
        critic.decoder.last.bias.fill_(grey)


@pytest.mark.parametrize(("error", "expected"), [("norm", 28 * 0.25), ("absolute", 0.25), ("squared", 0.0625)])
def test_an_autoencoders_score_is_minus_its_error(error: str, expected: float) -> None:
    critic: Any = Autoencoder(channels=4, code=6, error=error).critic(Sizes(GREY))  # type: ignore[arg-type]
    x = things(GREY)
    difference = (x - critic.rebuilt(critic.code(x))).flatten(1)
    errors = {
        "norm": difference.square().sum(1).sqrt(),
        "absolute": difference.abs().mean(1),
        "squared": difference.square().mean(1),
    }
    torch.testing.assert_close(critic(x).score, -errors[error])
    copying_grey(critic, 0.5)
    assert critic(torch.full((COUNT, *GREY), 0.75)).score.tolist() == pytest.approx([-expected] * COUNT, rel=1e-5)


@pytest.mark.parametrize("error", ["norm", "absolute", "squared"])
def test_a_perfect_copy_has_no_error_and_a_finite_gradient(error: str) -> None:
    critic = Autoencoder(channels=4, code=6, error=error).critic(Sizes(GREY))  # type: ignore[arg-type]
    copying_grey(critic, 0.5)
    x = torch.full((COUNT, *GREY), 0.5, requires_grad=True)
    score = critic(x).score
    assert score.tolist() == [0.0] * COUNT
    gradients = torch.autograd.grad(score.sum(), [x, *critic.parameters()], materialize_grads=True)
    assert all(g.isfinite().all() for g in gradients)


@pytest.mark.parametrize("error", ["norm", "absolute"])
def test_ebgans_generator_is_led_through_both_sides_of_the_error(error: str) -> None:
    """Of L(x) = |x - A(x)|, half of the gradient is lost where the target x is held fixed."""
    critic: Any = Autoencoder(channels=4, code=6, error=error).critic(Sizes((1, 8, 8))).double()  # type: ignore[arg-type]
    held: Any = Autoencoder(channels=4, code=6, error=error, target="held").critic(Sizes((1, 8, 8))).double()  # type: ignore[arg-type]
    held.load_state_dict(critic.state_dict())
    for each in (critic, held):
        set_precision(each, lambda width: torch.float64)
    x = (torch.rand(2, 1, 8, 8, dtype=torch.float64) * 2 - 1).requires_grad_()

    def loss(x: Tensor) -> Tensor:
        fake = critic(x).score
        return Energy().generator(Pair(fake, fake), {})

    (gradient,) = torch.autograd.grad(loss(x), x)
    step = 1e-6
    with torch.no_grad():
        for place in range(0, x.numel(), 7):
            nudge = torch.zeros(x.numel(), dtype=torch.float64)
            nudge[place] = step
            nudge = nudge.view_as(x)
            slope = (loss(x + nudge) - loss(x - nudge)) / (2 * step)
            assert float(slope) == pytest.approx(float(gradient.flatten()[place]), rel=1e-5, abs=1e-8)

    difference = (x.detach() - critic.rebuilt(critic.code(x))).flatten(1)
    cut = difference.norm(dim=1) if error == "norm" else difference.abs().mean(1)
    (one_side,) = torch.autograd.grad(cut.mean(), x)
    assert (one_side - gradient).norm() > 0.5 * gradient.norm()
    (of_held,) = torch.autograd.grad(-held(x).score.mean(), x)
    torch.testing.assert_close(of_held, one_side)
