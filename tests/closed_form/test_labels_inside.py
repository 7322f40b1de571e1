"""Labels beside the input of every fully connected layer, and the convolution at a generator's end."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganbench.networks import DCGAN, MLP, Network, Residual
from ganbench.types import LabelUse, Latent, Sizes, UsageError
from tests.closed_form.seeded import COUNT, GREY, seeded, things  # noqa: F401  the fixture

CLASSES = 4
LABELS = torch.tensor([0, 2, 3])
NETWORKS: dict[str, Network] = {
    "mlp": MLP((16, 12)),
    "dcgan": DCGAN(channels=4),
    "dcgan-dense": DCGAN(channels=4, dense=16, norm="layer"),
}
every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def players(network: Network, labels: LabelUse) -> list[tuple[Any, Tensor | Latent]]:
    """Both players, each with what it is asked about."""
    critic = network.critic(Sizes(GREY, classes=CLASSES, labels=labels))
    generator = network.generator(Sizes(GREY, noise=5, classes=CLASSES, labels=labels))
    return [(critic, things(GREY)), (generator, Latent(torch.randn(COUNT, 5)))]


def answer(player: Any, asked: Tensor | Latent, labels: Tensor) -> Tensor:
    return player(Latent(asked.z, labels)) if isinstance(asked, Latent) else player(asked, labels).score


@every_network
def test_every_fully_connected_layer_is_wider_by_the_label_and_no_other_layer_is(network: Network) -> None:
    for (told, _), (plain, _) in zip(players(network, "inside"), players(network, "none"), strict=True):
        pairs = zip(told.modules(), plain.modules(), strict=True)
        shapes = [(a.weight.shape, b.weight.shape) for a, b in pairs if getattr(a, "weight", None) is not None]
        assert any(len(a) == 2 for a, _ in shapes)
        for a, b in shapes:
            assert tuple(a) == ((b[0], b[1] + CLASSES) if len(b) == 2 else tuple(b))


@every_network
def test_the_label_reaches_the_answer_through_each_fully_connected_layer(network: Network) -> None:
    other = LABELS.flip(0)
    for player, asked in players(network, "inside"):
        linears = [module for module in player.modules() if isinstance(module, nn.Linear)]
        kept = [layer.weight.detach().clone() for layer in linears]
        with torch.no_grad():
            for layer in linears:
                layer.weight[:, -CLASSES:] = 0
            assert torch.equal(answer(player, asked, LABELS), answer(player, asked, other))
            for layer, weight in zip(linears, kept, strict=True):
                layer.weight.copy_(weight)
                assert not torch.equal(answer(player, asked, LABELS), answer(player, asked, other))
                layer.weight[:, -CLASSES:] = 0


def test_an_mlp_with_labels_inside_by_hand() -> None:
    """As the thesis writes it: concat, product, activation, layer by layer."""
    y = torch.eye(CLASSES)[LABELS]
    for player, asked in players(NETWORKS["mlp"], "inside"):
        h = asked.z if isinstance(asked, Latent) else asked.flatten(1)
        linears = [module for module in player.modules() if isinstance(module, nn.Linear)]
        for layer in linears:
            h = torch.cat([h, y], 1) @ layer.weight.T + layer.bias
            h = h.relu() if layer is not linears[-1] else h
        expected = h.tanh().view(-1, *GREY) if isinstance(asked, Latent) else h.squeeze(1)
        torch.testing.assert_close(answer(player, asked, LABELS), expected)


def test_other_networks_take_no_labels_inside() -> None:
    for player in (Residual().critic, Residual().generator):
        with pytest.raises(UsageError, match=r"inside is for the networks mlp and dcgan; residual"):
            player(Sizes(GREY, noise=5, classes=CLASSES, labels="inside"))


def test_smoothing_is_a_convolution_of_squashed_maps() -> None:
    generator: Any = DCGAN(channels=8, kernel=5, dense=16, smoothing=6).generator(Sizes(GREY, noise=5))
    maps: list[Tensor] = []
    generator.body.last.register_forward_pre_hook(lambda layer, given: maps.append(given[0]))
    x = generator(Latent(torch.randn(COUNT, 5)))
    assert maps[0].shape == (COUNT, 6, 28, 28)
    assert maps[0].abs().max() <= 1
    last = generator.body.last
    assert (type(last), tuple(last.weight.shape)) == (nn.Conv2d, (1, 6, 5, 5))
    torch.testing.assert_close(x, F.conv2d(maps[0], last.weight, last.bias, padding=2).tanh())
    up = [layer for layer in generator.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert [tuple(layer.weight.shape) for layer in up] == [(16, 8, 5, 5), (8, 6, 5, 5)]
    with pytest.raises(UsageError, match=r"critic\.network\.smoothing"):
        DCGAN(smoothing=6).critic(Sizes(GREY))
