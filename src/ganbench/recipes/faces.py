"""The networks of the captcha thesis's chapter on faces, for colour images of 128 x 128, or 64 x 64.

They are the forms for colour images of the recipes that the thesis names alike for captchas
(`ganbench.recipes.thesis`), and four of their own: its MLP WGAN with two other ends of the generator. As there, rates
and batches are not given, and its convolutions have no biases. Sizes follow the image: 128 x 128 has the thesis's base
of 8 x 8, 64 x 64 one of 4 x 4. Rounds are those after which the thesis shows its pictures.
"""

from __future__ import annotations

from dataclasses import replace

from ganbench.networks import DCGAN, MLP, MLPConv, Network
from ganbench.recipes import thesis
from ganbench.recipes.base import Recipe
from ganbench.schedules import Phase, Turns
from ganbench.types import Medium

_PAIR = DCGAN(channels=32, halvings=4, kernel=5, normed="inner")


def thesis_dcgan(medium: Medium = "colour images") -> Recipe:
    """The thesis's DCGAN for faces (arXiv:1511.06434): 5 x 5 convolutions, one discriminator turn to two.

    D: 32, 64, 128 and 256 maps with relu, norms after the second and third, a score; the thesis has no activation
    between the last maps and the score, ours has one. G: the mirror, with norms between its transposed convolutions.
    Adam at 1e-3 with beta1 0.5.
    """
    return replace(
        _with(thesis.thesis_dcgan(), critic=_PAIR, generator=_PAIR), turns=Turns(critic=1, generator=2), rounds=7200
    )


def wdcgan(medium: Medium = "colour images") -> Recipe:
    """The networks of the DCGAN for faces with the Wasserstein game (arXiv:1701.07875).

    25 rounds of 5 critic turns to 2, then 2 to 1. All of the critic's weights and biases are clipped to 0.05, as for
    captchas. RMSprop at 1e-3.
    """
    turns = Turns(critic=2, opening=(Phase(25, critic=5, generator=2),))
    return replace(thesis.as_wasserstein(thesis_dcgan(medium)), turns=turns, rounds=5300)


def wdcgan_opt(medium: Medium = "colour images") -> Recipe:
    """`wdcgan` for faces with the changes that the thesis's author made to WGAN (arXiv:1701.07875).

    The generator's last transposed convolution gives 16 maps with tanh, and a 5 x 5 convolution the image. Clipped to
    0.05 are only weights: of the critic's fully connected layer, and of the generator's fully connected and transposed
    ones. "All else as it was": so are the turns.
    """
    return replace(thesis.smoothed(wdcgan(medium), _PAIR), rounds=3300)


def wdcgan_gp(medium: Medium = "colour images") -> Recipe:
    """The networks of `wdcgan-opt` for faces with a gradient penalty of weight 10 (arXiv:1704.00028), no clipping.

    The critic has no norm. The thesis tried it on captchas alone; turns and rates are those of `wdcgan-opt` here.
    """
    return thesis.penalised(wdcgan_opt(medium), _PAIR)


def thesis_wgan(medium: Medium = "colour images") -> Recipe:
    """The thesis's WGAN for faces (arXiv:1701.07875) on MLPs with one hidden layer of 1024, three critic turns to one.

    Turns and clip are those of its MLPs for captchas, the chapter on faces gives none: all of the critic's weights and
    biases are clipped to 0.05. RMSprop at 5e-4.
    """
    mlps = _with(thesis.thesis_wgan(), critic=MLP((1024,), "leaky-relu"), generator=MLP((1024,)))
    return replace(mlps, rounds=4500)


def thesis_wgan_conv(medium: Medium = "colour images") -> Recipe:
    """The thesis's WGAN for faces (arXiv:1701.07875) whose generator ends in a 5 x 5 convolution."""
    return _ending(MLPConv((1024,)))


def thesis_wgan_deconv(medium: Medium = "colour images") -> Recipe:
    """The thesis's WGAN for faces (arXiv:1701.07875) whose generator is one fully connected layer and convolutions.

    4 maps of a quarter of the image's sides, transposed convolutions to 16 and 8 maps with tanh, and a 5 x 5
    convolution; no norms.
    """
    return _ending(MLPConv((), maps=4, transposed=(16, 8)))


def thesis_wgan_gp(medium: Medium = "colour images") -> Recipe:
    """The MLPs of `thesis-wgan` for faces with a gradient penalty of weight 10 (arXiv:1704.00028), no clipping."""
    return thesis.with_penalty(thesis_wgan(medium))


def thesis_wgan_conv_gp(medium: Medium = "colour images") -> Recipe:
    """`thesis-wgan-conv` with a gradient penalty of weight 10 (arXiv:1704.00028) in place of clipping."""
    return thesis.with_penalty(thesis_wgan_conv(medium))


def thesis_wgan_deconv_gp(medium: Medium = "colour images") -> Recipe:
    """`thesis-wgan-deconv` with a gradient penalty of weight 10 (arXiv:1704.00028) in place of clipping."""
    return thesis.with_penalty(thesis_wgan_deconv(medium))


def _with(recipe: Recipe, critic: Network, generator: Network) -> Recipe:
    """The recipe with other networks."""
    return replace(
        recipe,
        critic=replace(recipe.critic, network=critic),
        generator=replace(recipe.generator, network=generator),
    )


def _ending(network: Network) -> Recipe:
    base = thesis_wgan()
    return replace(base, generator=replace(base.generator, network=network))
