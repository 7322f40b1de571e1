"""Differentiable augmentation does what its paper says, follows from the stream, and lets gradients through."""

import pytest
import torch
from torch import Tensor, nn

from ganbench.networks import Augment
from ganbench.networks.augment import Kind, augmented, coloured, cut_out, shifted, translated
from ganbench.types import UsageError, Verdict
from tests.closed_form.seeded import seeded  # noqa: F401  the fixture

KINDS: tuple[Kind, ...] = ("colour", "translation", "cutout")


class Linear(nn.Module):
    """A critic whose gradient is known: the score is <w, x>."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Verdict:
        return Verdict((x * self.weight).flatten(1).sum(1))


def images(count: int = 5, shape: tuple[int, int, int] = (3, 16, 24)) -> Tensor:
    return torch.rand(count, *shape) * 2 - 1


@pytest.mark.parametrize("axis", [2, 3])
def test_a_shift_moves_each_image_by_its_own_pixels_and_fills_up_with_0(axis: int) -> None:
    x, by = images(), torch.tensor([0, 2, -3, 5, -1])
    for image, moved, step in zip(x, shifted(x, by, axis), by.tolist(), strict=True):
        expected = image.roll(step, dims=axis - 1)
        fresh = slice(0, step) if step >= 0 else slice(step, None)
        expected.narrow(axis - 1, 0, expected.shape[axis - 1])[(slice(None),) * (axis - 1) + (fresh,)] = 0
        assert torch.equal(moved, expected)


def test_translations_reach_an_eighth_each_whole_shift_as_often() -> None:
    x = torch.zeros(20_000, 1, 16, 24)
    x[:, :, 8, 12] = 1
    at = translated(x).flatten(1).argmax(1)
    rows, columns = at // 24 - 8, at % 24 - 12
    for found, most in ((rows, 2), (columns, 3)):
        steps, counts = found.unique(return_counts=True)
        assert steps.tolist() == list(range(-most, most + 1))
        assert counts / len(x) == pytest.approx([1 / (2 * most + 1)] * (2 * most + 1), abs=0.02)


def test_a_cutout_is_a_rectangle_of_half_the_sides_or_its_part_inside() -> None:
    gone = cut_out(torch.ones(4000, 2, 16, 24)) == 0
    assert torch.equal(gone[:, 0], gone[:, 1])
    rows, columns = gone[:, 0].any(2), gone[:, 0].any(1)
    assert torch.equal(gone[:, 0], rows[:, :, None] & columns[:, None, :])
    for spans, side in ((rows, 16), (columns, 24)):
        lengths = spans.sum(1)
        assert (lengths.min(), lengths.max()) == (side // 4, side // 2)  # the middle lies on the image, 0 to its side
        starts = (spans[:, 1:] & ~spans[:, :-1]).sum(1) + spans[:, 0]
        assert (starts == 1).all()
        # Of side + 1 places of the middle, from side / 4 to 3 side / 4 the whole square lies inside.
        assert (lengths == side // 2).float().mean() == pytest.approx((side // 2 + 1) / (side + 1), abs=0.03)


def test_colours_are_changed_as_the_paper_says() -> None:
    x = images(3000)
    changed = coloured(x)
    grey, mean = x.mean(1, keepdim=True), x.mean((1, 2, 3), keepdim=True)
    new_grey, new_mean = changed.mean(1, keepdim=True), changed.mean((1, 2, 3), keepdim=True)
    brightness = (new_mean - mean).flatten()
    contrast = ((new_grey - new_mean) / (grey - mean)).flatten(1).median(1).values
    product = ((changed - new_grey) / (x - grey)).flatten(1).median(1).values
    expected = new_mean + contrast.view(-1, 1, 1, 1) * (grey - mean) + product.view(-1, 1, 1, 1) * (x - grey)
    torch.testing.assert_close(changed, expected, rtol=1e-3, atol=1e-3)
    for found, low, high in ((brightness, -0.5, 0.5), (contrast, 0.5, 1.5), (product / contrast, 0.0, 2.0)):
        assert low - 1e-3 <= found.min()
        assert found.max() <= high + 1e-3
        assert float(found.mean()) == pytest.approx((low + high) / 2, abs=0.05)
        assert float(found.std()) == pytest.approx((high - low) / 12**0.5, abs=0.05)


def test_grey_images_have_no_saturation_and_keep_their_mean_colour_on_average() -> None:
    x = images(1, (1, 8, 8)).expand(20_000, -1, -1, -1)
    torch.testing.assert_close(coloured(x).mean(0), x[0], rtol=0, atol=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_flow_through_each_kind_twice(kind: Kind) -> None:
    x = images(2, (3, 4, 6)).double().requires_grad_()

    def through(x: Tensor) -> Tensor:
        torch.manual_seed(3)  # the same draws at every look
        return augmented(x, (kind,)).square()

    assert torch.autograd.gradcheck(through, x)
    assert torch.autograd.gradgradcheck(through, x)


def test_a_critics_gradient_is_seen_where_the_image_was_moved_from() -> None:
    critic = Augment(("translation",)).wrap(Linear((3, 16, 16)))
    x = images(4, (3, 16, 16)).requires_grad_()
    torch.manual_seed(5)
    (gradient,) = torch.autograd.grad(critic(x).score.sum(), x)
    torch.manual_seed(5)
    steps = [torch.randint(-2, 3, (4,)) for _ in range(2)]
    weight = critic.get_parameter("critic.weight").detach().expand(4, -1, -1, -1)
    expected = shifted(shifted(weight, -steps[1], 3), -steps[0], 2)
    torch.testing.assert_close(gradient, expected)


def test_each_image_has_its_own_draw_each_time_and_the_stream_decides_them() -> None:
    x = images(1).expand(6, -1, -1, -1)
    torch.manual_seed(1)
    first, second = augmented(x, KINDS), augmented(x, KINDS)
    assert len({image.numpy().tobytes() for image in torch.cat((first, second))}) == 12
    torch.manual_seed(1)
    assert torch.equal(augmented(x, KINDS), first)


def test_in_evaluation_a_critic_sees_images_as_they_are() -> None:
    plain = Linear((3, 16, 24))
    critic, x = Augment().wrap(plain), images()
    assert not torch.equal(critic(x).score, plain(x).score)
    assert torch.equal(critic.eval()(x).score, plain(x).score)


def test_points_are_not_augmented() -> None:
    with pytest.raises(UsageError, match=r"augment is for images.*\(2,\)"):
        Augment().seen((2,))
