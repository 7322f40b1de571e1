"""`--set labels=`: both players' use of labels in one word."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from ganbench.configuration import configure, from_flat
from ganbench.recipes import RECIPES
from ganbench.types import LabelUse, UsageError
from tests.cli.conftest import Outcome
from tests.cli.images import DENSE, colours, sets
from tests.undrawn import undrawn

__all__ = ["colours", "undrawn"]

ON_IMAGES = [name for name, makers in RECIPES.items() if "images" in makers]


@pytest.mark.parametrize("use", get_args(LabelUse))
@pytest.mark.parametrize("name", ON_IMAGES)
def test_both_players_use_labels_so(name: str, use: LabelUse) -> None:
    configuration = configure(name, "x", changes=[("labels", use)], medium="images")
    plan = configuration.plan
    assert plan.critic.labels == use
    assert plan.generator.labels == ("concat" if use == "projection" else use)
    one_by_one = [("critic.labels", use), ("generator.labels", plan.generator.labels)]
    assert configure(name, "x", changes=one_by_one, medium="images") == configuration
    assert "labels" not in configuration.tree()
    assert from_flat(configuration.tree()) == configuration


def test_the_last_change_counts() -> None:
    plan = configure("gan", "x", changes=[("labels", "inside"), ("critic.labels", "none")], medium="images").plan
    assert (plan.critic.labels, plan.generator.labels) == ("none", "inside")


@pytest.mark.parametrize("use", ["insid", None, 3, ["inside"]])
def test_other_uses_are_refused(use: object) -> None:
    with pytest.raises(UsageError, match=r"labels: .*allowed: none, concat, embedding, projection, inside"):
        configure("gan", "x", changes=[("labels", use)], medium="images")


def test_a_run_with_labels_inside_is_resumed_with_its_own_alone(
    ganbench: Callable[..., Outcome], colours: Path, tmp_path: Path, undrawn: None
) -> None:
    words = ["--data", colours, "--rounds", 2, "--out", "run", *sets([*DENSE, "labels=inside"])]
    assert ganbench("train", "gan", *words).code == 0
    assert ganbench("sample", "run", "--labels", "red,blue", "--out", "x.npz").code == 0
    assert np.load(tmp_path / "x.npz")["labels"].tolist() == [2, 0]
    other = ganbench("train", "--resume", "--out", "run", "--set", "labels=concat")
    assert (other.code, "critic.labels is 'inside' there, not 'concat'" in other.err) == (2, True), other.err
    same = ganbench("train", "--resume", "--out", "run", "--set", "labels=inside")
    assert "nothing to go on with" in same.err
