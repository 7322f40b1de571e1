"""All recipes by name: one short function per published GAN."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ganbench.recipes import faces, text, thesis
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
from ganbench.recipes.modern import (
    best_for_colour,
    best_for_images,
    best_for_points,
    r3gan,
    r3gan_conditional,
    stylegan2,
)
from ganbench.settings import unknown
from ganbench.types import Medium, UsageError

Maker: TypeAlias = Callable[[Medium], Recipe]


def _both(maker: Maker) -> Mapping[Medium, Maker]:
    return {"points": maker, "images": maker}


RECIPES: dict[str, Mapping[Medium, Maker]] = {
    "best": {"points": best_for_points, "images": best_for_images, "colour images": best_for_colour},
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
    "stylegan2": {"images": stylegan2},
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
    "thesis-wgan": {"images": thesis.thesis_wgan, "colour images": faces.thesis_wgan},
    "thesis-wgan-gp": {"images": thesis.thesis_wgan_gp, "colour images": faces.thesis_wgan_gp},
    "thesis-wgan-conv": {"images": faces.thesis_wgan_conv, "colour images": faces.thesis_wgan_conv},
    "thesis-wgan-conv-gp": {"images": faces.thesis_wgan_conv_gp, "colour images": faces.thesis_wgan_conv_gp},
    "thesis-wgan-deconv": {"images": faces.thesis_wgan_deconv, "colour images": faces.thesis_wgan_deconv},
    "thesis-wgan-deconv-gp": {"images": faces.thesis_wgan_deconv_gp, "colour images": faces.thesis_wgan_deconv_gp},
    "thesis-dcgan": {"images": thesis.thesis_dcgan, "colour images": faces.thesis_dcgan},
    "wdcgan": {"images": thesis.wdcgan, "colour images": faces.wdcgan},
    "wdcgan-opt": {"images": thesis.wdcgan_opt, "colour images": faces.wdcgan_opt},
    "wdcgan-gp": {"images": thesis.wdcgan_gp, "colour images": faces.wdcgan_gp},
}
"""Who makes each recipe, for each kind of data that it has a form for."""


def require_known(name: str) -> None:
    """Raises UsageError where there is no such recipe; the sentence names the nearest."""
    if name not in RECIPES:
        raise UsageError(f"{unknown('recipe', name, RECIPES)}; `ganbench recipes` lists them")


def form_for(name: str, medium: Medium) -> Medium:
    """The kind of data whose form of a recipe serves a kind of data: colour images have that of images, or their own.

    Raises:
        UsageError: there is none; the sentence names the nearest, or those that serve such data.
    """
    require_known(name)
    if form := _form(RECIPES[name], medium):
        return form
    served = ", ".join(other for other, makers in RECIPES.items() if _form(makers, medium))
    raise UsageError(f"the recipe {name!r} is for {' and '.join(RECIPES[name])}; these data are {medium}: {served}")


def _form(makers: Mapping[Medium, Maker], medium: Medium) -> Medium | None:
    forms: tuple[Medium, ...] = ("colour images", "images") if medium == "colour images" else (medium,)
    return next((form for form in forms if form in makers), None)


def recipe_named(name: str, medium: Medium = "points") -> Recipe:
    """The recipe of that name for a kind of data.

    Raises:
        UsageError: there is none; the sentence names the nearest.
    """
    form = form_for(name, medium)
    return RECIPES[name][form](form)


__all__ = ["KINDS", "RECIPES", "Maker", "Player", "Recipe", "form_for", "recipe_named"]
