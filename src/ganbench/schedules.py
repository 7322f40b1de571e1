"""Who moves when, and how a quantity changes along a training."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Protocol, TypeAlias, runtime_checkable

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from ganbench.settings import OneOf, settings

Side: TypeAlias = Literal["critic", "generator"]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


@settings
class Phase:
    """So many turns of each player a round, for so many rounds."""

    rounds: PositiveInt
    critic: NonNegativeInt = 1
    generator: NonNegativeInt = 1


@settings
class Turns:
    """The turns of each round: a fixed ratio, after opening phases, with a special round every so often.

    Each phase of `opening` is played for its rounds, in order; after that `critic` and `generator` turns a round.
    `every` replaces each round whose number is a multiple of its `rounds`. `first` moves first in a round.

    >>> Turns(critic=5).of_round(0)
    ('critic', 'critic', 'critic', 'critic', 'critic', 'generator')
    >>> len(Turns(critic=5, opening=(Phase(25, critic=100),)).of_round(24))
    101
    """

    critic: NonNegativeInt = 1
    generator: NonNegativeInt = 1
    first: Side = "critic"
    opening: tuple[Phase, ...] = ()
    every: Phase | None = None

    def __post_init__(self) -> None:
        phases = [*self.opening, *([self.every] if self.every else [])]
        if 0 in (self.critic + self.generator, *(phase.critic + phase.generator for phase in phases)):
            raise ValueError("a round needs a turn of one player at least")

    def of_round(self, number: int) -> tuple[Side, ...]:
        """The turns of a round, which is counted from 0."""
        critic, generator = self._counts(number)
        counts: list[tuple[Side, int]] = [("critic", critic), ("generator", generator)]
        if self.first == "generator":
            counts.reverse()
        return tuple(side for side, count in counts for _ in range(count))

    def _counts(self, number: int) -> tuple[int, int]:
        end = 0
        for phase in self.opening:
            end += phase.rounds
            if number < end:
                return phase.critic, phase.generator
        if self.every and number % self.every.rounds == 0:
            return self.every.critic, self.every.generator
        return self.critic, self.generator


@runtime_checkable
class Curve(Protocol):
    """A factor along a training."""

    def at(self, progress: float) -> float:
        """The factor when the share `progress` of the training, 0 to 1, is done."""


@settings
class Constant:
    """Always 1."""

    def at(self, progress: float) -> float:
        return 1.0


@settings
class Linear:
    """1 until `start`, then in a straight line to `final` at `end`; both are shares of the training."""

    final: NonNegativeFloat = 0.0
    start: Share = 0.0
    end: Share = 1.0

    def at(self, progress: float) -> float:
        return 1.0 + (self.final - 1.0) * _between(progress, self.start, self.end)


@settings
class Cosine:
    """1 until `start`, then along half a cosine to `final` at `end`; both are shares of the training."""

    final: NonNegativeFloat = 0.0
    start: Share = 0.0
    end: Share = 1.0

    def at(self, progress: float) -> float:
        done = _between(progress, self.start, self.end)
        return self.final + (1.0 - self.final) * 0.5 * (1.0 + math.cos(math.pi * done))


@settings
class Exponential:
    """1 until `start`, then by the same factor in equal times to `final` at `end`; both are shares of the training."""

    final: PositiveFloat = 0.1
    start: Share = 0.0
    end: Share = 1.0

    def at(self, progress: float) -> float:
        return self.final ** _between(progress, self.start, self.end)


def _between(progress: float, start: float, end: float) -> float:
    """The share done of what lies between start and end."""
    return min(max((progress - start) / max(end - start, 1e-12), 0.0), 1.0)


CURVES: dict[str, type] = {"constant": Constant, "linear": Linear, "cosine": Cosine, "exponential": Exponential}
CurveSetting: TypeAlias = Annotated[Curve, OneOf(CURVES, Curve)]
