"""The nouns that every part of ganbench shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganbench.errors import UsageError as UsageError
from ganbench.errors import WorkError as WorkError


@dataclass(frozen=True, slots=True)
class Sample:
    """What a data set holds: things, and their labels where it has any."""

    x: Float[Tensor, "batch ..."]
    y: Int[Tensor, " batch"] | None = None


@dataclass(frozen=True, slots=True)
class Latent:
    """What a generator starts from: noise, the label that is asked for, and a code to be recovered.

    The first `choices` numbers of the code are one choice, as a one-hot vector.
    """

    z: Float[Tensor, "batch noise"]
    y: Int[Tensor, " batch"] | None = None
    code: Float[Tensor, "batch code"] | None = None
    choices: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a critic says of a batch. A higher score means more real; it is never squashed by a sigmoid."""

    score: Float[Tensor, " scores"]
    class_logits: Float[Tensor, "batch classes"] | None = None
    code: Float[Tensor, "batch code"] | None = None
    embedding: Float[Tensor, "batch features"] | None = None


Medium: TypeAlias = Literal["points", "images", "colour images"]
"""What a data set is made of. Points are vectors; images are (channels, height, width), colour images three channels.

A recipe without a form of its own for colour images has that of images.
"""

LabelUse: TypeAlias = Literal["none", "concat", "embedding", "projection", "inside"]
"""How a network uses labels: not; as a one-hot vector (or planes of an image) beside its input; as a learnt vector (or
plane) beside its input; by adding the product of a learnt vector with its features to the score (critics only); as a
one-hot vector beside the input of every fully connected layer."""

Head: TypeAlias = Literal["class", "code"]
"""What else a critic can be asked for beside its score."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a network has to deal with.

    `shape` is that of one thing; `noise` and `code` are the lengths of a latent's parts; `classes` counts the labels.
    `labels` says how this player uses them, `heads` what the critic says beside its score.
    """

    shape: tuple[int, ...]
    noise: int = 0
    classes: int = 0
    code: int = 0
    labels: LabelUse = "none"
    heads: frozenset[Head] = frozenset()


class Generator(Protocol):
    def __call__(self, latent: Latent) -> Tensor: ...


class Critic(Protocol):
    def __call__(self, x: Tensor, y: Tensor | None = None) -> Verdict: ...


@runtime_checkable
class Prior(Protocol):
    """Where a generator's input comes from."""

    @property
    def dimension(self) -> int: ...
    @property
    def code_width(self) -> int:
        """The length of the code beside the noise; 0 where there is none."""

    def for_shape(self, shape: tuple[int, ...]) -> Prior:
        """The prior for things of a shape."""

    def draw(self, labels: Tensor | None, count: int, rng: torch.Generator) -> Latent: ...


class Scores(Protocol):
    """The critic's scores of real and of generated things; each is computed when it is first read."""

    @property
    def real(self) -> Tensor: ...
    @property
    def fake(self) -> Tensor: ...


@runtime_checkable
class Curve(Protocol):
    """A factor along a training."""

    def at(self, progress: float) -> float:
        """The factor when the share `progress` of the training, 0 to 1, is done."""


class Moment(Protocol):
    """A point of a training, at which each curve has a factor: a number, or a tensor that holds it."""

    def factor(self, curve: Curve) -> float | Tensor: ...


@dataclass(frozen=True, slots=True)
class At:
    """The moment at which the share `progress` of a training is done."""

    progress: float

    def factor(self, curve: Curve) -> float:
        return curve.at(self.progress)


START = At(0.0)


Memory: TypeAlias = Mapping[str, Tensor]
"""What an objective carries from round to round; it is written into checkpoints."""

Surface: TypeAlias = Literal["probability", "value", "energy"]
"""How a critic's score is shown: as sigmoid(score), as it is, or as -score."""


