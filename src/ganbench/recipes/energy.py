"""Games whose critic is an autoencoder: what it rebuilds well is taken for real."""

from __future__ import annotations

from ganbench.networks import DCGAN, Autoencoder
from ganbench.objectives import Energy, Equilibrium
from ganbench.optimizers import Adam
from ganbench.priors import Noise
from ganbench.recipes.base import Player, Recipe
from ganbench.recipes.classic import EPOCHS
from ganbench.schedules import Exponential
from ganbench.terms import PullAway
from ganbench.types import Medium


def ebgan(medium: Medium = "images") -> Recipe:
    """The energy is an autoencoder's error, held low at data and above a margin at fakes; codes of fakes pull away.

    Zhao et al. 2016, arXiv:1609.03126: margin 10 for the Euclidean norm of the error on MNIST, pull-away 0.1, Adam at
    1e-3. The generator's gradient passes through both sides of the error, and pull-away divides each code by its own
    norm.
    """
    return Recipe(
        objective=Energy(margin=10.0),
        critic=Player(network=Autoencoder(), optimizer=Adam(lr=1e-3)),
        generator=Player(network=DCGAN(dense=1024), optimizer=Adam(lr=1e-3), terms={"pull-away": PullAway()}),
        prior=Noise(dimension=64),
        batch_size=64,
        rounds=EPOCHS,
    )


def began(medium: Medium = "images") -> Recipe:
    """The ratio of the autoencoder's errors on fakes and on data is held at gamma, by a weight k that follows it.

    Berthelot et al. 2017, arXiv:1703.10717, with noise uniform on [-1, 1). Three settings are not the paper's. Its
    rates, 0.001 for k and 1e-4 for Adam, are made for trainings ten times as long as ten epochs of MNIST: with them k
    hardly leaves 0 and the images stay black; here k moves at 0.02, and Adam at 1e-3. Gamma is 1, as in the MNIST
    text: with 0.75 the digits are sharp, and mostly ones, sevens and nines. The learning rate falls to a tenth along
    the training, where the paper halves it whenever its measure of convergence stalls.
    """
    adam = Adam(lr=1e-3)
    rate = Exponential(final=0.1)
    return Recipe(
        objective=Equilibrium(gamma=1.0, rate=0.02),
        critic=Player(network=Autoencoder(error="absolute"), optimizer=adam, rate=rate),
        generator=Player(network=DCGAN(dense=1024), optimizer=adam, rate=rate),
        prior=Noise(64, "uniform"),
        batch_size=64,
        rounds=EPOCHS,
    )
