"""The published games that need no labels, each with its paper's settings.

For points the networks are MLPs, for images the convolutional pair of the MNIST text. Rounds are for half a minute of
one core on points, and for ten epochs of MNIST on images, in which a critic's turn sees a batch.
"""

from __future__ import annotations

from ganbench.averages import Decay
from ganbench.constraints import Clip, SpectralNorm
from ganbench.networks import DCGAN, Network, Pack
from ganbench.objectives import Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein
from ganbench.optimizers import Adam, RMSprop
from ganbench.priors import Noise
from ganbench.recipes.base import BATCH, CRITICS, Player, Recipe, game
from ganbench.schedules import Phase, Turns
from ganbench.terms import GradientPenalty
from ganbench.types import Medium

EPOCHS = 9380
"""Critic's turns in ten epochs of MNIST."""

# A penalty asks for the gradient of each score at its own image, which statistics over the batch would mix up.
_LAYER_NORM: dict[Medium, Network] = {
    "points": CRITICS["points"],
    "images": DCGAN(dense=1024, activation="leaky-relu", norm="layer"),
}
_NO_NORM: dict[Medium, Network] = {
    "points": CRITICS["points"],
    "images": DCGAN(dense=1024, activation="leaky-relu", norm="none"),
}


def gan(medium: Medium = "points") -> Recipe:
    """The GAN as it is usually trained: the non-saturating game, one turn each.

    Goodfellow et al. 2014, arXiv:1406.2661; the optimiser's settings are those of DCGAN, arXiv:1511.06434.
    """
    return game(medium, objective=NonSaturating(), critic={}, generator={}, rounds=_rounds(medium, 6000))


def gan_minimax(medium: Medium = "points") -> Recipe:
    """The original zero-sum game, whose generator gets little gradient once the discriminator is sure.

    Goodfellow et al. 2014, arXiv:1406.2661, equation 1; the optimiser's settings are those of DCGAN.
    """
    return game(medium, objective=Minimax(), critic={}, generator={}, rounds=_rounds(medium, 6000))


def dcgan(medium: Medium = "images") -> Recipe:
    """The non-saturating game with convolutions from the noise to the image, and nothing fully connected between.

    Radford et al. 2015, arXiv:1511.06434: batch norm in both networks, weights from N(0, 0.02), noise uniform on
    [-1, 1) of dimension 100, Adam at 2e-4 with beta1 0.5, batches of 128.
    """
    return Recipe(
        objective=NonSaturating(),
        critic=Player(network=DCGAN(activation="leaky-relu")),
        generator=Player(network=DCGAN()),
        prior=Noise(100, "uniform"),
        batch_size=128,
        rounds=EPOCHS // 2,
    )


def lsgan(medium: Medium = "points") -> Recipe:
    """Squared errors in place of cross-entropies: fakes far on the right side of the boundary are pulled back.

    Mao et al. 2016, arXiv:1611.04076, with labels 0, 1 and aim 1.
    """
    return game(medium, objective=LeastSquares(), critic={}, generator={}, rounds=_rounds(medium, 6000))


def hinge(medium: Medium = "points") -> Recipe:
    """The hinge game of support vector machines. Lim and Ye 2017, arXiv:1705.02894."""
    return game(medium, objective=Hinge(), critic={}, generator={}, rounds=_rounds(medium, 6000))


def wgan(medium: Medium = "points") -> Recipe:
    """The Wasserstein game with clipped weights; the critic gets a long start, and another every 500 rounds.

    Arjovsky et al. 2017, arXiv:1701.07875: RMSprop at 5e-5, clip 0.01, 5 critic turns a round, 100 in each of the first
    25 rounds and in every 500th. The bound and the rate were chosen for images: on points both are slow.
    """
    return game(
        medium,
        objective=Wasserstein(),
        critic={"optimizer": RMSprop(), "constraints": {"clip": Clip()}},
        generator={"optimizer": RMSprop()},
        turns=Turns(critic=5, opening=(Phase(25, critic=100),), every=Phase(500, critic=100)),
        rounds={"points": 1800, "images": 1340}[medium],  # the long turns are counted in the ten epochs too
    )


