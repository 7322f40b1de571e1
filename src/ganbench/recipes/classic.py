"""The published games on MLPs, each with its paper's settings."""

from __future__ import annotations

from ganbench.averages import Decay
from ganbench.constraints import Clip, SpectralNorm
from ganbench.networks import MLP, Pack
from ganbench.objectives import Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein
from ganbench.optimizers import Adam, RMSprop
from ganbench.recipes.base import Player, Recipe
from ganbench.schedules import Phase, Turns
from ganbench.terms import GradientPenalty

_LEAKY = MLP(activation="leaky-relu")


def gan() -> Recipe:
    """The GAN as it is usually trained: the non-saturating game, one turn each.

    Goodfellow et al. 2014, arXiv:1406.2661; the optimiser's settings are those of DCGAN, arXiv:1511.06434.
    """
    return Recipe(objective=NonSaturating(), critic=Player(network=_LEAKY), rounds=6000)


def gan_minimax() -> Recipe:
    """The original zero-sum game, whose generator gets little gradient once the discriminator is sure.

    Goodfellow et al. 2014, arXiv:1406.2661, equation 1; the optimiser's settings are those of DCGAN.
    """
    return Recipe(objective=Minimax(), critic=Player(network=_LEAKY), rounds=6000)


def lsgan() -> Recipe:
    """Squared errors in place of cross-entropies: fakes far on the right side of the boundary are pulled back.

    Mao et al. 2016, arXiv:1611.04076, with labels 0, 1 and aim 1.
    """
    return Recipe(objective=LeastSquares(), critic=Player(network=_LEAKY), rounds=6000)


def hinge() -> Recipe:
    """The hinge game of support vector machines. Lim and Ye 2017, arXiv:1705.02894."""
    return Recipe(objective=Hinge(), critic=Player(network=_LEAKY), rounds=6000)


def wgan() -> Recipe:
    """The Wasserstein game with clipped weights; the critic gets a long start, and another every 500 rounds.

    Arjovsky et al. 2017, arXiv:1701.07875: RMSprop at 5e-5, clip 0.01, 5 critic turns a round, 100 in each of the first
    25 rounds and in every 500th. The bound and the rate were chosen for images: on points both are slow.
    """
    return Recipe(
        objective=Wasserstein(),
        critic=Player(network=_LEAKY, optimizer=RMSprop(), constraints={"clip": Clip()}),
        generator=Player(optimizer=RMSprop()),
        turns=Turns(critic=5, opening=(Phase(25, critic=100),), every=Phase(500, critic=100)),
        rounds=1800,
    )


def wgan_gp() -> Recipe:
    """The Wasserstein game with the critic's gradient norm held at 1 between data and fakes.

    Gulrajani et al. 2017, arXiv:1704.00028: Adam at 1e-4, 5 critic turns a round; weight 0.1, as the paper's code has
    it for points in the plane (10 for images).
    """
    adam = Adam(lr=1e-4, betas=(0.5, 0.9))
    return Recipe(
        objective=Wasserstein(),
        critic=Player(network=_LEAKY, optimizer=adam, terms={"gradient-penalty": GradientPenalty(weight=0.1)}),
        generator=Player(optimizer=adam),
        turns=Turns(critic=5),
        rounds=1200,
    )


def dragan() -> Recipe:
    """The non-saturating game with the gradient norm held at 1 around the data.

    Kodali et al. 2017, arXiv:1705.07215: weight 10, Adam at 1e-4 with betas (0.5, 0.9), one turn each.
    """
    adam = Adam(lr=1e-4, betas=(0.5, 0.9))
    penalty = GradientPenalty("around_real", weight=10.0)
    return Recipe(
        objective=NonSaturating(),
        critic=Player(network=_LEAKY, optimizer=adam, terms={"gradient-penalty": penalty}),
        generator=Player(optimizer=adam),
        rounds=3500,
    )


def gan_r1() -> Recipe:
    """The non-saturating game with R1: the squared gradient norm at the data, which makes it converge locally.

    Mescheder et al. 2018, arXiv:1801.04406: gamma 10 (a weight of 5), RMSprop at 1e-4, running average 0.999.
    """
    rmsprop = RMSprop(lr=1e-4)
    return Recipe(
        objective=NonSaturating(),
        critic=Player(network=_LEAKY, optimizer=rmsprop, terms={"r1": GradientPenalty("real", target=0, weight=5.0)}),
        generator=Player(optimizer=rmsprop),
        average=Decay(0.999),
        rounds=4000,
    )


def sngan() -> Recipe:
    """The hinge game with spectrally normalised critic weights.

    Miyato et al. 2018, arXiv:1802.05957: Adam at 2e-4 with betas (0, 0.9), 5 critic turns a round.
    """
    adam = Adam(lr=2e-4, betas=(0.0, 0.9))
    return Recipe(
        objective=Hinge(),
        critic=Player(network=_LEAKY, optimizer=adam, constraints={"spectral-norm": SpectralNorm()}),
        generator=Player(optimizer=adam),
        turns=Turns(critic=5),
        rounds=1500,
    )


def pacgan() -> Recipe:
    """The non-saturating game with a critic that judges two things at once, and so sees a lack of variety.

    Lin et al. 2018, arXiv:1712.04086 (PacGAN2), otherwise as `gan`.
    """
    return Recipe(
        objective=NonSaturating(),
        critic=Player(network=_LEAKY),
        wrappers={"pack": Pack(2)},
        rounds=6000,
    )
