"""Running averages of a generator's weights."""

from __future__ import annotations

from typing import Annotated, Protocol, TypeAlias, runtime_checkable

from pydantic import Field

from ganbench.settings import OneOf, settings


@runtime_checkable
class Average(Protocol):
    """How much of a running average is kept when the generator has moved."""

    def keep(self, turn: int) -> float:
        """The share kept after turn number `turn`, which is counted from 0."""


@settings
class Decay:
    """An exponential average: keeps min(decay, (1 + t) / (10 + t)), so that the random start is soon forgotten."""

    decay: Annotated[float, Field(ge=0, lt=1)] = 0.999

    def keep(self, turn: int) -> float:
        return min(self.decay, (1 + turn) / (10 + turn))


@settings
class Window:
    """An average over about the last `share` of the turns so far: keeps 1 - 1 / (share (t + 1)), at least 0.

    It needs no choice of a time scale: it grows with the training.
    """

    share: Annotated[float, Field(gt=0, le=1)] = 0.05

    def keep(self, turn: int) -> float:
        return max(0.0, 1 - 1 / (self.share * (turn + 1)))


AVERAGES: dict[str, type] = {"decay": Decay, "window": Window}
AverageSetting: TypeAlias = Annotated[Average, OneOf(AVERAGES, Average)]
