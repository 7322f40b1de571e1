"""The usual ways in which a training fails while its numbers stay finite, each told with the number it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ganbench.workbench import Workbench

EARLY = 0.2
"""The share of a training in which few modes and an uncertain critic are to be expected."""

SURE = 0.99
"""A critic that gives real things more than this probability, and fakes less than its complement, has won."""

FADED = 1e-4
"""A generator's gradient that is this share of the largest so far no longer says which way to go."""

UNEVEN = 0.1
"""Shares of classes that are further from the data's, in nats, have lost some."""

JUDGED = 256
"""Things of each kind on which the critic's certainty is taken."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What goes wrong, in a word and in a sentence, and the number that says so."""

    kind: str
    number: float
    sentence: str


class Watch:
    """Looks at a training at its snapshots.

    `mode loss`: fewer classes or modes are generated than as many real things have. `saturation`: a critic of a
    probability game that is sure about nearly everything, so that its verdicts no longer tell better fakes from worse.
    `vanishing gradient`: a generator whose gradient has faded against the largest seen.
    """

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.largest = 0.0

    def alarms(self, measured: Mapping[str, float]) -> list[Alarm]:
        """What is wrong now; nothing while the training is young."""
        gradient = self._gradient()
        self.largest = max(self.largest, gradient)
        if self.bench.share < EARLY:
            return []
        found = (self._mode_loss(measured), self._saturation(), self._vanishing(gradient))
        return [alarm for alarm in found if alarm]

    def _mode_loss(self, measured: Mapping[str, float]) -> Alarm | None:
        shown, spread = self._floor("modes")
        modes = measured.get("modes", math.nan)
        if not modes < shown - max(0.5, 3 * spread):  # as many real things show that many modes
            return self._uneven(measured.get("label_kl", math.nan))
        sentence = f"Mode loss: {modes:.0f} modes are generated where as many real things show {shown:.0f}"
        return Alarm("mode loss", shown - modes, sentence)

    def _uneven(self, label_kl: float) -> Alarm | None:
        """All classes may be there, and nearly all things of one."""
        floor, spread = self._floor("label_kl")
        if not label_kl > max(UNEVEN, floor + 3 * spread):
            return None
        sentence = f"Mode loss: the classes' shares are {label_kl:.2g} nats from the data's, real ones {floor:.2g}"
        return Alarm("mode loss", label_kl, sentence)

    def _floor(self, metric: str) -> tuple[float, float]:
        """What as many real things show, and its spread; NaN where that is not measured."""
        ruler = self.bench.ruler(self.bench.configuration.measure.count)
        return ruler.floor.get(metric, math.nan), ruler.floor_spread.get(metric, math.nan)

    def _saturation(self) -> Alarm | None:
        if self.bench.recipe.objective.surface != "probability":
            return None
        real, fake = (float(torch.sigmoid(scores).mean()) for scores in self.bench.verdicts(JUDGED))
        if real <= SURE or fake >= 1 - SURE:
            return None
        sentence = f"Saturation: the critic gives real things a probability of {real:.4f}, generated ones {fake:.2g}"
        return Alarm("saturation", fake, sentence)

    def _vanishing(self, gradient: float) -> Alarm | None:
        if not gradient < FADED * self.largest:
            return None
        share = gradient / self.largest
        return Alarm("vanishing gradient", share, f"Vanishing gradient: the generator's is {share:.1e} of its largest")

    def _gradient(self) -> float:
        gradient = self.bench.state.generator.vector.grad
        return 0.0 if gradient is None else float(gradient.norm())
