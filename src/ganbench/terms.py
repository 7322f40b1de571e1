"""What a player pays beside the game."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from ganbench.schedules import Constant, CurveSetting
from ganbench.settings import OneOf, settings
from ganbench.types import Term, Turn, score_gradient


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
        return self.anneal.at(turn.progress) * penalty

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


TERMS: dict[str, type] = {"gradient-penalty": GradientPenalty}
TermSetting: TypeAlias = Annotated[Term, OneOf(TERMS, Term)]