def wgan_gp(medium: Medium = "points") -> Recipe:
    """The Wasserstein game with the critic's gradient norm held at 1 between data and fakes.

    Gulrajani et al. 2017, arXiv:1704.00028: Adam at 1e-4, 5 critic turns a round, no batch norm in the critic; weight
    10, and 0.1 for points in the plane, as the paper's code has it.
    """
    adam = Adam(lr=1e-4, betas=(0.5, 0.9))
    penalty = GradientPenalty(weight={"points": 0.1, "images": 10.0}[medium])
    return game(
        medium,
        objective=Wasserstein(),
        critic={"network": _LAYER_NORM[medium], "optimizer": adam, "terms": {"gradient-penalty": penalty}},
        generator={"optimizer": adam},
        turns=Turns(critic=5),
        rounds=_rounds(medium, 1200, critic=5),
    )


def dragan(medium: Medium = "points") -> Recipe:
    """The non-saturating game with the gradient norm held at 1 around the data.

    Kodali et al. 2017, arXiv:1705.07215: weight 10, Adam at 1e-4 with betas (0.5, 0.9), one turn each.
    """
    adam = Adam(lr=1e-4, betas=(0.5, 0.9))
    penalty = GradientPenalty("around_real", weight=10.0)
    return game(
        medium,
        objective=NonSaturating(),
        critic={"network": _LAYER_NORM[medium], "optimizer": adam, "terms": {"gradient-penalty": penalty}},
        generator={"optimizer": adam},
        rounds=_rounds(medium, 3500),
    )


def gan_r1(medium: Medium = "points") -> Recipe:
    """The non-saturating game with R1: the squared gradient norm at the data, which makes it converge locally.

    Mescheder et al. 2018, arXiv:1801.04406: gamma 10 (a weight of 5), RMSprop at 1e-4, running average 0.999.
    """
    rmsprop = RMSprop(lr=1e-4)
    r1 = GradientPenalty("real", target=0, weight=5.0)
    return game(
        medium,
        objective=NonSaturating(),
        critic={"network": _NO_NORM[medium], "optimizer": rmsprop, "terms": {"r1": r1}},
        generator={"optimizer": rmsprop},
        average=Decay(0.999),
        rounds=_rounds(medium, 4000),
    )


def sngan(medium: Medium = "points") -> Recipe:
    """The hinge game with spectrally normalised critic weights.

    Miyato et al. 2018, arXiv:1802.05957: Adam at 2e-4 with betas (0, 0.9), 5 critic turns a round.
    """
    adam = Adam(lr=2e-4, betas=(0.0, 0.9))
    spectral = {"spectral-norm": SpectralNorm()}
    return game(
        medium,
        objective=Hinge(),
        critic={"network": _NO_NORM[medium], "optimizer": adam, "constraints": spectral},
        generator={"optimizer": adam},
        turns=Turns(critic=5),
        rounds=_rounds(medium, 1500, critic=5),
    )


def pacgan(medium: Medium = "points") -> Recipe:
    """The non-saturating game with a critic that judges two things at once, and so sees a lack of variety.

    Lin et al. 2018, arXiv:1712.04086 (PacGAN2), otherwise as `gan`.
    """
    return game(
        medium,
        objective=NonSaturating(),
        critic={},
        generator={},
        wrappers={"pack": Pack(2)},
        rounds=_rounds(medium, 6000),
    )


def _rounds(medium: Medium, points: int, critic: int = 1) -> int:
    """The rounds for points, or ten epochs of MNIST in batches of 64 with so many critic turns a round."""
    return points if medium == "points" else EPOCHS * 64 // BATCH["images"] // critic
