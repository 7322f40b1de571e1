"""Which settings decided how well a trial did, and how much of that could be chance."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

ENOUGH = 10
"""With fewer trials nothing is said of what mattered."""

TOP = 0.25
"""What matters is what tells this share of the trials, the best ones and at least five, from all."""

SHUFFLES = 400
"""Times that the trials' values are dealt out anew, to see what chance makes of them."""

LEVEL = 0.05
"""The chance that any setting is said to matter where none does."""


@dataclass(frozen=True, slots=True)
class Importance:
    """The share of each setting in what tells the best trials from all, the largest first, and what `chance` gives.

    A setting mattered where its share is above its chance. If the trials' values are dealt out at random, that is so of
    any setting in at most one of 20 searches (a permutation test, with Bonferroni's correction for the number of
    settings); where the chance is 1 no share would do. Both are empty where the trials were too few.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    chance: Mapping[str, float] = field(default_factory=dict)

    @property
    def mattered(self) -> list[str]:
        """The settings whose share is more than chance gives."""
        return [key for key, share in self.shares.items() if share > self.chance[key]]


def importance(study: optuna.Study) -> Importance:
    """PED-ANOVA, arXiv:2304.10255, which looks at the order of the trials alone.

    Trials that were pruned or diverged are put behind those that finished: without them a setting would seem harmless
    whose bad values never finish.
    """
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    finished = [trial.values[0] for trial in trials if trial.state == TrialState.COMPLETE]
    if len(trials) < ENOUGH or not finished:
        return Importance()
    behind = max(finished) + 1.0
    values = [behind if trial.state == TrialState.PRUNED else trial.values[0] for trial in trials]
    ordered = optuna.create_study()
    ordered.add_trials(
        optuna.create_trial(params=trial.params, distributions=trial.distributions, value=0.0) for trial in trials
    )
    found = _divergences(ordered, values)
    rng = np.random.default_rng(0)
    shuffled = [_divergences(ordered, rng.permutation(values).tolist()) for _ in range(SHUFFLES)]
    total = sum(found.values()) or 1.0
    level = 1 - LEVEL / len(found)
    chance = {key: min(1.0, float(np.quantile([each[key] for each in shuffled], level)) / total) for key in found}
    return Importance({key: divergence / total for key, divergence in found.items()}, chance)


def _divergences(study: optuna.Study, values: Sequence[float]) -> dict[str, float]:
    """How far the settings of the best trials are from those of all, setting by setting, the furthest first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is experimental, and says that less is better
        evaluator = PedAnovaImportanceEvaluator(target_quantile=max(TOP, 5 / len(values)))
        return get_param_importances(
            study, evaluator=evaluator, target=lambda trial: values[trial.number], normalize=False
        )
