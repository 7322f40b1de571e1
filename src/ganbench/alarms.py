"""The usual ways in which a training fails, each told with the number it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganbench.objectives import HasCertainty
from ganbench.workbench import Workbench

EARLY = 0.2
"""The share of a training in which few modes and an uncertain critic are to be expected."""

SURE = 0.99
"""A critic whose certainty is above this has won its game."""

FADED = 1e-4
"""A generator's gradient that is this share of the largest so far no longer says which way to go."""

UNEVEN = 0.1
"""Shares of classes that are further from the data's, in nats, have lost some."""

GROWN = 10.0
"""Weights that have become so many times as long a vector as they were at the start run away."""

NOTHING = 0.01
"""Precision and coverage of what has nothing in common with the data."""

DEAF = 0.5
"""Labels are ignored below this share of the way from chance to what is read right of real things."""

JUDGED = 256
"""Things of each kind, at least, on which the critic's certainty is taken."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What goes wrong, in a word and in a sentence, and the number that says so."""

    kind: str
    number: float
    sentence: str

    @property
    def short(self) -> str:
        """For a line of progress."""
        return f"{self.kind} {self.number:.3g}"


class Watch:
    """Looks at a training at its snapshots, and for signs of divergence at every line of its log.

    `unlike the data`: generated images lie nowhere among the real ones, whatever is read in them. `mode loss`:
    fewer classes or modes are generated than as many real things have. `labels ignored`: what is generated is
    hardly ever read as the label that was asked for. `saturation`: a critic that has won its game by the game's own
    measure, so that its verdicts no longer tell better fakes from worse. `vanishing gradient`: a generator whose
    gradient has faded against the largest seen. `divergence`: weights that run away, or what is no longer finite.
    The length of the weights is what tells the former: a Wasserstein game's losses and gradients grow with the scale
    of its scores, which is free, also where all is well.
    """

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.largest = 0.0
        self.start = self._lengths()
        self.told = 0.0

    def memory(self) -> dict[str, Any]:
        """What it goes by that the training's state does not tell; `recall` takes it back."""
        return {"largest_gradient": self.largest, "start": self.start, "told": self.told}

    def recall(self, memory: Mapping[str, Any]) -> None:
        self.largest, self.start, self.told = memory["largest_gradient"], memory["start"], memory["told"]

    def alarms(self, measured: Mapping[str, float]) -> list[Alarm]:
        """What is wrong with what is learnt, at a snapshot; nothing while the training is young."""
        gradient = self._gradient()
        self.largest = max(self.largest, gradient)
        if self.bench.share < EARLY:
            return []
        learnt = (self._unlike(measured), self._mode_loss(measured), self._ignored(measured))
        found = (*learnt, self._saturation(), self._vanishing(gradient))
        return [alarm for alarm in found if alarm]

    def divergence(self, losses: Mapping[str, float]) -> Alarm | None:
        """What is wrong at a line of the log: numbers that are not finite, or a growth that was not told before.

        It is told again each time that it has doubled.
        """
        if lost := self._not_finite(losses):
            return Alarm("divergence", lost, f"Divergence: {lost:,} of the losses and weights are not finite")
        alarm = self.runaway()
        if alarm is None or alarm.number < 2 * self.told:
            return None
        self.told = alarm.number
        return alarm

    def runaway(self) -> Alarm | None:
        """Weights that are much longer a vector than they were at the start."""
        growth = {name: length / self.start[name] for name, length in self._lengths().items() if self.start[name]}
        name = max(growth, key=growth.__getitem__, default="")
        if not name or not growth[name] > GROWN:
            return None
        sentence = f"Divergence: the {name}'s weights are {growth[name]:.3g} times as long a vector as at the start"
        return Alarm("divergence", growth[name], sentence)

    def _not_finite(self, losses: Mapping[str, float]) -> int:
        lost = sum(not math.isfinite(loss) for loss in losses.values())
        return lost + sum(
            0 if math.isfinite(length) else int((~vector.isfinite()).sum())
            for length, vector in zip(self._lengths().values(), self._vectors().values(), strict=True)
        )

    def _lengths(self) -> dict[str, float]:
        return {
            name: float(torch.linalg.vector_norm(vector, dtype=torch.float64))  # whose squares overflow in float32
            for name, vector in self._vectors().items()
        }

    def _vectors(self) -> dict[str, Tensor]:
        return {"critic": self.bench.state.critic.vector, "generator": self.bench.state.generator.vector}

    def _unlike(self, measured: Mapping[str, float]) -> Alarm | None:
        precision, coverage = (measured.get(metric, math.nan) for metric in ("precision", "coverage"))
        if not max(precision, coverage) < NOTHING:
            return None
        sentence = (
            f"Unlike the data: hardly any image lies among real ones (precision {precision:.2g}, coverage "
            f"{coverage:.2g}), so that classes that are read say nothing"
        )
        return Alarm("unlike the data", max(precision, coverage), sentence)

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

    def _ignored(self, measured: Mapping[str, float]) -> Alarm | None:
        accuracy, (floor, _) = measured.get("label_accuracy", math.nan), self._floor("label_accuracy")
        chance = 1 / max(len(self.bench.told.classes), 1)
        if not accuracy < chance + DEAF * (floor - chance):
            return None
        sentence = f"Labels ignored: {accuracy:.0%} of images are read as the label asked for, of real ones {floor:.0%}"
        return Alarm("labels ignored", accuracy, sentence)

    def _floor(self, metric: str) -> tuple[float, float]:
        """What as many real things show, and its spread; NaN where that is not measured."""
        ruler = self.bench.ruler(self.bench.configuration.measure.count)
        return ruler.floor.get(metric, math.nan), ruler.floor_spread.get(metric, math.nan)

    def _saturation(self) -> Alarm | None:
        objective = self.bench.recipe.objective
        if not isinstance(objective, HasCertainty):
            return None
        certainty = float(objective.certainty(self.bench.verdicts(JUDGED)))
        if not certainty > SURE:
            return None
        return Alarm("saturation", certainty, f"Saturation: the critic has won its game, by {certainty:.4f} of 1")

    def _vanishing(self, gradient: float) -> Alarm | None:
        if not gradient < FADED * self.largest:
            return None
        share = gradient / self.largest
        return Alarm("vanishing gradient", share, f"Vanishing gradient: the generator's is {share:.1e} of its largest")

    def _gradient(self) -> float:
        gradient = self.bench.state.generator.vector.grad
        return 0.0 if gradient is None else float(gradient.norm())
