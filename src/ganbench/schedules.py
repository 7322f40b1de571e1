"""Who moves when, and how a quantity changes along a training."""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor

from ganbench.settings import OneOf, settings
from ganbench.types import Curve, Memory

Side: TypeAlias = Literal["critic", "generator"]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


@settings
class Phase:
    """So many turns of each player a round, for so many rounds."""

    rounds: PositiveInt
    critic: NonNegativeInt = 1
    generator: NonNegativeInt = 1


@settings
class Falling:
    """So many turns of each player a round, from when the critic's gap falls steadily to the end of the training.

    The gap is E D(x) - E D(G(z)): in a Wasserstein game the critic's estimate of the distance, which rises while the
    critic learns, and falls once it is good and the generator gains on it. It is averaged over windows of `window`
    rounds. The ratio turns when the straight line through the last `windows` means falls by more than five of its
    slope's standard errors. Of gaps that only scatter three trainings in a hundred then turn within 77 windows, six
    within 155. Of gaps that halve within 20 windows, with a scatter of a fifth a turn, 96 in a hundred turn by then
    where a window has 20 turns of the critic, 71 where it has 10.

    What is carried from turn to turn: the sum of the gaps in this window and their number, and the last means. All of
    it stays on the device.

    >>> falling = Falling(window=1, windows=3)
    >>> memory, turned = falling.init(), []
    >>> for gap in (1.0, 3.0, 2.5, 2.0):
    ...     memory = falling.judge(falling.add(torch.tensor(gap), memory))
    ...     turned.append(bool(falling.fallen(memory)))
    >>> turned
    [False, False, False, True]
    """

    window: PositiveInt = 5
    windows: Annotated[int, Field(ge=3)] = 10
    critic: NonNegativeInt = 1
    generator: NonNegativeInt = 5

    def init(self) -> Memory:
        # So low that no line which begins there falls.
        return {"sum": torch.zeros(()), "turns": torch.zeros(()), "means": torch.full((self.windows,), -1e30)}

    def add(self, gap: Tensor, memory: Memory) -> Memory:
        """After a turn of the critic's that saw such a gap."""
        return {**memory, "sum": memory["sum"] + gap, "turns": memory["turns"] + 1}

    def judge(self, memory: Memory) -> Memory:
        """After a window."""
        mean = memory["sum"] / memory["turns"].clamp(min=1)
        empty = {name: torch.zeros_like(mean) for name in ("sum", "turns")}
        return {**empty, "means": torch.cat((memory["means"][1:], mean[None]))}

    def fallen(self, memory: Memory) -> Tensor:
        """Whether the gap falls steadily: a truth value on the device."""
        means = memory["means"].double()
        at = torch.arange(len(means), device=means.device) - (len(means) - 1) / 2
        spread = at.square().sum()
        slope = (means * at).sum() / spread
        residual = means - means.mean() - slope * at
        return slope < -_CLEAR * (residual.square().sum() / (len(means) - 2) / spread).sqrt()


_CLEAR = 5.0
"""Standard errors by which a slope has to differ from 0 at every look of a training."""


@settings
class Turns:
    """The turns of each round: a fixed ratio, after opening phases, with a special round every so often.

    Each phase of `opening` is played for its rounds, in order; after that `critic` and `generator` turns a round.
    `every` replaces each round whose number is a multiple of its `rounds`. `first` moves first in a round. `then` is
    what the training turns to, after the opening, when the critic's gap falls steadily.

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
    then: Falling | None = None

    def __post_init__(self) -> None:
        phases = [*self.opening, *(phase for phase in (self.every, self.then) if phase)]
        if 0 in (self.critic + self.generator, *(phase.critic + phase.generator for phase in phases)):
            raise ValueError("a round needs a turn of one player at least")

    def of_round(self, number: int, *, turned: bool = False) -> tuple[Side, ...]:
        """The turns of a round, which is counted from 0. `turned`: the training has turned to what comes then."""
        critic, generator = (self.then.critic, self.then.generator) if turned and self.then else self._counts(number)
        counts: list[tuple[Side, int]] = [("critic", critic), ("generator", generator)]
        if self.first == "generator":
            counts.reverse()
        return tuple(side for side, count in counts for _ in range(count))

    @property
    def opened(self) -> int:
        """The rounds of the opening, after which the windows of `then` begin."""
        return sum(phase.rounds for phase in self.opening)

    def ends_window(self, played: int) -> bool:
        """Whether with so many rounds played a window of `then` has ended."""
        after = played - self.opened
        return self.then is not None and after > 0 and after % self.then.window == 0

    def _counts(self, number: int) -> tuple[int, int]:
        end = 0
        for phase in self.opening:
            end += phase.rounds
            if number < end:
                return phase.critic, phase.generator
        if self.every and number % self.every.rounds == 0:
            return self.every.critic, self.every.generator
        return self.critic, self.generator


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
