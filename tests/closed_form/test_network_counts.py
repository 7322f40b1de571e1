"""How many parameters networks have, worked out by hand from the papers and texts, and as the table of layers says.

And what else the thesis says of its networks for captchas.
"""

from typing import Any, NamedTuple

import pytest
from torch import nn

from ganbench.configuration import configure
from ganbench.constraints import Clip
from ganbench.networks import DCGAN, MLP, MLPConv
from ganbench.networks.layers import layer_table
from ganbench.objectives import NonSaturating, Wasserstein
from ganbench.optimizers import Adam, RMSprop
from ganbench.recipes import RECIPES, recipe_named
from ganbench.state import State
from ganbench.terms import GradientPenalty
from ganbench.types import Sizes, UsageError

GREY = (1, 28, 28)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def linear(a: int, b: int) -> int:
    return a * b + b


def convolution(a: int, b: int, kernel: int = 4) -> int:
    return a * b * kernel**2 + b


def batch_norm(width: int) -> int:
    return 2 * width


BASE = 7 * 7 * 128
HALVED = 14 * 14 * 64
TEXT = {
    "text-gan": (
        convolution(1, 64) + convolution(64, 128) + batch_norm(128) + linear(BASE, 1024) + batch_norm(1024)
        + linear(1024, 1),
        linear(62, 1024) + batch_norm(1024) + linear(1024, BASE) + batch_norm(BASE) + convolution(128, 64)
        + batch_norm(64) + convolution(64, 1),
    ),
    "text-cgan": (
        convolution(11, 64) + convolution(64, 128) + batch_norm(128) + linear(BASE, 1024) + batch_norm(1024)
        + linear(1024, 1),
        linear(72, 1024) + batch_norm(1024) + linear(1024, BASE) + batch_norm(BASE) + convolution(128, 64)
        + batch_norm(64) + convolution(64, 1),
    ),
    "text-mlp-gan": (
        linear(784, 256) + linear(256, 256) + linear(256, 1),
        linear(96, 1024) + linear(1024, 1024) + linear(1024, 784),
    ),
    "text-mlp-wgan": (
        linear(784, 512) + linear(512, 256) + linear(256, 1),
        linear(100, 128) + linear(128, 256) + linear(256, 512) + linear(512, 1024) + linear(1024, 784)
        + batch_norm(256 + 512 + 1024),
    ),
}  # fmt: skip


CELL = (1, 20, 20)
CELL_BASE = 5 * 5 * 128
_CRITIC = convolution(1, 64, 5) + convolution(64, 128, 5) + linear(CELL_BASE, 1024) + linear(1024, 1)
_GENERATOR = (
    linear(128, 1024) + batch_norm(1024) + linear(1024, CELL_BASE) + batch_norm(CELL_BASE) + convolution(128, 64, 5)
    + batch_norm(64)
)  # fmt: skip
_LABELLED = 32 * 1024 + 32  # beside the inputs of the critic's two fully connected layers
_LABELLED_UP = 32 * 1024 + 32 * CELL_BASE
_SMOOTH = convolution(64, 16, 5) + convolution(16, 1, 5)
_MLPS = (linear(400, 500) + linear(500, 1), linear(128, 500) + linear(500, 400))
THESIS = {
    ("thesis-dcgan", "none"): (_CRITIC + batch_norm(1024), _GENERATOR + convolution(64, 1, 5)),
    ("wdcgan", "inside"): (
        _CRITIC + batch_norm(1024) + _LABELLED, _GENERATOR + convolution(64, 1, 5) + _LABELLED_UP,
    ),
    ("wdcgan-opt", "none"): (_CRITIC + batch_norm(1024), _GENERATOR + _SMOOTH),
    ("wdcgan-gp", "none"): (_CRITIC, _GENERATOR + _SMOOTH),
    ("thesis-gan", "none"): _MLPS,
    ("thesis-wgan", "none"): _MLPS,
    ("thesis-wgan-gp", "inside"): (_MLPS[0] + 32 * 501, _MLPS[1] + 32 * 900),
}  # fmt: skip


class Chosen(NamedTuple):
    """What a recipe is beside its layers: `turns` (critic, generator) of the first round, of the 26th, at the end."""

    objective: object
    optimizer: object
    turns: list[tuple[int, int]]
    clips: tuple[Any, Any] = (None, None)
    penalty: object = None
    activations: tuple[str, str] = ("relu", "relu")


