"""What a player pays beside the game."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeFloat
from torch import Tensor

from ganbench.schedules import Constant, CurveSetting
from ganbench.settings import OneOf, settings
from ganbench.types import Head, Term, Turn, UsageError, score_gradient


@settings
class GradientPenalty:
    """Holds the norm of the critic's gradient near a target: E (|grad D(x)| - target)^2, one norm a score.

    `where` says at which x the norm is taken: `real` (with target 0: R1, arXiv:1801.04406), `fake` (R2), `between`
    (a random point of the segment from a generated to a real thing, one share a score: WGAN-GP, arXiv:1704.00028),
    `around_real` (x + a (0.5 std(x) u), u uniform a coordinate and a uniform a score: DRAGAN, arXiv:1705.07215).
    The factor `anneal` multiplies the penalty along the training. R3GAN's gamma is twice the weight.
    """

    where: Literal["real", "fake", "between", "around_real"] = "between"
    target: NonNegativeFloat = 1.0
    weight: NonNegativeFloat = 10.0
    anneal: CurveSetting = Constant()

    def __call__(self, turn: Turn) -> Tensor:
        # A critic that judges packs has a norm for each pack: what a score depends on lies together in the batch.
        gradient = self._gradient(turn).reshape(len(turn.on_real.score), -1)
        if self.target == 0:  # the square root has no gradient at 0, and none is needed
            penalty = gradient.square().sum(1).mean()
        else:
            penalty = (torch.linalg.vector_norm(gradient, dim=1) - self.target).square().mean()
        return turn.moment.factor(self.anneal) * penalty

    def _gradient(self, turn: Turn) -> Tensor:
        match self.where:
            case "real":
                return turn.gradient_at_real
            case "fake":
                return turn.gradient_at_fake
            case "between":
                points = turn.fake.detach().lerp(turn.real.x, _one_share_each(turn))
            case "around_real":
                x = turn.real.x
                noise = torch.rand(x.shape, generator=turn.rng, device=x.device, dtype=x.dtype)
                points = x + _one_share_each(turn) * (0.5 * x.std() * noise)
        points.requires_grad_()
        return score_gradient(turn.critic(points, turn.real.y).score, points)


def _one_share_each(turn: Turn) -> Tensor:
    """One uniform number a score, shaped to multiply the batch."""
    x, scores = turn.real.x, len(turn.on_real.score)
    share = torch.rand(scores, generator=turn.rng, device=x.device, dtype=x.dtype)
    return share.repeat_interleave(len(x) // scores).view(-1, *(1,) * (x.dim() - 1))


@settings
class PullAway:
    """Keeps the codes of generated things apart: mean over i != j of cos^2(e_i, e_j). EBGAN, arXiv:1609.03126, eq. 4.

    It is 1 on a collapsed batch and near 1 / (length of the code) on a random one. `norm` batch is here to be compared
    with, as much code has it: the products of codes divided by one L1 norm of the whole batch, not squared, less one a
    code. Whatever the n codes are, that is nearly -1 / (n - 1).

    Raises UsageError for a critic that gives no embedding.
    """

    weight: NonNegativeFloat = 0.1
    norm: Literal["row", "batch"] = "row"

    def __call__(self, turn: Turn) -> Tensor:
        embedding = turn.on_fake.embedding
        if embedding is None:
            raise UsageError("pull-away needs a critic that gives an embedding, such as an autoencoder")
        count = len(embedding)
        if self.norm == "batch":
            scaled = embedding / embedding.abs().sum()
            return ((scaled @ scaled.T).sum() - count) / (count * (count - 1))
        rows = F.normalize(embedding, dim=1)
        squares = (rows @ rows.T).square()
        return (squares.sum() - squares.diagonal().sum()) / (count * (count - 1))


@settings
class ClassLoss:
    """How badly the critic's class head reads the label that a thing has, or was asked to have: a cross-entropy.

    ACGAN, arXiv:1610.09585: on real and generated things for the critic, on generated ones for the generator.
    """

    on: Annotated[tuple[Literal["real", "fake"], ...], Field(min_length=1)] = ("fake",)
    weight: NonNegativeFloat = 1.0
    heads: ClassVar[tuple[Head, ...]] = ("class",)

    def __call__(self, turn: Turn) -> Tensor:
        losses = [self._on(turn, side) for side in self.on]
        return torch.stack(losses).sum()

    def _on(self, turn: Turn, side: Literal["real", "fake"]) -> Tensor:
        verdict, asked = (turn.on_real, turn.real.y) if side == "real" else (turn.on_fake, turn.latent.y)
        assert asked is not None
        return F.cross_entropy(_head(verdict.class_logits), asked)


@settings
class CodeLoss:
    """How badly the critic's code head recovers a generated thing's code. InfoGAN, arXiv:1606.03657.

    Cross-entropy for the code's choice, and half the squared error of the numbers after it (a
    Gaussian of variance 1): minus a lower bound of the information that things carry about their code, up to a
    constant.
    """

    weight: NonNegativeFloat = 1.0
    heads: ClassVar[tuple[Head, ...]] = ("code",)

    def __call__(self, turn: Turn) -> Tensor:
        said, code = _head(turn.on_fake.code), turn.latent.code
        if code is None:
            raise UsageError("the code loss needs a prior that draws codes: --set prior=coded")
        choices = turn.latent.choices
        loss = 0.5 * (said[:, choices:] - code[:, choices:]).square().sum(1).mean()
        if choices:
            loss = loss + F.cross_entropy(said[:, :choices], code[:, :choices])
        return loss


def _head(said: Tensor | None) -> Tensor:
    if said is None:
        raise UsageError("a class or code loss needs a critic with heads: one of the built-in networks, not packed")
    return said


TERMS: dict[str, type] = {
    "gradient-penalty": GradientPenalty,
    "pull-away": PullAway,
    "class-loss": ClassLoss,
    "code-loss": CodeLoss,
}
TermSetting: TypeAlias = Annotated[Term, OneOf(TERMS, Term)]
