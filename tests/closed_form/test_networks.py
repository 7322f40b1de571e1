"""Networks as either player: the shapes that they promise, how labels come in, how weights start, and bf16."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganbench.networks import DCGAN, MLP, Autoencoder, Network, Residual, set_precision
from ganbench.networks.dcgan import base_of
from ganbench.networks.residual import Block
from ganbench.types import Head, LabelUse, Latent, Sizes, UsageError
from tests.closed_form.seeded import COUNT, GREY, seeded, things  # noqa: F401  the fixture

NETWORKS: dict[str, Network] = {
    "mlp": MLP((16, 16)),
    "mlp-batch": MLP((16, 16), norm="batch"),
    "dcgan": DCGAN(channels=4),
    "dcgan-dense": DCGAN(channels=4, dense=16, norm="layer"),
    "dcgan-kernel-5": DCGAN(channels=4, kernel=5, norm="none"),
    "residual": Residual(channels=4, most=8),
    "residual-plain": Residual(channels=4, blocks=0),
}
AUTOENCODERS: dict[str, Autoencoder] = {
    "norm": Autoencoder(channels=4, code=6),
    "absolute": Autoencoder(channels=4, code=6, error="absolute", norm="batch"),
    "deep": Autoencoder(channels=4, code=6, halvings=2),
}
SHAPES = [(1, 28, 28), (3, 32, 32), (1, 20, 20), (3, 64, 64), (1, 24, 72)]
CLASSES = 4
LABELS = torch.tensor([0, 2, 3])

GENERATORS_LABELS: tuple[LabelUse, ...] = ("none", "concat", "embedding")
PROJECTION: LabelUse = "projection"
HEADS: tuple[frozenset[Head], ...] = (frozenset(), frozenset({"class"}), frozenset({"class", "code"}))

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def width(said: Tensor | None) -> int | None:
    """The columns of what a head said, a row a thing."""
    if said is None:
        return None
    assert len(said) == COUNT
    return said.shape[1]


@every_shape
@every_network
def test_both_players_give_the_shapes_they_promise(network: Network, shape: tuple[int, ...]) -> None:
    for labels in GENERATORS_LABELS:
        generator = network.generator(Sizes(shape, noise=5, classes=CLASSES, code=2, labels=labels))
        x = generator(Latent(torch.randn(COUNT, 5), LABELS, torch.randn(COUNT, 2)))
        assert x.shape == (COUNT, *shape)
        assert x.abs().max() <= 1
    for labels, heads in itertools.product((*GENERATORS_LABELS, PROJECTION), HEADS):
        critic = network.critic(Sizes(shape, classes=CLASSES, code=2, labels=labels, heads=heads))
        verdict = critic(things(shape), LABELS)
        assert verdict.score.shape == (COUNT,)
        assert len(verdict.embedding) == COUNT
        assert width(verdict.class_logits) == (CLASSES if "class" in heads else None)
        assert width(verdict.code) == (2 if "code" in heads else None)


@every_shape
@pytest.mark.parametrize("critic", AUTOENCODERS.values(), ids=AUTOENCODERS)
def test_autoencoders_give_a_score_and_a_code(critic: Autoencoder, shape: tuple[int, ...]) -> None:
    verdict = critic.critic(Sizes(shape))(things(shape))
    assert verdict.score.shape == (COUNT,)
    assert (verdict.score < 0).all()
    assert verdict.embedding.shape == (COUNT, 6)


@pytest.mark.parametrize(
    ("shape", "base"),
    [
        ((1, 28, 28), (2, (7, 7))),
        ((3, 32, 32), (3, (4, 4))),
        ((1, 20, 20), (2, (5, 5))),
        ((3, 64, 64), (4, (4, 4))),
        ((3, 128, 128), (5, (4, 4))),
        ((1, 24, 72), (2, (6, 18))),
        ((1, 8, 30), (1, (4, 15))),
    ],
)
def test_sides_are_halved_down_to_a_base(shape: tuple[int, ...], base: tuple[int, tuple[int, int]]) -> None:
    assert base_of(shape) == base


@pytest.mark.parametrize("shape", [(1, 27, 27), (3, 28, 27), (1, 6, 6)])
@pytest.mark.parametrize(
    "network",
    [
        DCGAN(),
        Residual(),
        Autoencoder(),
    ],
    ids=["dcgan", "residual", "autoencoder"],
)
def test_sides_that_cannot_be_halved_are_refused(network: Network, shape: tuple[int, ...]) -> None:
    height, width = shape[1:]
    with pytest.raises(UsageError, match=rf"{width} x {height} cannot be halved.*--set images.size=32"):
        network.critic(Sizes(shape))
    assert MLP((8,)).critic(Sizes(shape))(things(shape)).score.shape == (COUNT,)


def test_what_a_network_cannot_be_is_said() -> None:
    with pytest.raises(UsageError, match=r"need images.*\(2,\).*mlp"):
        DCGAN().generator(Sizes((2,), noise=5))
    with pytest.raises(UsageError, match="halved 3 times, but 2 times at most"):
        DCGAN(halvings=3).critic(Sizes(GREY))
    with pytest.raises(UsageError, match=r"generator\.network.*critic.*dcgan"):
        Autoencoder().generator(Sizes(GREY, noise=5))
    with pytest.raises(UsageError, match=r"generator\.labels: projection is for critics"):
        DCGAN().generator(Sizes(GREY, noise=5, classes=3, labels="projection"))
    for sizes in (Sizes(GREY, classes=3, labels="concat"), Sizes(GREY, classes=3, heads=frozenset({"class"}))):
        with pytest.raises(UsageError, match=r"critic\.network.*autoencoder"):
            Autoencoder().critic(sizes)


@every_network
def test_projection_adds_the_product_of_the_labels_vector_and_the_features(network: Network) -> None:
    critic: Any = network.critic(Sizes(GREY, classes=CLASSES, labels="projection")).eval()
    x, vectors = things(GREY), critic.label.weight.detach().clone()
    with torch.no_grad():
        verdict = critic(x, LABELS)
        critic.label.weight.zero_()
        plain = critic(x, LABELS)
    assert torch.equal(plain.embedding, verdict.embedding)
    products = torch.stack([vectors[y] @ features for y, features in zip(LABELS, verdict.embedding, strict=True)])
    torch.testing.assert_close(verdict.score - plain.score, products, rtol=1e-4, atol=1e-5)


def same_weights(network: nn.Module, other: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Two networks of one make in evaluation, the second with the weights of the first."""
    other.load_state_dict(network.state_dict())
    return network.eval(), other.eval()


