"""Style-based generators: modulation as the paper writes it, styles by layer, bf16 and its gradients."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganbench.networks import Style, keep_copies, set_precision
from ganbench.networks.style import Modulated, Synthesis
from ganbench.types import Latent, Sizes, UsageError
from tests.closed_form.seeded import seeded  # noqa: F401  the fixture

SMALL = Style(channels=4, most=8, width=12, depth=2)


def synthesis(settings: Style = SMALL, shape: tuple[int, ...] = (3, 32, 32), noise: int = 5) -> Synthesis:
    body = settings.generator(Sizes(shape, noise=noise)).body
    assert isinstance(body, Synthesis)
    return body


@pytest.mark.parametrize("demodulated", [True, False])
def test_modulation_is_the_papers_scaling_of_the_weights(demodulated: bool) -> None:
    """arXiv:1912.04958, equations 1 and 3, one convolution an image."""
    layer = Modulated(6, 3, 4, 3, demodulated=demodulated)
    nn.init.normal_(layer.bias)
    h, w = torch.randn(5, 3, 8, 8), torch.randn(5, 6)
    for image, style, made in zip(h, layer.affine(w), layer(h, w), strict=True):
        weight = layer.convolution.weight * style[None, :, None, None]
        if demodulated:
            weight = weight / weight.square().sum(dim=(1, 2, 3), keepdim=True).add(1e-8).sqrt()
        expected = F.conv2d(image[None], weight, layer.bias, padding=1)[0]
        torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 64), (3, 24, 16)])
@pytest.mark.parametrize("convolutions", [1, 2])
def test_images_have_the_shape_and_their_layers_follow_from_it(shape: tuple[int, ...], convolutions: int) -> None:
    settings = Style(channels=4, most=8, convolutions=convolutions, width=12)
    generator = settings.generator(Sizes(shape, noise=5, classes=3, code=2, labels="concat"))
    x = generator(Latent(torch.randn(4, 5), torch.tensor([0, 1, 2, 0]), torch.randn(4, 2)))
    assert x.shape == (4, *shape)
    assert x.abs().max() <= 1
    halvings = {28: 2, 64: 4, 24: 2}[shape[1]]
    assert len(generator.body.layers) == convolutions * (halvings + 1)  # type: ignore[arg-type, union-attr]


def test_what_a_layer_is_told_moves_no_maps_before_it() -> None:
    body = synthesis()
    w, other = torch.randn(2, 12), torch.randn(2, 12)
    made: list[torch.Tensor] = []
    for layer in body.layers:
        layer.register_forward_hook(lambda _, inputs, output: made.append(output))
    body.synthesised([w] * len(body.layers))
    for changed in range(len(body.layers)):
        before, made[:] = made[: len(body.layers)], []
        body.synthesised([other if n == changed else w for n in range(len(body.layers))])
        same = [torch.equal(a, b) for a, b in zip(before, made, strict=True)]
        assert same == [n < changed for n in range(len(body.layers))]
        made = before
    v = torch.randn(2, 5)
    torch.testing.assert_close(body(v), body.synthesised([body.mapping(v)] * len(body.layers)))


def test_the_length_of_the_noise_does_not_matter() -> None:
    body, v = synthesis(), torch.randn(3, 5)
    torch.testing.assert_close(body(v), body(7 * v), rtol=1e-4, atol=1e-5)


def test_maps_start_with_unit_variance_at_every_layer() -> None:
    body = synthesis(Style(channels=32, most=64, width=64), noise=64)
    spreads: list[float] = []
    for layer in body.layers:
        layer.register_forward_hook(lambda _, inputs, output: spreads.append(float(output.detach().std())))
    body(torch.randn(32, 64))
    assert spreads == pytest.approx([1.0] * len(spreads), rel=0.35)


def test_bf16_takes_the_gradient_of_the_demodulation_at_the_copies_too() -> None:
    gradients = []
    for dtype in (torch.float32, torch.bfloat16):
        torch.manual_seed(2)
        body = synthesis()
        set_precision(body, lambda width, dtype=dtype: dtype)  # type: ignore[misc]
        copies = keep_copies(body)
        weights = [copies.get(p, p) for p in (layer.convolution.weight for layer in body.layers)]  # type: ignore[union-attr, arg-type]
        loss = body(torch.randn(8, 5, generator=torch.Generator().manual_seed(3))).square().mean()
        gradients.append([g.float() for g in torch.autograd.grad(loss, weights)])
    for one, other in zip(*gradients, strict=True):
        assert float((one - other).norm() / one.norm()) < 0.1
        assert not torch.equal(one, other)


def test_a_style_critic_is_refused() -> None:
    with pytest.raises(UsageError, match=r"style is a generator.*residual"):
        Style().critic(Sizes((3, 32, 32)))
