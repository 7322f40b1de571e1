"""What is searched: around each recipe's own values, all of it allowed, and as a person asks."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganbench.configuration import configure
from ganbench.recipes import RECIPES
from ganbench.settings import at
from ganbench.tuning.space import Between, Choice, changes, parse_search, searched, space_of, start_of
from ganbench.types import UsageError

WGAN_GP = configure("wgan-gp", "moons")
EVERY = [(name, medium) for name, media in RECIPES.items() for medium in media]


def test_the_space_of_wgan_gp_is_around_its_own_values() -> None:
    space = space_of(WGAN_GP)
    rate = Between(1e-5, 1e-3, log=True)
    betas = Choice(([0.0, 0.9], [0.5, 0.9], [0.9, 0.9]))
    widths = Choice(([128, 128], [256, 256], [512, 512]))
    assert space == {
        "turns.critic": Choice((1, 2, 3, 4, 5)),
        "critic.optimizer.lr": rate,
        "critic.optimizer.betas": betas,
        "critic.network.widths": widths,
        "generator.optimizer.lr": rate,
        "generator.optimizer.betas": betas,
        "generator.network.widths": widths,
        "critic.terms.gradient-penalty.weight": Between(0.00333, 3.0, log=True),
    }


@pytest.mark.parametrize(("recipe", "medium"), EVERY, ids=[f"{name}-{medium}" for name, medium in EVERY])
def test_every_recipe_takes_its_whole_space_and_lies_in_it(recipe: str, medium) -> None:  # type: ignore[no-untyped-def]
    own = configure(recipe, "", medium=medium)
    space = space_of(own)
    for key, range in space.items():
        for value in range.ends:
            assert at(configure(recipe, "", changes=[(key, value)], medium=medium).tree(), key) == value
    assert configure(recipe, "", changes=start_of(space, own).items(), medium=medium) == own


@given(st.floats(1e-12, 1e12), st.floats(1.001, 1e6))
@settings(deadline=None)
def test_a_range_is_logarithmic_from_a_factor_of_ten_on(low: float, factor: float) -> None:
    _, found = parse_search(f"critic.optimizer.lr={low!r}..{low * factor!r}", WGAN_GP.tree())
    assert found == Between(low, low * factor, log=found.log)
    assert found.log == (factor >= 10) or math.isclose(factor, 10)


@given(st.floats(1e-12, 1.0), st.floats(2, 1e6), st.floats(0, 1))
@settings(deadline=None)
def test_rounded_numbers_stay_in_the_range_and_near(low: float, factor: float, share: float) -> None:
    value = low * factor**share
    rounded = Between(low, low * factor).rounded(value)
    assert low <= rounded <= low * factor
    assert math.isclose(rounded, value, rel_tol=6e-3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("turns.critic=1..8", Between(1, 8, whole=True)),
        ("turns.critic=1..10", Between(1, 10, log=True, whole=True)),
        ("critic.optimizer.lr=1..8", Between(1.0, 8.0)),
        ("critic.network.slope=-1..1", Between(-1.0, 1.0)),
        ("turns.critic=1,5", Choice((1, 5))),
        ("critic.network.widths=[8],[8,8]", Choice(([8], [8, 8]))),
        ("average=null,{kind: decay, decay: 0.9}", Choice((None, {"kind": "decay", "decay": 0.9}))),
        ("critic.labels=none,embed", Choice(("none", "embed"))),
        ("critic.optimizer.lr=none", None),
    ],
)
def test_what_a_person_asks_for(text: str, expected: object) -> None:
    assert parse_search(text, WGAN_GP.tree()) == (text.partition("=")[0], expected)


def test_what_is_asked_for_takes_the_place_of_what_was_derived() -> None:
    asked = ["turns.critic=none", "critic.optimizer=sgd,rmsprop", "critic.network.slope=0..0.5"]
    space = searched(WGAN_GP, ["generator.optimizer.lr"], asked)
    gone = {"turns.critic", "critic.optimizer.lr", "critic.optimizer.betas", "generator.optimizer.lr"}
    added = {"critic.optimizer": Choice(("sgd", "rmsprop")), "critic.network.slope": Between(0.0, 0.5)}
    assert space == {key: range for key, range in space_of(WGAN_GP).items() if key not in gone} | added


def test_a_piece_comes_before_its_fields() -> None:
    space = list(searched(WGAN_GP, [], ["critic.optimizer.lr=1e-4..1e-2", "critic.optimizer=adam,sgd"]))
    assert space.index("critic.optimizer") < space.index("critic.optimizer.lr")


def test_the_start_is_moved_into_a_range_that_leaves_the_recipe_out() -> None:
    space = searched(WGAN_GP, [], ["critic.optimizer.lr=1e-3..1e-2", "turns.critic=7,9"])
    start = start_of(space, WGAN_GP)
    assert (start["critic.optimizer.lr"], start["turns.critic"]) == (1e-3, 7)
    assert start["generator.optimizer.lr"] == 1e-4


def test_a_choice_of_pieces_starts_with_the_one_of_the_recipes_kind() -> None:
    space = searched(WGAN_GP, [], ["critic.optimizer=sgd,{kind: adam, lr: 0.01},adamw", "objective=hinge,wasserstein"])
    start = start_of(space, WGAN_GP)
    assert (start["critic.optimizer"], start["objective"]) == ({"kind": "adam", "lr": 0.01}, "wasserstein")


def test_changes_alone_make_the_configuration() -> None:
    """Fields that only another piece has go with it, even where they are as that piece has them."""
    own = configure("gan", "moons")
    settings = {"turns.critic": 1, "critic.optimizer": "momentum", "critic.optimizer.momentum": 0.9, "batch_size": 64}
    found = changes(own, settings)
    assert found == {key: value for key, value in settings.items() if key != "turns.critic"}
    assert configure("gan", "moons", changes=found.items()) == configure("gan", "moons", changes=settings.items())


@pytest.mark.parametrize(
    "text",
    [
        "", "turns.critic", "=1..2", "turns.critic=", "turns.critic=5..1", "turns.critic=2..2", "turns.critic=1..inf",
        "turns.critic=nan..2", "turns.critic=1..2..3", "turns.critic=a..b", "turns.critic=1", "turns.critic=1,1",
        "turns.critic=[", "seed=1,2", "rounds=10..20", "minutes=1..2", "measure.count=64,128", "images.size=16,32",
        "data=moons,ring8", "critic.optimizer.lr=2020-01-01,2020-01-02",
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--search"):
        parse_search(text, WGAN_GP.tree())


@pytest.mark.parametrize("asked", [["turns.critc=none"], ["turns.critic=1..2", "turns.critic=3..4"]])
def test_fields_that_are_asked_for_wrongly_together(asked: list) -> None:
    with pytest.raises(UsageError, match=r"turns\.critic"):
        searched(WGAN_GP, [], asked)