@pytest.mark.parametrize("shape", [GREY, (3, 32, 32), (2,)])
def test_a_critics_label_comes_in_by_its_planes_alone(shape: tuple[int, ...]) -> None:
    network: Network = DCGAN(channels=4) if len(shape) > 1 else MLP((16, 16))
    wide = (shape[0] + CLASSES, *shape[1:])
    critic, blind = same_weights(
        network.critic(Sizes(shape, classes=CLASSES, labels="concat")), network.critic(Sizes(wide))
    )
    x = things(shape)
    planes = torch.zeros(COUNT, CLASSES, *shape[1:])
    planes[torch.arange(COUNT), LABELS] = 1
    assert torch.equal(critic(x, LABELS).score, blind(torch.cat((x, planes), dim=1)).score)
    assert not torch.equal(critic(x, LABELS).score, critic(x, LABELS.flip(0)).score)
    first = next(p for p in critic.parameters() if p.dim() > 1)
    with torch.no_grad():
        first[:, shape[0] :] = 0  # what the first layer makes of the planes
    assert torch.equal(critic(x, LABELS).score, critic(x, LABELS.flip(0)).score)


def test_an_embedded_label_is_one_learnt_plane() -> None:
    critic: Any = DCGAN(channels=4).critic(Sizes(GREY, classes=CLASSES, labels="embedding"))
    blind = DCGAN(channels=4).critic(Sizes((2, 28, 28)))
    blind.load_state_dict(critic.state_dict(), strict=False)
    x = things(GREY)
    planes = critic.label(LABELS).view(COUNT, 1, 28, 28)
    assert torch.equal(critic(x, LABELS).score, blind(torch.cat((x, planes), dim=1)).score)


@every_network
def test_a_generator_reads_noise_code_and_label_side_by_side(network: Network) -> None:
    told = network.generator(Sizes(GREY, noise=5, classes=CLASSES, code=2, labels="concat"))
    told, plain = same_weights(told, network.generator(Sizes(GREY, noise=5 + 2 + CLASSES)))
    z, code = torch.randn(COUNT, 5), torch.randn(COUNT, 2)
    vector = torch.cat((z, code, torch.eye(CLASSES)[LABELS]), dim=1)
    assert torch.equal(told(Latent(z, LABELS, code)), plain(Latent(vector)))