ADAM, SLOW, FAST = Adam(lr=1e-3, betas=(0.5, 0.999)), RMSprop(lr=5e-4), RMSprop(lr=1e-3)  # rates are ours
TEN, LEAKY = GradientPenalty(weight=10), ("leaky-relu", "relu")  # sections 6.2 and 4.2
WEIGHTS = Clip(0.05, ("linear",), biases=False), Clip(0.05, ("linear", "transposed"), biases=False)  # section 4.4
CHOSEN = {
    "thesis-gan": Chosen(NonSaturating(), SLOW, [(3, 1)] * 3),
    "thesis-wgan": Chosen(Wasserstein(), SLOW, [(3, 1)] * 3, (Clip(0.05), None)),
    "thesis-wgan-gp": Chosen(Wasserstein(), SLOW, [(3, 1)] * 3, penalty=TEN),
    "thesis-dcgan": Chosen(NonSaturating(), ADAM, [(1, 5)] * 3, activations=LEAKY),
    "wdcgan": Chosen(Wasserstein(), FAST, [(1, 5)] * 3, (Clip(0.05), None), activations=LEAKY),
    "wdcgan-opt": Chosen(Wasserstein(), FAST, [(1, 5)] * 3, WEIGHTS, activations=LEAKY),
    "wdcgan-gp": Chosen(Wasserstein(), FAST, [(1, 5)] * 3, penalty=TEN, activations=LEAKY),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_the_thesis_recipes_for_captchas_are_what_it_says(name: str) -> None:
    recipe, told = recipe_named(name, "images"), CHOSEN[name]
    players, turns = (recipe.critic, recipe.generator), recipe.turns
    rounds = turns.of_round(0), turns.of_round(25), turns.of_round(10_000, turned=True)
    clips = tuple(player.constraints.get("clip") for player in players)
    assert recipe.objective == told.objective
    assert [player.optimizer for player in players] == [told.optimizer] * 2
    assert [(moves.count("critic"), moves.count("generator")) for moves in rounds] == told.turns
    assert clips == told.clips
    assert recipe.critic.terms.get("gradient-penalty") == told.penalty
    assert tuple(player.network.activation for player in players) == told.activations  # type: ignore[attr-defined]
    assert recipe.critic.network.slope == 0.2  # type: ignore[attr-defined]


FACES_CRITIC = (
    convolution(3, 32, 5) + convolution(32, 64, 5) + convolution(64, 128, 5) + convolution(128, 256, 5)
    + linear(8 * 8 * 256, 1)
)  # fmt: skip
FACES_NORMS = batch_norm(64) + batch_norm(128)
FACES_UP = (
    linear(128, 16384) + convolution(256, 128, 5) + convolution(128, 64, 5) + convolution(64, 32, 5)
    + batch_norm(128 + 64 + 32)
)  # fmt: skip
FACES_PIXELS = 128 * 128 * 3
FACES_MLP = linear(FACES_PIXELS, 1024) + linear(1024, 1)
FACES_LAST = convolution(3, 3, 5)
FACES_SMOOTH = convolution(32, 16, 5) + convolution(16, 3, 5)
FACES_CONVOLVED = linear(128, 1024) + linear(1024, FACES_PIXELS) + FACES_LAST
FACES_DECONVOLVED = linear(128, 4096) + convolution(4, 16, 5) + convolution(16, 8, 5) + convolution(8, 3, 5)
FACES = {
    "thesis-dcgan": (FACES_CRITIC + FACES_NORMS, FACES_UP + convolution(32, 3, 5)),
    "wdcgan": (FACES_CRITIC + FACES_NORMS, FACES_UP + convolution(32, 3, 5)),
    "wdcgan-opt": (FACES_CRITIC + FACES_NORMS, FACES_UP + FACES_SMOOTH),
    "wdcgan-gp": (FACES_CRITIC, FACES_UP + FACES_SMOOTH),
    "thesis-wgan": (FACES_MLP, linear(128, 1024) + linear(1024, FACES_PIXELS)),
    "thesis-wgan-gp": (FACES_MLP, linear(128, 1024) + linear(1024, FACES_PIXELS)),
    "thesis-wgan-conv": (FACES_MLP, FACES_CONVOLVED),
    "thesis-wgan-conv-gp": (FACES_MLP, FACES_CONVOLVED),
    "thesis-wgan-deconv": (FACES_MLP, FACES_DECONVOLVED),
    "thesis-wgan-deconv-gp": (FACES_MLP, FACES_DECONVOLVED),
}


@pytest.mark.parametrize("name", FACES)
def test_the_thesis_networks_for_faces_have_its_layers(name: str) -> None:
    """At its 128 x 128, with 128 numbers of noise and the biases that its convolutions lack."""
    recipe = recipe_named(name, "colour images")
    state = State(recipe, (3, 128, 128), seed=0)
    assert (parameters(state.critic.network), parameters(state.generator.network)) == FACES[name]
    leaky = "leaky-relu" if name.startswith("thesis-wgan") else "relu"  # sections 5.5 and 5.2
    assert (recipe.critic.network.activation, recipe.generator.network.activation) == (leaky, "relu")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", FACES)
def test_the_thesis_networks_for_faces_fit_64_pixels_and_refuse_what_cannot_be_halved(name: str) -> None:
    recipe = recipe_named(name, "colour images")
    State(recipe, (3, 64, 64), seed=0)
    if isinstance(recipe.generator.network, MLP) or recipe.generator.network == MLPConv():
        return  # which halve nothing
    for odd in ((3, 66, 66), (3, 50, 50)):
        with pytest.raises(UsageError, match=r"cannot be halved [24] times.*images\.size=64"):
            State(recipe, odd, seed=0)


@pytest.mark.parametrize(("name", "labels"), THESIS)
def test_the_thesis_networks_have_its_layers(name: str, labels: str) -> None:
    """With the biases that its convolutions and norms lack and ours have."""
    recipe = configure(name, "", changes=[("labels", labels)], medium="images").plan
    state = State(recipe, CELL, seed=0, classes=32)
    assert (parameters(state.critic.network), parameters(state.generator.network)) == THESIS[name, labels]


def test_norms_are_where_they_were_asked_for() -> None:
    """`normed` chooses among the layers that have a norm else: fully connected ones, or convolutions."""
    norms = {}
    for normed in ("all", "dense", "maps"):
        settings = DCGAN(4, dense=16, normed=normed)
        players = settings.critic(Sizes((1, 32, 32))), settings.generator(Sizes((1, 32, 32), noise=5))
        norms[normed] = [[row.parameters // 2 for row in layer_table(p) if "Norm" in row.kind] for p in players]
    assert norms["dense"] == [[16], [16, 4 * 4 * 16]]
    assert norms["maps"] == [[8, 16], [8, 4]]
    assert norms["all"] == [[8, 16, 16], [16, 4 * 4 * 16, 8, 4]]


@pytest.mark.parametrize("name", TEXT)
def test_the_texts_networks_have_the_texts_parameters(name: str) -> None:
    state = State(recipe_named(name, "images"), GREY, seed=0, classes=10)
    assert (parameters(state.critic.network), parameters(state.generator.network)) == TEXT[name]


def test_the_texts_autoencoder_has_its_layers() -> None:
    """Batch norms, of which the text says nothing, aside."""
    critic = State(recipe_named("text-ebgan", "images"), GREY, seed=0).critic.network
    products = [row.parameters for row in layer_table(critic) if "Norm" not in row.kind]
    assert products == [convolution(1, 64), linear(HALVED, 32), linear(32, HALVED), convolution(64, 1)]


def test_dcgans_networks_are_those_of_the_paper() -> None:
    """64 x 64 from 100 numbers: maps of 512, 256, 128 and 64 channels, 4 x 4 to 32 x 32."""
    generator = DCGAN().generator(Sizes((3, 64, 64), noise=100))
    expected = linear(100, 4 * 4 * 512) + convolution(512, 256) + convolution(256, 128) + convolution(128, 64)
    assert parameters(generator) == expected + convolution(64, 3) + batch_norm(512 + 256 + 128 + 64)
    critic = DCGAN().critic(Sizes((3, 64, 64)))
    expected = convolution(3, 64) + convolution(64, 128) + convolution(128, 256) + convolution(256, 512)
    assert parameters(critic) == expected + batch_norm(128 + 256 + 512) + linear(4 * 4 * 512, 1)


@pytest.mark.parametrize("name", [name for name, makers in RECIPES.items() if "images" in makers])
def test_the_table_of_layers_sums_to_all_parameters(name: str) -> None:
    recipe = recipe_named(name, "images")
    state = State(recipe, GREY, seed=0, classes=10)
    for network in (state.critic.network, state.generator.network):
        rows = layer_table(network)
        assert sum(row.parameters for row in rows) == parameters(network)
        assert len({row.name for row in rows}) == len(rows)
