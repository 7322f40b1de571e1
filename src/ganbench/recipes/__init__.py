"""All recipes by name: one short function per published GAN."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ganbench.recipes import text, thesis
from ganbench.recipes.base import KINDS, Player, Recipe
from ganbench.recipes.classic import (
    dcgan,
    dragan,
    gan,
    gan_minimax,
    gan_r1,
    hinge,
    lsgan,
    pacgan,
    sngan,
    wgan,
    wgan_gp,
)
from ganbench.recipes.conditional import acgan, cgan, infogan, sngan_projection
from ganbench.recipes.energy import began, ebgan
from ganbench.recipes.modern import best_for_images, best_for_points, r3gan, r3gan_conditional
from ganbench.settings import unknown
from ganbench.types import Medium, UsageError

Maker: TypeAlias = Callable[[Medium], Recipe]


def _both(maker: Maker) -> Mapping[Medium, Maker]:
    return {"points": maker, "images": maker}


RECIPES: dict[str, Mapping[Medium, Maker]] = {
    "best": {"points": best_for_points, "images": best_for_images},
    "gan": _both(gan),
    "gan-minimax": _both(gan_minimax),
    "lsgan": _both(lsgan),
    "hinge": _both(hinge),
    "wgan": _both(wgan),
    "wgan-gp": _both(wgan_gp),
    "dragan": _both(dragan),
    "gan-r1": _both(gan_r1),
    "sngan": _both(sngan),
    "pacgan": _both(pacgan),
    "r3gan": _both(r3gan),
    "dcgan": {"images": dcgan},
    "cgan": {"images": cgan},
    "acgan": {"images": acgan},
    "infogan": {"images": infogan},
    "ebgan": {"images": ebgan},
    "began": {"images": began},
    "sngan-projection": {"images": sngan_projection},
    "r3gan-conditional": {"images": r3gan_conditional},
    "text-gan": {"images": text.text_gan},
    "text-lsgan": {"images": text.text_lsgan},
    "text-wgan": {"images": text.text_wgan},
    "text-wgan-gp": {"images": text.text_wgan_gp},
    "text-dragan": {"images": text.text_dragan},
    "text-cgan": {"images": text.text_cgan},
    "text-acgan": {"images": text.text_acgan},
    "text-ebgan": {"images": text.text_ebgan},
    "text-began": {"images": text.text_began},
    "text-mlp-gan": {"images": text.text_mlp_gan},
    "text-mlp-wgan": {"images": text.text_mlp_wgan},
    "thesis-gan": {"images": thesis.thesis_gan},
    "thesis-wgan": {"images": thesis.thesis_wgan},
    "thesis-wgan-gp": {"images": thesis.thesis_wgan_gp},
    "thesis-dcgan": {"images": thesis.thesis_dcgan},
    "wdcgan": {"images": thesis.wdcgan},
    "wdcgan-opt": {"images": thesis.wdcgan_opt},
    "wdcgan-gp": {"images": thesis.wdcgan_gp},
}
"""Who makes each recipe, for each kind of data that it serves."""


def recipe_named(name: str, medium: Medium = "points") -> Recipe:
    """The recipe of that name for a kind of data.

    Raises:
        UsageError: there is none; the sentence names the nearest.
    """
    if name not in RECIPES:
        raise UsageError(unknown("recipe", name, RECIPES))
    if medium not in RECIPES[name]:
        served = ", ".join(other for other, makers in RECIPES.items() if medium in makers)
        raise UsageError(f"the recipe {name!r} is for {' and '.join(RECIPES[name])}; these data are {medium}: {served}")
    return RECIPES[name][medium](medium)


__all__ = ["KINDS", "RECIPES", "Maker", "Player", "Recipe", "recipe_named"]
