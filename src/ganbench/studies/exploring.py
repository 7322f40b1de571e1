"""Whether directions of a generator's noise change things that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import PositiveInt

from ganbench.configuration import Configuration
from ganbench.data import DataSet, ImageSet
from ganbench.explore.attributes import COLOUR_STATISTICS, STATISTICS, Attributes
from ganbench.explore.directions import random_directions
from ganbench.explore.exploration import explore
from ganbench.explore.judge import RANDOM, UNNAMED, Judgement, judge
from ganbench.explore.subject import Subject
from ganbench.explore.writing import draw_strips
from ganbench.runs import RunFolder
from ganbench.seeds import derive
from ganbench.settings import settings
from ganbench.studies.work import OnShare, between, train_wholly
from ganbench.types import UsageError
from ganbench.workbench import Workbench

TRAINING_SHARE = 0.8
"""Of the work, as it is shown while it goes on."""


@settings
class Exploring:
    """A generator of images is trained, and its first directions are judged as `ganbench explore` judges them.

    `directions`: so many of the `method`. As a control the same rule is asked to name 40 random directions, which stand
    beside 40 others.
    """

    method: Literal["sefa", "pca", "supervised"] = "sefa"
    directions: PositiveInt = 5

    kind: ClassVar[str] = "exploring"
    metrics: ClassVar[Mapping[str, str]] = {
        "named": "share of the directions that get a name",
        "named_beyond_chance": "that, less the share of random directions that get one",
        "times_random": "change of the image statistics, as a multiple of random directions'",
    }

    @property
    def rounds(self) -> int:
        return self.directions

    def quick(self, rounds: int) -> Exploring:
        return replace(self, directions=min(self.directions, 2))

    def check(self, configuration: Configuration, data: DataSet) -> None:
        if not isinstance(data, ImageSet):
            raise UsageError(f"{data.name}: exploring is for generators of images, and these are points")

    def measure(self, bench: Workbench, folder: RunFolder, on_share: OnShare) -> Mapping[str, float]:
        data, seed = bench.data, bench.configuration.seed
        assert isinstance(data, ImageSet)
        train_wholly(bench, between(on_share, 0.0, TRAINING_SHARE))
        subject = Subject.of_run(bench)
        attributes = Attributes.of_data(data, bench.configuration.features)
        half = (1 + TRAINING_SHARE) / 2
        judging = between(on_share, TRAINING_SHARE, half)
        found = explore(subject, attributes, self.method, self.directions, seed, watch=judging)
        control = judge(
            subject,
            random_directions(subject.noise, RANDOM, derive(seed, "control")),
            attributes,
            seed=seed,
            watch=between(on_share, half, 1.0),
        )
        draw_strips(found, folder.figures)
        named = _named(found.judgement)
        return {
            "named": named,
            "named_beyond_chance": named - _named(control),
            "times_random": _times(found.judgement),
        }


def _named(judgement: Judgement) -> float:
    return float(np.mean([name != UNNAMED for name in judgement.names]))


def _times(judgement: Judgement) -> float:
    """The mean change over directions and image statistics, each as a multiple of random directions' mean."""
    of_pixels = [place for place, name in enumerate(judgement.attributes) if name in (*STATISTICS, *COLOUR_STATISTICS)]
    return float(judgement.beyond_chance[:, of_pixels].mean())
