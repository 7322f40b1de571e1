"""Whether an audit finds label errors that were planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Int
from pydantic import Field, PositiveInt

from ganbench.configuration import Configuration
from ganbench.data import DataSet, ImageSet
from ganbench.data.parts import characters_of
from ganbench.metrics.audit import folds_of, out_of_fold, suspects
from ganbench.metrics.classifier_training import require_trainable
from ganbench.runs import RunFolder
from ganbench.seeds import derive
from ganbench.settings import settings
from ganbench.studies.work import OnShare, between
from ganbench.types import UsageError
from ganbench.workbench import Workbench


@settings
class Audit:
    """Labels are made wrong, and the labels that an audit doubts are compared with these.

    `share`: of the images, at random, how many get another class, each of the others equally likely. `count`: the
    first so many images of the data, of captchas whole ones; None is all. `folds` and `network` are the audit's.
    """

    share: Annotated[float, Field(gt=0, lt=1)] = 0.02
    count: PositiveInt | None = None
    folds: Annotated[int, Field(ge=2)] = 5
    network: Literal["small", "lenet"] = "small"

    kind: ClassVar[str] = "audit"
    metrics: ClassVar[Mapping[str, str]] = {
        "found": "share of the planted errors that the audit doubts",
        "wrongly_flagged": "share of the right labels that the audit doubts",
    }

    @property
    def rounds(self) -> int:
        return self.folds

    def quick(self, rounds: int) -> Audit:
        return replace(self, count=min(self.count or 640, 640), folds=2, share=max(self.share, 0.02))

    def check(self, configuration: Configuration, data: DataSet) -> None:
        if not isinstance(data, ImageSet) or data.labels is None or len(data.classes) < 2:
            raise UsageError(f"{data.name}: an audit is of labelled images of several classes, and these are none")
        if self.count is not None and self.count > len(data):
            raise UsageError(f"count: {self.count:,} images, where {data.name} has {len(data):,}")
        images, characters = self._audited(configuration, data)
        require_trainable(images, self.network)
        folds_of(images, self.folds, configuration.seed, characters)
        if _planted(len(images), self.share) == len(images):
            raise UsageError(f"share: {self.share:g} of {len(images):,} labels leaves no right one")

    def measure(self, bench: Workbench, folder: RunFolder, on_share: OnShare) -> Mapping[str, float]:
        configuration, data = bench.configuration, bench.data
        assert isinstance(data, ImageSet)
        seed = configuration.seed
        right, characters = self._audited(configuration, data)
        assert right.labels is not None
        wrong = planted(right.labels, len(right.classes), self.share, seed)

        def watching(fold: int) -> OnShare:
            return between(on_share, fold / self.folds, (fold + 1) / self.folds)

        given = replace(right, labels=wrong)
        probabilities = out_of_fold(given, self.folds, seed, watching, network=self.network, characters=characters)
        doubted = np.zeros(len(right), dtype=bool)
        doubted[suspects(probabilities, wrong).rows] = True
        return judged(doubted, wrong != right.labels)

    def _audited(self, configuration: Configuration, data: ImageSet) -> tuple[ImageSet, int]:
        """The images whose labels are judged, and how many in a row make a string."""
        characters = characters_of(configuration.data)
        count = (self.count or len(data)) // characters * characters
        return data if count == len(data) else data.take(slice(count)), characters


def _planted(count: int, share: float) -> int:
    return max(1, round(share * count))


def planted(labels: Int[np.ndarray, " n"], classes: int, share: float, seed: int) -> Int[np.ndarray, " n"]:
    """The labels with a share of them, one at least, made another class, each of the others equally likely."""
    rng = np.random.default_rng(derive(seed, "audit", "planted"))
    rows = rng.permutation(len(labels))[: _planted(len(labels), share)]
    wrong = labels.copy()
    wrong[rows] = (labels[rows] + rng.integers(1, classes, len(rows))) % classes
    return wrong


def judged(doubted: Bool[np.ndarray, " n"], wrong: Bool[np.ndarray, " n"]) -> dict[str, float]:
    """The shares of the wrong and of the right labels that are doubted.

    >>> judged(np.array([True, True, False, False]), np.array([True, False, False, False]))
    {'found': 1.0, 'wrongly_flagged': 0.3333333333333333}
    """
    return {"found": float(doubted[wrong].mean()), "wrongly_flagged": float(doubted[~wrong].mean())}
