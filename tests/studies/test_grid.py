"""The grid of a study: what a list of values says, and that no two cells are mixed up."""

import math
from dataclasses import replace
from itertools import product

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ganbench.optimizers import OPTIMIZERS
from ganbench.recipes import RECIPES, recipe_named
from ganbench.settings import at
from ganbench.studies.grid import cells, parse_values
from ganbench.types import UsageError

FIELDS = ["rounds", "critic.optimizer.lr", "generator.terms.r1.weight", "a-b.c_d"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
some_of = {"min_size": 1, "max_size": 2, "unique": True}


@given(st.sampled_from(FIELDS), st.lists(VALUES, min_size=1, max_size=4))
@settings(deadline=None)
def test_values_are_read_as_yaml_has_them(field: str, values: list) -> None:
    text = yaml.safe_dump(values, default_flow_style=True, width=math.inf).strip()
    assert parse_values(f"{field}={text[1:-1]}") == (field, values)


@pytest.mark.parametrize(
    "text",
    ["", "rounds", "=3", "rounds=[", "rounds=3]", "rounds={a: 1", "rounds='x", "a=1],[2", "rounds=" + "[" * 3000],
    ids=lambda text: text[:12],
)
def test_what_is_no_list_of_values_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--set"):
        parse_values(text)


@given(
    recipes=st.lists(
        st.sampled_from(sorted(name for name, makers in RECIPES.items() if "points" in makers)), **some_of
    ),
    optimizers=st.lists(st.sampled_from(sorted(OPTIMIZERS)), max_size=2, unique=True),
    widths=st.lists(st.lists(st.integers(1, 300), max_size=3), **(some_of | {"unique": False, "unique_by": tuple})),
    rates=st.lists(st.floats(1e-6, 1.0), **some_of),
)
@settings(max_examples=15, deadline=None)
def test_every_choice_is_one_cell_with_its_own_name_and_settings(recipes, optimizers, widths, rates) -> None:  # type: ignore[no-untyped-def]
    grid = {"critic.network.widths": widths, "generator.optimizer.lr": rates}
    found = cells({name: name for name in recipes}, optimizers, grid)
    assert len(found) == len(recipes) * max(1, len(optimizers)) * len(widths) * len(rates)
    assert len({cell.name for cell in found}) == len({cell.folder(0) for cell in found}) == len(found)
    chosen = product(recipes, optimizers or [None], widths, rates)
    for cell, (recipe, optimizer, width, rate) in zip(found, chosen, strict=True):
        tree = cell.configuration("moons", 7).tree()
        assert (tree["recipe"], tree["seed"]) == (recipe, 7)
        assert (at(tree, "critic.network.widths"), at(tree, "generator.optimizer.lr")) == (width, rate)
        assert (
            optimizer is None or at(tree, "critic.optimizer.kind") == at(tree, "generator.optimizer.kind") == optimizer
        )


@given(st.lists(st.text(min_size=1, max_size=4), min_size=2, max_size=4, unique=True))
@settings(deadline=None)
def test_two_cells_never_share_a_folder(names: list[str]) -> None:
    """They are refused at worst: in a shared folder one would go on from the other's checkpoint."""
    recipes = {name: replace(recipe_named("gan"), rounds=rounds) for rounds, name in enumerate(names, start=1)}
    try:
        found = cells(recipes)
    except UsageError:
        return
    assert len({cell.folder(0) for cell in found}) == len(names)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"grid": {"critic.optimizer.lr": ["1e-3", 0.001]}}, "lr=1e-3' and 'gan, critic.optimizer.lr=0.001' have"),
        ({"grid": {"seed": [3]}}, "seeds are not set one by one"),
        ({"fixed": [("seed", 3)]}, "seeds are not set one by one"),
    ],
)
def test_cells_that_would_be_one_are_refused(settings: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        cells({"gan": "gan"}, **settings)
