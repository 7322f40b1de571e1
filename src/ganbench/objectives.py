"""The games: what the critic's scores cost each player.

With s = D(x) on data and t = D(G(z)) on fakes, both (batch,), every method returns a scalar to be made small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, TypeAlias, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, PositiveFloat
from torch import Tensor

from ganbench.settings import OneOf, settings
from ganbench.types import Memory, Objective, Scores, Surface


@dataclass(frozen=True, slots=True)
class Pair:
    """Scores at hand, for playing a game by itself.

    >>> import torch
    >>> zero = torch.zeros(4)
    >>> NonSaturating().discriminator(Pair(zero, zero), {})    # 2 ln 2
    tensor(1.3863)
    """

    real: Float[Tensor, " scores"]
    fake: Float[Tensor, " scores"]


@runtime_checkable
class EstimatesDistance(Protocol):
    """A game whose critic's scores estimate a distance of the data from the fakes."""

    def distance(self, scores: Scores) -> Tensor: ...


@runtime_checkable
class HasGauges(Protocol):
    """A game with numbers to be watched beside its losses."""

    def gauges(self, scores: Scores, memory: Memory) -> Mapping[str, Tensor]: ...


@runtime_checkable
class HasCertainty(Protocol):
    """A game whose critic can win, so that its verdicts hardly tell better fakes from worse.

    Games whose scores have no scale of their own, as the Wasserstein game, are not among them.
    """

    def certainty(self, scores: Scores) -> Tensor:
        """How far the critic has won, from 0 to 1: what holds for real and for generated things alike."""


class Memoryless:
    """What games share that carry nothing from round to round."""

    def init(self) -> Memory:
        return {}

    def advance(self, scores: Scores, memory: Memory) -> Memory:
        return memory


def _share(holds: Tensor) -> Tensor:
    return holds.float().mean()


def _cross_entropy(scores: Scores) -> Tensor:
    """-E log sigma(s) - E log(1 - sigma(t)): minus the value of the original game."""
    return F.softplus(-scores.real).mean() + F.softplus(scores.fake).mean()


class Probabilities(Memoryless):
    """What the games share in which sigma(D(x)) is the probability that x is real."""

    surface: ClassVar[Surface] = "probability"

    def discriminator(self, scores: Scores, memory: Memory) -> Tensor:
        return _cross_entropy(scores)

    def certainty(self, scores: Scores) -> Tensor:
        """The mean probability of what is right, of real or of generated things: the lower of the two."""
        return torch.minimum(scores.real.sigmoid().mean(), (-scores.fake).sigmoid().mean())


@settings
class NonSaturating(Probabilities):
    """The game that GANs are usually trained by: G minimises -E log sigma(t). arXiv:1406.2661, section 3."""

    def generator(self, scores: Scores, memory: Memory) -> Tensor:
        return F.softplus(-scores.fake).mean()


@settings
class Minimax(Probabilities):
    """The original zero-sum game: G minimises E log(1 - sigma(t)). arXiv:1406.2661, equation 1.

    At the optimal discriminator the value is 2 JSD - log 4; its gradient fades where D is sure.
    """

    def generator(self, scores: Scores, memory: Memory) -> Tensor:
        return -F.softplus(scores.fake).mean()


@settings
class LeastSquares(Memoryless):
    """D minimises E(s - real)^2 / 2 + E(t - fake)^2 / 2, G minimises E(t - aim)^2 / 2. arXiv:1611.04076."""

    real: float = 1.0
    fake: float = 0.0
    aim: float = 1.0
    surface: ClassVar[Surface] = "value"

    def discriminator(self, scores: Scores, memory: Memory) -> Tensor:
        return 0.5 * ((scores.real - self.real).square().mean() + (scores.fake - self.fake).square().mean())

    def generator(self, scores: Scores, memory: Memory) -> Tensor:
        return 0.5 * (scores.fake - self.aim).square().mean()

    def certainty(self, scores: Scores) -> Tensor:
        """1 - max(E(s - real)^2, E(t - fake)^2) / (real - fake)^2, but not below 0: both squared errors are near 0."""
        errors = ((scores.real - self.real).square().mean(), (scores.fake - self.fake).square().mean())
        return (1 - torch.maximum(*errors) / (self.real - self.fake) ** 2).clamp(min=0)


@settings
class Hinge(Memoryless):
    """D minimises E max(0, 1 - s) + E max(0, 1 + t), G minimises -E t. arXiv:1705.02894."""

    surface: ClassVar[Surface] = "value"

    def discriminator(self, scores: Scores, memory: Memory) -> Tensor:
        return F.relu(1.0 - scores.real).mean() + F.relu(1.0 + scores.fake).mean()

    def generator(self, scores: Scores, memory: Memory) -> Tensor:
        return -scores.fake.mean()

    def certainty(self, scores: Scores) -> Tensor:
        """The share of scores beyond their hinge, where the critic's loss is flat: the lower of the two."""
        return torch.minimum(_share(scores.real >= 1), _share(scores.fake <= -1))


