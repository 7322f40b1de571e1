"""The networks of the captcha thesis, for cells of 20 x 20: one character each.

The thesis gives neither learning rates nor the batch. The rates here were chosen by trainings of a minute or two on
real captchas, one seed each: for the convolutional networks 1e-3 over 2e-4, for the MLPs 5e-4 over 1e-4. Noise has 128
numbers, batches have 64 images. Labels, where they are asked for (`--set labels=inside`), go beside the input of every
fully connected layer, as the thesis has them. Its convolutions have no biases and its norms no scale; ours have, and
where all of a critic is clipped, so is that scale. Its sigmoid on [0, 1] is our tanh on [-1, 1]. Its code takes the
gradient penalty's norm over a part of the axes; ours over all, as the paper does.
"""

from __future__ import annotations

from dataclasses import replace

from ganbench.constraints import Clip
from ganbench.networks import DCGAN, MLP
from ganbench.objectives import NonSaturating, Wasserstein
from ganbench.optimizers import Adam, RMSprop
from ganbench.priors import Noise
from ganbench.recipes.base import Player, Recipe
from ganbench.schedules import Turns
from ganbench.terms import GradientPenalty
from ganbench.types import Medium

_NOISE = Noise(128)
_BATCH = 64
_CRITIC = DCGAN(dense=1024, kernel=5, activation="leaky-relu", normed="dense")
_GENERATOR = DCGAN(dense=1024, kernel=5)


def thesis_dcgan(medium: Medium = "images") -> Recipe:
    """The thesis's DCGAN (arXiv:1511.06434): 5 x 5 convolutions, one discriminator turn to five of the generator.

    D: 64 and 128 maps, 1024 numbers with the network's one norm, a score. G: 1024, the base of 128 maps, 64 maps, the
    image, norms after all but the last. Adam at 1e-3 with beta1 0.5. In the thesis's code D ends in a sigmoid, and what
    comes out is taken for a logit, which confines its verdicts; ours has the score itself.
    """
    adam = Adam(lr=1e-3, betas=(0.5, 0.999))
    return Recipe(
        objective=NonSaturating(),
        critic=Player(network=_CRITIC, optimizer=adam),
        generator=Player(network=_GENERATOR, optimizer=adam),
        turns=Turns(critic=1, generator=5),
        prior=_NOISE,
        batch_size=_BATCH,
        rounds=800,
    )


def thesis_wgan(medium: Medium = "images") -> Recipe:
    """The thesis's WGAN (arXiv:1701.07875) on MLPs with one hidden layer of 500, three critic turns to one.

    All of the critic's weights and biases are clipped to 0.05. RMSprop at 5e-4.
    """
    rmsprop = RMSprop(lr=5e-4)
    return Recipe(
        objective=Wasserstein(),
        critic=Player(network=MLP((500,)), optimizer=rmsprop, constraints={"clip": Clip(0.05)}),
        generator=Player(network=MLP((500,)), optimizer=rmsprop),
        turns=Turns(critic=3),
        prior=_NOISE,
        batch_size=_BATCH,
        rounds=8500,
    )


def thesis_gan(medium: Medium = "images") -> Recipe:
    """The thesis's MLPs with the GAN's loss (arXiv:1406.2661), all else as in `thesis-wgan` but for the clip.

    The thesis found no settings with which it works: "wallpaper".
    """
    wgan = thesis_wgan(medium)
    return replace(wgan, objective=NonSaturating(), critic=replace(wgan.critic, constraints={}))


def wdcgan(medium: Medium = "images") -> Recipe:
    """The networks of `thesis-dcgan` with the Wasserstein game (arXiv:1701.07875), in the same turns.

    All of the critic's weights and biases are clipped to 0.05. RMSprop at 1e-3.
    """
    return as_wasserstein(thesis_dcgan(medium))


def as_wasserstein(dcgan: Recipe) -> Recipe:
    """The same networks and turns with the Wasserstein game, all of the critic clipped to 0.05, RMSprop at 1e-3."""
    rmsprop = RMSprop(lr=1e-3)
    critic = replace(dcgan.critic, optimizer=rmsprop, constraints={"clip": Clip(0.05)})
    return replace(dcgan, objective=Wasserstein(), critic=critic, generator=replace(dcgan.generator, optimizer=rmsprop))


def wdcgan_opt(medium: Medium = "images") -> Recipe:
    """`wdcgan` with the changes that the thesis's author made to WGAN (arXiv:1701.07875).

    - The generator's last transposed convolution gives 16 maps with tanh, and a 5 x 5 convolution the image.
    - Clipped to 0.05 are only weights, no biases: of the critic's fully connected layers, and of the generator's fully
      connected and transposed layers.

    Turns are those of its experiment with captchas, one of the critic to five throughout. It says that there should
    have been many critic turns at first, and more generator turns once the critic's loss falls steadily. Numbers for
    that it has for faces alone, 25 rounds of 5 to 2 and then 2 to 1; these, until the gap falls, are `--set "turns=
    {critic: 2, opening: [{rounds: 25, critic: 5, generator: 2}], then: {critic: 1, generator: 5}}"`. On real captchas
    three generators of five had learnt nothing after 800 rounds of them (claim C6-phases).
    """
    return smoothed(wdcgan(medium), _GENERATOR)


def smoothed(wdcgan: Recipe, network: DCGAN) -> Recipe:
    """The same with a convolution at the generator's end, of both players the weights of chosen layers clipped."""
    clips = [Clip(0.05, layers, biases=False) for layers in (("linear",), ("linear", "transposed"))]
    critic = replace(wdcgan.critic, constraints={"clip": clips[0]})
    generator = replace(wdcgan.generator, network=replace(network, smoothing=16), constraints={"clip": clips[1]})
    return replace(wdcgan, critic=critic, generator=generator)


def wdcgan_gp(medium: Medium = "images") -> Recipe:
    """The networks of `wdcgan-opt` with a gradient penalty of weight 10 (arXiv:1704.00028) in place of clipping.

    The critic has no norm. The thesis says that all else is as in its own change of WGAN.
    """
    return penalised(wdcgan_opt(medium), _CRITIC)


def penalised(wdcgan: Recipe, network: DCGAN) -> Recipe:
    """The same with a gradient penalty in the place of clipping, and no norm in the critic."""
    critic = replace(with_penalty(wdcgan).critic, network=replace(network, norm="none"))
    return replace(wdcgan, critic=critic, generator=replace(wdcgan.generator, constraints={}))


def with_penalty(recipe: Recipe) -> Recipe:
    """The same with a gradient penalty of weight 10 in the place of the critic's clipping."""
    terms = {"gradient-penalty": GradientPenalty(weight=10.0)}
    return replace(recipe, critic=replace(recipe.critic, constraints={}, terms=terms))


def thesis_wgan_gp(medium: Medium = "images") -> Recipe:
    """The MLPs of `thesis-wgan` with a gradient penalty of weight 10 (arXiv:1704.00028) in place of clipping.

    Three critic turns to one, as there: the thesis gives no others.
    """
    return replace(with_penalty(thesis_wgan(medium)), rounds=4500)
