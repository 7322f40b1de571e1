"""ganbench: train any published GAN, measure it against the data's own noise floor, compare over seeds.

>>> import ganbench
>>> run = ganbench.fit("gan", "moons", rounds=2, progress=False)
>>> run.sample(5).shape
(5, 2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ganbench.api import Run, compare, evaluate, fit, load, load_data, prepare, reproduce
    from ganbench.data import ImageSet, PointSet, load_points
    from ganbench.recipes import RECIPES, Player, Recipe, recipe_named

_HOMES = {
    "ganbench.api": ("Run", "compare", "evaluate", "fit", "load", "load_data", "prepare", "reproduce"),
    "ganbench.data": ("ImageSet", "PointSet", "load_points"),
    "ganbench.recipes": ("RECIPES", "Player", "Recipe", "recipe_named"),
}

__all__ = [
    "RECIPES",
    "ImageSet",
    "Player",
    "PointSet",
    "Recipe",
    "Run",
    "compare",
    "evaluate",
    "fit",
    "load",
    "load_data",
    "load_points",
    "prepare",
    "recipe_named",
    "reproduce",
]


def __getattr__(name: str) -> Any:
    """Imports what is asked for when it is asked for, since torch takes a second to start."""
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'ganbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
