"""What a critic that gets ever better leaves of the generator's gradient."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor

from ganbench.configuration import Configuration
from ganbench.data import DataSet
from ganbench.data.batches import Batches
from ganbench.runs import RunFolder
from ganbench.seeds import derive
from ganbench.settings import settings
from ganbench.studies.work import OnShare
from ganbench.training import generator_loss, play_turn
from ganbench.types import Latent, WorkError
from ganbench.workbench import Workbench

POINTS = 8192
"""Real points: so many that the critic cannot learn them by heart."""

LOOKS = 25
"""How often the gradient is taken at most, evenly over the logarithm of the steps."""


@settings
class Starvation:
    """The critic alone is trained; along that, the norm of the gradient that the generator would get.

    The generator stays as it was drawn. The real points are other points of this very generator, moved by `shift` of
    their standard deviations (the root of the mean squared distance from their mean) along the first axis: with 0 the
    two distributions are one, with a few their supports no longer meet. Arjovsky and Bottou 2017, arXiv:1701.04862,
    figure 2, did so for images.

    A run's `metrics.jsonl` has `round` (the critic's steps) and `generator_gradient`.
    """

    shift: NonNegativeFloat = 4.0
    steps: PositiveInt = 2000

    kind: ClassVar[str] = "starvation"
    metrics: ClassVar[Mapping[str, str]] = {"generator_gradient": "norm of the gradient that the generator would get"}

    @property
    def rounds(self) -> int:
        return self.steps

    def quick(self, rounds: int) -> Starvation:
        return replace(self, steps=min(self.steps, rounds))

    def check(self, configuration: Configuration, data: DataSet) -> None:
        """Any data will do: only their shape is looked at."""

    def measure(self, bench: Workbench, folder: RunFolder, on_share: OnShare) -> Mapping[str, float]:
        """Raises WorkError where the gradient is not finite."""
        state, recipe = bench.state, bench.recipe
        real = Batches(self._real(bench), size=recipe.batch_size, seed=bench.configuration.seed)
        looks = set(np.unique(np.geomspace(1, self.steps, LOOKS).round().astype(int)).tolist())
        norm = seconds = 0.0
        for step in range(1, self.steps + 1):
            begin = time.perf_counter()
            play_turn("critic", state, recipe, real)
            seconds += time.perf_counter() - begin
            if step not in looks:
                continue
            norm = _gradient(bench, real)
            if not math.isfinite(norm):
                raise WorkError(f"after {step:,} steps of the critic the generator's gradient is no longer finite")
            folder.append("metrics", {"round": step, "seconds": seconds, "generator_gradient": norm})
            on_share(step / self.steps)
        return {"generator_gradient": norm}

    def _real(self, bench: Workbench) -> Float[Tensor, "n ..."]:
        rng = torch.Generator(bench.device).manual_seed(derive(bench.configuration.seed, "starvation"))
        latent: Latent = bench.state.prior.draw(None, POINTS, rng)
        with torch.no_grad():
            points = bench.state.generator.network(latent)
        deviation = (points - points.mean(0)).square().flatten(1).sum(1).mean().sqrt()
        points[:, 0] += self.shift * deviation
        return points


def _gradient(bench: Workbench, real: Batches) -> float:
    loss, _ = generator_loss(bench.state, bench.recipe, real[max(bench.state.critic_turns - 1, 0)])
    return float(torch.cat([g.flatten() for g in bench.state.generator.gradients(loss)]).norm())
