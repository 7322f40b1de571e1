"""All recipes by name: one short function per published GAN."""

from __future__ import annotations

from collections.abc import Callable

from ganbench.recipes.base import KINDS, Player, Recipe
from ganbench.recipes.classic import (
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
from ganbench.recipes.modern import best, r3gan
from ganbench.settings import unknown
from ganbench.types import UsageError

RECIPES: dict[str, Callable[[], Recipe]] = {
    "best": best,
    "gan": gan,
    "gan-minimax": gan_minimax,
    "lsgan": lsgan,
    "hinge": hinge,
    "wgan": wgan,
    "wgan-gp": wgan_gp,
    "dragan": dragan,
    "gan-r1": gan_r1,
    "sngan": sngan,
    "pacgan": pacgan,
    "r3gan": r3gan,
}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none; the sentence names the nearest.
    """
    if name not in RECIPES:
        raise UsageError(unknown("recipe", name, RECIPES))
    return RECIPES[name]()


__all__ = ["KINDS", "RECIPES", "Player", "Recipe", "recipe_named"]
