"""What a critic that gets ever better leaves of the generator's gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor

from ganbench import fitting
from ganbench.configuration import Configuration
from ganbench.data import DataSet
from ganbench.data.batches import Batches
from ganbench.machine import settle
from ganbench.runs import RunFolder
from ganbench.seeds import derive
from ganbench.settings import settings
from ganbench.studies.work import close
from ganbench.training import critic_turn, generator_loss
from ganbench.types import Latent
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

    Does a run in the place of a training: `metrics.jsonl` has `round` (the critic's steps) and `generator_gradient`.
    """

    shift: NonNegativeFloat = 4.0
    steps: PositiveInt = 2000

    kind: ClassVar[str] = "starvation"
    metrics: ClassVar[Mapping[str, str]] = {"generator_gradient": "norm of the gradient that the generator would get"}

    def quick(self, rounds: int) -> Starvation:
        return replace(self, steps=min(self.steps, rounds))

    def check(self, configuration: Configuration, data: DataSet) -> None:
        """Any data will do: only their shape is looked at."""

    def __call__(
        self,
        bench: Workbench,
        folder: RunFolder,
        *,
        resume: bool,
        watch: fitting.Watcher,
        interrupted: Callable[[], bool],
    ) -> Mapping[str, Any]:
        settle(bench.configuration.threads)
        folder.rewind(-1)  # it takes seconds, so that one that was stopped is begun anew
        state, recipe = bench.state, bench.recipe
        real = Batches(self._real(bench), size=recipe.batch_size, seed=bench.configuration.seed)
        looks = set(np.unique(np.geomspace(1, self.steps, LOOKS).round().astype(int)).tolist())
        norm = 0.0
        for step in range(1, self.steps + 1):
            critic_turn(state, recipe, real, 0.0)
            if step not in looks:
                continue
            norm = _gradient(bench, real)
            folder.append("metrics", {"round": step, "seconds": 0.0, "generator_gradient": norm})
            watch(fitting.Progress(step, 0.0, step / self.steps, {}))
            if interrupted():
                return {"status": "interrupted"}
        return close(self, bench, folder, figures={"generator_gradient": norm}, rounds=self.steps, seconds=0.0)

    def _real(self, bench: Workbench) -> Float[Tensor, "n ..."]:
        rng = torch.Generator(bench.device).manual_seed(derive(bench.configuration.seed, "starvation"))
        latent: Latent = bench.state.prior.draw(None, POINTS, rng)
        with torch.no_grad():
            points = bench.state.generator.network(latent)
        deviation = (points - points.mean(0)).square().flatten(1).sum(1).mean().sqrt()
        points[:, 0] += self.shift * deviation
        return points


def _gradient(bench: Workbench, real: Batches) -> float:
    loss, _ = generator_loss(bench.state, bench.recipe, real)
    return float(torch.cat([g.flatten() for g in bench.state.generator.gradients(loss)]).norm())
