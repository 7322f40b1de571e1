"""The nine variants and two MLPs as the source texts ran them on MNIST, where they differ from the papers.

The variants share their settings: Adam at 2e-4 with betas (0.5, 0.999), batches of 64, noise uniform on [0, 1) of
dimension 62, batch norm in all networks, also where a penalty speaks against it. What the text leaves open (weights of
penalties, EBGAN's margin, BEGAN's gamma) is as in the code that it used.
"""

from __future__ import annotations

from dataclasses import replace

from ganbench.constraints import Clip
from ganbench.networks import MLP, Autoencoder
from ganbench.objectives import Energy, Equilibrium, NonSaturating, Wasserstein
from ganbench.optimizers import Adam, RMSprop
from ganbench.priors import Noise
from ganbench.recipes import classic, conditional, energy
from ganbench.recipes.base import CRITICS, Player, Recipe
from ganbench.recipes.classic import EPOCHS
from ganbench.schedules import Constant, Turns
from ganbench.terms import GradientPenalty, PullAway
from ganbench.types import Medium

_NOISE = Noise(62, "uniform", low=0.0)


def _as_in_the_text(recipe: Recipe) -> Recipe:
    """The recipe with the settings that all nine share."""
    adam = Adam(lr=2e-4, betas=(0.5, 0.999))
    network = Autoencoder(error="absolute", norm="batch") if _has_autoencoder(recipe) else CRITICS["images"]
    critic = replace(recipe.critic, optimizer=adam, network=network)
    return replace(recipe, critic=critic, generator=replace(recipe.generator, optimizer=adam), prior=_NOISE)


def _has_autoencoder(recipe: Recipe) -> bool:
    return isinstance(recipe.critic.network, Autoencoder)


def text_gan(medium: Medium = "images") -> Recipe:
    """The MNIST text's GAN (arXiv:1406.2661): as `gan`, with the text's noise."""
    return _as_in_the_text(classic.gan(medium))


def text_lsgan(medium: Medium = "images") -> Recipe:
    """The MNIST text's LSGAN (arXiv:1611.04076)."""
    return _as_in_the_text(classic.lsgan(medium))


def text_wgan(medium: Medium = "images") -> Recipe:
    """The MNIST text's WGAN (arXiv:1701.07875): clip 0.01 and 5 critic turns, but Adam and no long opening."""
    return replace(_as_in_the_text(classic.wgan(medium)), turns=Turns(critic=5), rounds=EPOCHS // 5)


def text_wgan_gp(medium: Medium = "images") -> Recipe:
    """The MNIST text's WGAN-GP (arXiv:1704.00028): a penalty of weight 10 on a critic with batch norm."""
    return _as_in_the_text(classic.wgan_gp(medium))


def text_dragan(medium: Medium = "images") -> Recipe:
    """The MNIST text's DRAGAN (arXiv:1705.07215), with batch norm in the critic and a penalty of weight 0.25."""
    text = _as_in_the_text(classic.dragan(medium))
    penalty = GradientPenalty("around_real", weight=0.25)
    return replace(text, critic=replace(text.critic, terms={"gradient-penalty": penalty}))


def text_cgan(medium: Medium = "images") -> Recipe:
    """The MNIST text's CGAN (arXiv:1411.1784)."""
    return _as_in_the_text(conditional.cgan(medium))


def text_acgan(medium: Medium = "images") -> Recipe:
    """The MNIST text's ACGAN (arXiv:1610.09585)."""
    return _as_in_the_text(conditional.acgan(medium))


def text_ebgan(medium: Medium = "images") -> Recipe:
    """The MNIST text's EBGAN (arXiv:1609.03126): margin 1 for a mean squared error a pixel. Its faults are left out.

    The code that the text used divided pull-away by one norm for the batch and cut the gradient at the target of the
    error.
    """
    text = _as_in_the_text(energy.ebgan(medium))
    critic = replace(text.critic, network=Autoencoder(error="squared", norm="batch"))
    generator = replace(text.generator, terms={"pull-away": PullAway()})
    return replace(text, objective=Energy(margin=1.0), critic=critic, generator=generator)


def text_began(medium: Medium = "images") -> Recipe:
    """The MNIST text's BEGAN (arXiv:1703.10717): gamma 1, a rate that does not fall."""
    text = _as_in_the_text(energy.began(medium))
    critic, generator = (replace(player, rate=Constant()) for player in (text.critic, text.generator))
    return replace(text, objective=Equilibrium(gamma=1.0), critic=critic, generator=generator)


def text_mlp_gan(medium: Medium = "images") -> Recipe:
    """The MNIST text's MLPs for the GAN (arXiv:1406.2661): critic 256-256, generator 1024-1024, Adam at 1e-3, beta1
    0.55. The noise's dimension, 96, is not the text's, which tells none.
    """
    adam = Adam(lr=1e-3, betas=(0.55, 0.999))
    return Recipe(
        objective=NonSaturating(),
        critic=Player(network=MLP((256, 256), "leaky-relu", slope=0.01), optimizer=adam),
        generator=Player(network=MLP((1024, 1024)), optimizer=adam),
        prior=Noise(96, "uniform"),
        batch_size=64,
        rounds=EPOCHS,
    )


def text_mlp_wgan(medium: Medium = "images") -> Recipe:
    """The WGAN tutorial's MLPs (arXiv:1701.07875): RMSprop at 5e-5, clip 0.01, 5 critic turns, no long opening."""
    return Recipe(
        objective=Wasserstein(),
        critic=Player(
            network=MLP((512, 256), "leaky-relu"), optimizer=RMSprop(lr=5e-5), constraints={"clip": Clip(0.01)}
        ),
        generator=Player(network=MLP((128, 256, 512, 1024), "leaky-relu", norm="batch"), optimizer=RMSprop(lr=5e-5)),
        turns=Turns(critic=5),
        prior=Noise(100),
        batch_size=64,
        rounds=EPOCHS // 5,
    )