@runtime_checkable
class Objective(Protocol):
    """The game: scores to losses, both to be made small."""

    @property
    def surface(self) -> Surface: ...
    def init(self) -> Memory: ...
    def discriminator(self, scores: Scores, memory: Memory) -> Tensor: ...
    def generator(self, scores: Scores, memory: Memory) -> Tensor: ...
    def advance(self, scores: Scores, memory: Memory) -> Memory: ...


@runtime_checkable
class Constraint(Protocol):
    """What is done to a player's weights."""

    def attach(self, network: nn.Module) -> None:
        """Once, before the optimiser exists."""

    def project(self, network: nn.Module) -> None:
        """After each of the player's steps."""


class Turn:
    """What one player sees on its turn: a batch of the data, a batch of fakes, and the critic's verdicts on them.

    Verdicts are computed when they are first read, and once. On the critic's turn (`joint`) both come from one pass
    over the concatenated batch, which is cheaper than two; batch statistics must then be taken of each half by itself.
    """

    def __init__(
        self,
        real: Sample,
        fake: Tensor,
        latent: Latent,
        critic: Critic,
        rng: torch.Generator,
        *,
        moment: Moment = START,
        joint: bool = False,
    ) -> None:
        self.real, self.fake, self.latent = real, fake, latent
        self.critic, self.rng = critic, rng
        self.moment = moment
        self._joint = joint

    @cached_property
    def _both(self) -> tuple[Tensor, Verdict]:
        x = torch.cat((self.real.x, self.fake)).requires_grad_()
        labelled = self.real.y is not None and self.latent.y is not None
        return x, self.critic(x, torch.cat((self.real.y, self.latent.y)) if labelled else None)  # type: ignore[arg-type]

    @cached_property
    def on_real(self) -> Verdict:
        return _part(self._both[1], 0) if self._joint else self.critic(self._real_input, self.real.y)

    @cached_property
    def on_fake(self) -> Verdict:
        return _part(self._both[1], 1) if self._joint else self.critic(self._fake_input, self.latent.y)

    @cached_property
    def _real_input(self) -> Tensor:
        return self.real.x.detach().requires_grad_()

    @cached_property
    def _fake_input(self) -> Tensor:
        return self.fake if self.fake.requires_grad else self.fake.detach().requires_grad_()

    @cached_property
    def gradient_at_real(self) -> Tensor:
        """Gradient of the score at each real thing, differentiable: (batch, ...)."""
        if self._joint:
            return self._gradient_at_both.chunk(2)[0]
        return score_gradient(self.on_real.score, self._real_input)

    @cached_property
    def gradient_at_fake(self) -> Tensor:
        """Gradient of the score at each generated thing, differentiable: (batch, ...)."""
        if self._joint:
            return self._gradient_at_both.chunk(2)[1]
        return score_gradient(self.on_fake.score, self._fake_input)

    @cached_property
    def _gradient_at_both(self) -> Tensor:
        x, verdict = self._both
        return score_gradient(verdict.score, x)

    @property
    def scores(self) -> Scores:
        return _ScoresOf(self)


@dataclass(frozen=True, slots=True)
class _ScoresOf:
    turn: Turn

    @property
    def real(self) -> Tensor:
        return self.turn.on_real.score

    @property
    def fake(self) -> Tensor:
        return self.turn.on_fake.score


def score_gradient(score: Tensor, x: Tensor) -> Tensor:
    """d score_i / d x_i for each i, differentiable. Scores of a batch must not depend on each other's inputs."""
    (gradient,) = torch.autograd.grad(score.sum(), x, create_graph=True)
    return gradient


def _part(verdict: Verdict, index: int) -> Verdict:
    def half(t: Tensor | None) -> Tensor | None:
        return None if t is None else t.chunk(2)[index]

    return Verdict(
        verdict.score.chunk(2)[index], half(verdict.class_logits), half(verdict.code), half(verdict.embedding)
    )


@runtime_checkable
class Term(Protocol):
    """What else a player pays. The loss adds `weight` times the value."""

    @property
    def weight(self) -> float: ...
    def __call__(self, turn: Turn) -> Tensor: ...
