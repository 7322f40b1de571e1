"""What characters, real and generated, are worth to a recogniser that learns from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from ganbench.configuration import Configuration
from ganbench.data import DataSet, ImageSet, load
from ganbench.data.parts import characters_of, test_part
from ganbench.figures.animation import save_image
from ganbench.metrics.classifier_training import balanced, require_trainable, train_classifier
from ganbench.metrics.recognition import recognise
from ganbench.runs import RunFolder
from ganbench.settings import settings
from ganbench.studies.work import OnShare, between, train_wholly
from ganbench.types import UsageError
from ganbench.workbench import Workbench

GENERATOR_SHARE = 0.7
"""Of the work, as it is shown while it goes on, what the generator's training takes where there is one."""


@settings
class Recognition:
    """A recogniser is trained on labelled images, real and generated, and judged on unseen real ones.

    `real`: so many real images of the data, a random draw that has as many of each class, or `all`. `generated`: so
    many images besides, as many of each class, from a generator that the cell's recipe was trained to for its rounds
    on `learnt_from` real images: by default the very `real` ones, so that nothing else is known to either; where
    `real` is 0, all that there are. `steps`: updates of the recogniser, whatever it is trained on. `network`: small or
    lenet.

    The unseen images are the data's test part (`ganbench.data.parts`), which neither is trained on.
    """

    steps: PositiveInt
    real: NonNegativeInt | Literal["all"] = 0
    generated: NonNegativeInt = 0
    learnt_from: PositiveInt | None = None
    network: Literal["small", "lenet"] = "small"

    kind: ClassVar[str] = "recognition"
    metrics: ClassVar[Mapping[str, str]] = {
        "character_accuracy": "share of unseen real characters that the recogniser reads right",
        "captcha_accuracy": "share of unseen real captchas of which it reads all characters right",
    }

    def __post_init__(self) -> None:
        if self.real != "all" and self.real + self.generated < 2:
            raise ValueError("a recogniser is trained on 2 images or more, real or generated")
        if self.learnt_from is not None and not self.generated:
            raise ValueError("learnt_from says what a generator learns from, and none is trained where generated is 0")

    @property
    def rounds(self) -> int:
        return self.steps

    def quick(self, rounds: int) -> Recognition:
        real = 64 if self.real == "all" else min(self.real, 64)
        return replace(self, steps=min(self.steps, rounds), real=real, generated=min(self.generated, 64))

    def check(self, configuration: Configuration, data: DataSet) -> None:
        if not isinstance(data, ImageSet) or data.labels is None:
            raise UsageError(f"{data.name}: recognition is of labelled images, and these are none")
        require_trainable(data, self.network)
        if _test_part(configuration.data) is None:
            raise UsageError(f"{data.name} has no test part that a recogniser could be judged on")
        for name, count in (("real", self.real), ("learnt_from", self.learnt_from)):
            if isinstance(count, int) and count > len(data):
                raise UsageError(f"{name}: {count:,} images, where {data.name} has {len(data):,}")
        if self.generated and configuration.plan.clusters:
            raise UsageError("clusters: what is drawn of a cluster has no label that a recogniser could learn")
        if self.generated and configuration.plan.generator.labels == "none":
            raise UsageError(f"the recipe {configuration.recipe!r} draws no labels that were asked for; set labels")

    def measure(self, bench: Workbench, folder: RunFolder, on_share: OnShare) -> Mapping[str, float]:
        configuration, data = bench.configuration, bench.data
        assert isinstance(data, ImageSet)
        seed, share = configuration.seed, GENERATOR_SHARE if self.generated else 0.0
        parts = [_some(data, self.real, seed)] if self.real else []
        if self.generated:
            parts.append(self._drawn(bench, folder, between(on_share, 0.0, share)))
        learning = between(on_share, share, 1.0)
        classifier = train_classifier(_together(parts), seed, learning, network=self.network, steps=self.steps)
        found = recognise(classifier, unseen(configuration), characters_of(configuration.data))
        figures = {"character_accuracy": found.accuracy.value}
        if found.strings is not None:
            figures["captcha_accuracy"] = found.strings.value
        return figures

    def _drawn(self, bench: Workbench, folder: RunFolder, on_share: OnShare) -> ImageSet:
        """Labelled images of a generator that was trained for this run alone; a sheet of them stays in its folder.

        Raises:
            WorkError: its training diverged.
        """
        configuration, data = bench.configuration, bench.data
        assert isinstance(data, ImageSet)
        learnt = _some(data, self.learnt_from or self.real or "all", configuration.seed)
        trained = Workbench(configuration, learnt)
        train_wholly(trained, on_share)
        save_image(trained.sheet(), folder.figures / "sheet.png")
        assert learnt.labels is not None
        labels = np.resize(np.unique(learnt.labels), self.generated)
        return replace(learnt, pixels=trained.sample(self.generated, labels=labels), labels=labels)


def unseen(configuration: Configuration) -> ImageSet:
    """The test part of a configuration's data, prepared as they are.

    Raises:
        UsageError: there is none.
    """
    images = _test_part(configuration.data)
    if images is None or configuration.images is None:
        raise UsageError(f"{configuration.data} has no test part that a recogniser could be judged on")
    found = load(images, configuration.images)
    assert isinstance(found, ImageSet)
    return found


@lru_cache(maxsize=2)
def _test_part(data: str) -> ImageSet | None:
    """Remembered, as drawing it takes as long as a short training."""
    return test_part(data)


def _some(data: ImageSet, count: int | Literal["all"], seed: int) -> ImageSet:
    """So many images, as many of each class; a greater draw of the same seed has those of a smaller one."""
    return data if count == "all" else balanced(data, count, seed)


def _together(parts: list[ImageSet]) -> ImageSet:
    """Sets of the same classes as one."""
    first = parts[0]
    pixels, labels = (np.concatenate([getattr(part, name) for part in parts]) for name in ("pixels", "labels"))
    return replace(first, pixels=pixels, labels=labels)
