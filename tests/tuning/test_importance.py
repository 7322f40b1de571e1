"""What is said to matter: planted where it is known, and seldom where nothing does."""

import math

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from ganbench.tuning.importance import ENOUGH, importance

RATE = optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True)
BETA = optuna.distributions.FloatDistribution(0.0, 1.0)
TURNS = optuna.distributions.CategoricalDistribution(["1", "2", "5"])


def search(count: int, seed: int, value, state=TrialState.COMPLETE) -> optuna.Study:  # type: ignore[no-untyped-def]
    """Trials at random settings with the values that a function of rate, beta and a random number gives."""
    rng = np.random.default_rng(seed)
    study = optuna.create_study()
    for _ in range(count):
        params = {"rate": 10 ** rng.uniform(-5, -1), "beta": rng.uniform(), "turns": str(rng.choice(["1", "2", "5"]))}
        judged = value(params["rate"], rng.normal())
        pruned = state(judged) if callable(state) else state
        study.add_trial(
            optuna.create_trial(
                state=pruned,
                params=params,
                distributions={"rate": RATE, "beta": BETA, "turns": TURNS},
                value=judged if pruned == TrialState.COMPLETE else None,
            )
        )
    return study


@pytest.mark.parametrize("seed", range(3))
def test_the_only_setting_that_matters_is_found(seed: int) -> None:
    found = importance(search(30, seed, lambda rate, noise: (math.log10(rate) + 3) ** 2 + 0.1 * noise))
    assert next(iter(found.shares)) == "rate"
    assert found.mattered[:1] == ["rate"]
    assert sum(found.shares.values()) == pytest.approx(1)


def test_trials_that_were_pruned_tell_too() -> None:
    """Where all that finished are good, only those that did not say which settings are bad."""
    study = search(
        30,
        0,
        lambda rate, noise: noise + (100 if rate > 1e-3 else 0),
        lambda value: TrialState.PRUNED if value > 50 else TrialState.COMPLETE,
    )
    assert importance(study).mattered == ["rate"]


def test_chance_is_seldom_taken_for_something() -> None:
    """The level is one search in 20; of 12, more than 2 have a probability of 0.02."""
    said = [bool(importance(search(20, seed, lambda rate, noise: noise)).mattered) for seed in range(12)]
    assert sum(said) <= 2


def test_of_few_trials_nothing_is_said() -> None:
    assert importance(search(ENOUGH - 1, 0, lambda rate, noise: rate)).shares == {}
    assert importance(search(ENOUGH, 0, lambda rate, noise: rate, TrialState.PRUNED)).shares == {}
