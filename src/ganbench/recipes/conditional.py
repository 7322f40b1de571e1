"""Games in which a label or a code says what is to be drawn."""

from __future__ import annotations

from ganbench.constraints import SpectralNorm
from ganbench.networks import DCGAN
from ganbench.objectives import Hinge, NonSaturating
from ganbench.optimizers import Adam
from ganbench.priors import Coded, Noise
from ganbench.recipes.base import Recipe, game
from ganbench.recipes.classic import EPOCHS
from ganbench.schedules import Turns
from ganbench.terms import ClassLoss, CodeLoss
from ganbench.types import Medium


def cgan(medium: Medium = "images") -> Recipe:
    """Both players are told the label, as one more input. Mirza and Osindero 2014, arXiv:1411.1784."""
    labels = {"labels": "concat"}
    return game(medium, objective=NonSaturating(), critic=labels, generator=labels, rounds=EPOCHS)


def acgan(medium: Medium = "images") -> Recipe:
    """The generator is told the label, and the critic has to read it off, of real and of generated things.

    Odena et al. 2016, arXiv:1610.09585: Adam at 2e-4 with betas (0.5, 0.999).
    """
    return game(
        medium,
        objective=NonSaturating(),
        critic={"terms": {"class": ClassLoss(on=("real", "fake"))}},
        generator={"labels": "concat", "terms": {"class": ClassLoss(on=("fake",))}},
        rounds=EPOCHS,
    )


def infogan(medium: Medium = "images") -> Recipe:
    """Part of the noise is a code that the critic has to recover, so that its numbers come to mean something.

    Chen et al. 2016, arXiv:1606.03657, for MNIST: 62 numbers of noise, one choice of ten and two numbers as the code;
    Adam at 2e-4 for the critic, 1e-3 for the generator. Both kinds of code are recovered by one linear layer on the
    critic's features and with weight 1, where the paper has a further layer and a smaller weight for the two numbers.
    """
    return game(
        medium,
        objective=NonSaturating(),
        critic={"terms": {"code": CodeLoss()}},
        generator={"optimizer": Adam(lr=1e-3), "terms": {"code": CodeLoss()}},
        prior=Coded(Noise(62)),
        rounds=EPOCHS,
    )


def sngan_projection(medium: Medium = "images") -> Recipe:
    """The critic adds the product of a learnt vector of the label with its features to the score.

    Miyato and Koyama 2018, arXiv:1802.05637: the hinge game with spectrally normalised critic weights, Adam at 2e-4
    with betas (0, 0.9), 5 critic turns a round. The generator reads the label beside its noise, where the paper
    modulates its batch norms.
    """
    adam = Adam(lr=2e-4, betas=(0.0, 0.9))
    return game(
        medium,
        objective=Hinge(),
        critic={
            "network": DCGAN(dense=1024, activation="leaky-relu", norm="none"),
            "labels": "projection",
            "optimizer": adam,
            "constraints": {"spectral-norm": SpectralNorm()},
        },
        generator={"labels": "embedding", "optimizer": adam},
        turns=Turns(critic=5),
        rounds=EPOCHS // 5,
    )