@settings
class Wasserstein(Memoryless):
    """D maximises E s - E t, which is K W1 at best for a K-Lipschitz critic; G minimises -E t. arXiv:1701.07875.

    It has no `certainty`: scores have no scale, and the better the critic the better what it says of fakes.
    """

    surface: ClassVar[Surface] = "value"

    def discriminator(self, scores: Scores, memory: Memory) -> Tensor:
        return -self.distance(scores)

    def generator(self, scores: Scores, memory: Memory) -> Tensor:
        return -scores.fake.mean()

    def distance(self, scores: Scores) -> Tensor:
        """The critic's own estimate of K W1, in the units that the critic sees."""
        return scores.real.mean() - scores.fake.mean()


@settings
class Relativistic(Memoryless):
    """D minimises E softplus(t - s) over pairs of a real and a generated thing, G the mirror. arXiv:1807.00734.

    The game of R3GAN (arXiv:2501.05441), which adds R1 and R2 penalties: without them it need not converge. Only
    differences of scores have a meaning.
    """

    surface: ClassVar[Surface] = "value"

    def discriminator(self, scores: Scores, memory: Memory) -> Tensor:
        return F.softplus(scores.fake - scores.real).mean()

    def generator(self, scores: Scores, memory: Memory) -> Tensor:
        return F.softplus(scores.real - scores.fake).mean()

    def certainty(self, scores: Scores) -> Tensor:
        """E sigma(s - t): the mean probability that the real one of a pair is told."""
        return (scores.real - scores.fake).sigmoid().mean()


@settings
class Energy(Memoryless):
    """Scores are minus energies. D minimises E L(x) + E max(0, margin - L(G(z))), G minimises E L(G(z)).

    EBGAN, arXiv:1609.03126, equations 1 and 2. The margin goes with the energy's scale.
    """

    margin: PositiveFloat = 10.0
    surface: ClassVar[Surface] = "energy"

    def discriminator(self, scores: Scores, memory: Memory) -> Tensor:
        return -scores.real.mean() + F.relu(self.margin + scores.fake).mean()

    def generator(self, scores: Scores, memory: Memory) -> Tensor:
        return -scores.fake.mean()

    def certainty(self, scores: Scores) -> Tensor:
        """The share of fakes beyond the margin, or of real things below it: the lower of the two.

        Beyond the margin the critic learns nothing more from fakes.
        """
        return torch.minimum(_share(-scores.fake >= self.margin), _share(-scores.real < self.margin))


@settings
class Equilibrium:
    """Scores are minus energies. D minimises E L(x) - k E L(G(z)), G minimises E L(G(z)). BEGAN, arXiv:1703.10717.

    k starts at 0 and moves by rate (gamma E L(x) - E L(G(z))) after each of D's turns, within [0, 1]: it keeps the
    ratio of the two energies near gamma, which trades variety for looks. That is also why it has no `certainty`: where
    the critic gains the upper hand k falls, and may be watched.
    """

    gamma: Annotated[float, Field(gt=0, le=1)] = 0.5
    rate: PositiveFloat = 0.001
    surface: ClassVar[Surface] = "energy"

    def init(self) -> Memory:
        return {"k": torch.zeros(())}

    def discriminator(self, scores: Scores, memory: Memory) -> Tensor:
        return -scores.real.mean() + memory["k"] * scores.fake.mean()

    def generator(self, scores: Scores, memory: Memory) -> Tensor:
        return -scores.fake.mean()

    def advance(self, scores: Scores, memory: Memory) -> Memory:
        return {"k": (memory["k"] + self.rate * self._imbalance(scores)).clamp(0, 1)}

    def gauges(self, scores: Scores, memory: Memory) -> Mapping[str, Tensor]:
        """k, and the measure of convergence M = L(x) + |gamma L(x) - L(G(z))|, which falls as training succeeds."""
        return {"k": memory["k"], "convergence": -scores.real.mean() + self._imbalance(scores).abs()}

    def _imbalance(self, scores: Scores) -> Tensor:
        return scores.fake.mean() - self.gamma * scores.real.mean()


OBJECTIVES: dict[str, type] = {
    "non-saturating": NonSaturating,
    "minimax": Minimax,
    "least-squares": LeastSquares,
    "hinge": Hinge,
    "wasserstein": Wasserstein,
    "relativistic": Relativistic,
    "energy": Energy,
    "equilibrium": Equilibrium,
}
ObjectiveSetting: TypeAlias = Annotated[Objective, OneOf(OBJECTIVES, Objective)]
