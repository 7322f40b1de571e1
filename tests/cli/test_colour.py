"""Colour images are a kind of data of their own, for recipes that have a form for them."""

from collections.abc import Callable

import numpy as np
import pytest
import yaml

from ganbench.configuration import configure
from ganbench.data import ImageSet
from ganbench.networks import DCGAN, MLP
from ganbench.recipes import RECIPES, form_for, recipe_named
from ganbench.settings import to_tree
from ganbench.types import UsageError
from tests.cli.conftest import Outcome


def pixels(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.uint8)


def test_what_has_colours_is_a_kind_of_its_own() -> None:
    assert ImageSet("grey", pixels(16, 8, 8)).medium == "images"
    assert ImageSet("coloured", pixels(16, 8, 8, 3)).medium == "colour images"
    assert ImageSet("stacked:digits", pixels(16, 8, 8, 3)).medium == "images"


def test_recipes_without_a_form_for_colours_take_that_of_images() -> None:
    for name, makers in RECIPES.items():
        if "images" in makers and "colour images" not in makers:
            assert form_for(name, "colour images") == "images"
            assert recipe_named(name, "colour images") == recipe_named(name, "images")
    assert form_for("best", "colour images") == "colour images"
    assert recipe_named("best", "colour images") != recipe_named("best", "images")
    assert recipe_named("thesis-wgan", "images").critic.network == MLP((500,))
    assert recipe_named("thesis-wgan", "colour images").critic.network == MLP((1024,), "leaky-relu")
    with pytest.raises(UsageError, match=r"'dcgan' is for images; these data are points: best, "):
        recipe_named("dcgan", "points")


def test_a_run_is_repeated_from_its_file_alone() -> None:
    """Also by a hand that takes the form for grey images as its base."""
    made = configure("best", "x", changes=[("critic.network.channels", 8)], medium="colour images")
    file = yaml.safe_load(made.text())
    assert "augment" in file["wrappers"]
    for medium in ("images", "colour images"):
        again = configure("best", "x", file, medium=medium)  # type: ignore[arg-type]
        assert again == made
    assert isinstance(made.plan.critic.network, DCGAN)
    without = configure("best", "x", changes=[("wrappers.augment", None)], medium="colour images")
    assert to_tree(without.plan)["wrappers"] == {}


def test_kinds_of_augmentation_are_chosen_by_name() -> None:
    made = configure("gan", "x", changes=[("wrappers.augment", "augment")], medium="images")
    assert list(to_tree(made.plan)["wrappers"]["augment"]["kinds"]) == ["colour", "translation", "cutout"]
    with pytest.raises(UsageError, match=r"wrappers\.augment\.kinds"):
        configure("gan", "x", changes=[("wrappers.augment", {"kind": "augment", "kinds": ["shear"]})], medium="images")


def test_each_form_of_a_recipe_is_shown(ganbench: Callable[..., Outcome]) -> None:
    shown = ganbench("recipes", "best").out
    for form in ("best for points", "best for images", "best for colour images"):
        assert form in shown
    assert "wrappers.augment.kinds" in shown