@pytest.mark.parametrize("role", ["critic", "generator"])
def test_residual_blocks_start_as_the_identity(role: str) -> None:
    network = getattr(Residual(channels=8, blocks=2), role)(Sizes(GREY, noise=5))
    blocks = [module for module in network.modules() if isinstance(module, Block)]
    assert len(blocks) == 2 * 2  # at each of the sizes 14 and 7
    for block in blocks:
        h = torch.randn(2, block.one.in_channels, 7, 7)
        assert torch.equal(block(h), h)
        fan_in = 9 * block.one.in_channels
        he = (2 / (1 + 0.2**2) / fan_in) ** 0.5
        assert float(block.one.weight.detach().std()) == pytest.approx(he * len(blocks) ** -0.5, rel=0.1)


def test_he_weights_keep_the_size_of_what_passes_through() -> None:
    """E h^2 of what a product gives is 2 E x^2 of a rectified x's, so that it stays the same from layer to layer."""
    network = DCGAN(channels=64, norm="none", init="he").generator(Sizes((64, 32, 32), noise=512))
    sizes: list[float] = []
    products = [m for m in network.modules() if isinstance(m, (nn.Linear, nn.ConvTranspose2d))]
    with torch.no_grad():
        h = torch.randn(16, 512)
        for layer in products:
            h = layer(h)
            # The border of an image is reached by fewer inputs.
            sizes.append(float(h[..., 2:-2, 2:-2].square().mean() if h.dim() == 4 and h.shape[2] > 8 else 2.0))
            h = F.relu(h.view(16, 256, 4, 4) if h.dim() == 2 else h)
    assert sizes[2:] == pytest.approx([2.0] * len(sizes[2:]), rel=0.25)


@pytest.mark.parametrize(("init", "std"), [(0.02, 0.02), (0.1, 0.1)])
def test_weights_start_at_the_standard_deviation_that_was_asked_for(init: float, std: float) -> None:
    for network in (DCGAN(init=init), MLP((256, 256), init=init)):
        for player in (network.critic(Sizes(GREY)), network.generator(Sizes(GREY, noise=64))):
            for layer in player.modules():
                if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                    assert layer.bias is not None
                    assert float(layer.bias.detach().abs().max()) == 0
                    assert float(layer.weight.detach().std()) == pytest.approx(std, rel=0.15)


def in_bf16(network: nn.Module, see: Callable[[nn.Module], Tensor]) -> tuple[Tensor, Tensor]:
    """What a network gives in fp32 and with hidden layers in bf16."""
    seen = []
    for dtype in (torch.float32, torch.bfloat16):
        set_precision(network, lambda width, dtype=dtype: dtype)  # type: ignore[misc]
        with torch.no_grad():
            seen.append(see(network))
    return seen[0], seen[1]


def relative(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / one.norm())


@pytest.mark.parametrize("shape", [GREY, (3, 32, 32)])
@every_network
def test_bf16_hidden_layers_give_nearly_the_same(network: Network, shape: tuple[int, ...]) -> None:
    x, latent = torch.rand(32, *shape) * 2 - 1, Latent(torch.randn(32, 5))
    network = replace(network, init="he") if isinstance(network, (MLP, DCGAN)) else network
    for player, see in (
        (network.critic(Sizes(shape)), lambda critic: critic(x).score),
        (network.generator(Sizes(shape, noise=5)), lambda generator: generator(latent)),
    ):
        fp32, bf16 = in_bf16(player, see)
        assert bf16.dtype == torch.float32
        assert relative(fp32, bf16) < 0.03


@pytest.mark.parametrize("critic", AUTOENCODERS.values(), ids=AUTOENCODERS)
def test_bf16_autoencoders_give_nearly_the_same(critic: Autoencoder) -> None:
    x = things(GREY)
    fp32, bf16 = in_bf16(critic.critic(Sizes(GREY)), lambda critic: critic(x).score)
    assert relative(fp32, bf16) < 0.03


def test_bf16_is_what_is_computed_in() -> None:
    """Nearly the same, but not the same: else nothing was computed in bf16."""
    x = things(GREY)
    for network in (DCGAN(init="he"), Residual(), MLP(), Autoencoder(init="he", halvings=2)):
        fp32, bf16 = in_bf16(network.critic(Sizes(GREY)), lambda critic: critic(x).score)
        assert not torch.equal(fp32, bf16), network
