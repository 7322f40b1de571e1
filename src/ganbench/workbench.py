"""A recipe at work on a data set: a training with the means to look at it and to measure it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure

from ganbench.checkpoints import Checkpoint
from ganbench.configuration import Configuration
from ganbench.data.batches import Batches
from ganbench.data.points import PointSet
from ganbench.figures.scatter import scatter
from ganbench.figures.surface import SurfaceGrid, grid, limits, surface_from_scores
from ganbench.machine import hidden_dtype, resolve_device
from ganbench.metrics import PointRuler
from ganbench.metrics.transport import w1
from ganbench.networks import set_precision
from ganbench.objectives import EstimatesDistance, Pair
from ganbench.sampling import draw, score
from ganbench.seeds import derive
from ganbench.training import Report, Span, State, train
from ganbench.types import UsageError


class Workbench:
    """A training that can be played round by round, sampled, measured and drawn at any time.

    Points go in and come out in the data's own units; the networks see them standardised. Looking at a training never
    changes it. Several trainings on the same data may share their `rulers`, by count.

    >>> from ganbench.configuration import configure
    >>> from ganbench.data import load_points
    >>> bench = Workbench(configure("gan", "moons", changes=[("rounds", 3)]), load_points("moons"))
    >>> [report.round for report in bench.play()]
    [1, 2, 3]
    >>> bench.sample(10).shape
    (10, 2)
    """

    def __init__(
        self, configuration: Configuration, data: PointSet, rulers: dict[int, PointRuler] | None = None
    ) -> None:
        self.configuration, self.data = configuration, data
        self.rulers = {} if rulers is None else rulers
        self.recipe = configuration.plan
        self.device = resolve_device(configuration.device)
        self.state = State(self.recipe, (data.dimension,), seed=configuration.seed, device=self.device)
        for network in self.state.networks:
            set_precision(network, partial(hidden_dtype, configuration.precision, self.device))
        minutes = configuration.minutes
        self.span = Span(minutes=minutes) if minutes else Span(rounds=self.recipe.rounds)

    @cached_property
    def batches(self) -> Batches:
        things = torch.from_numpy(self.data.standardiser.forward(self.data.points)).float()
        return Batches(things.to(self.device), size=self.recipe.batch_size, seed=self.configuration.seed)

    def play(self) -> Iterator[Report]:
        """Plays the rounds that are left of the configuration's span, and reports each."""
        torch.set_num_threads(self.configuration.threads)
        return train(self.state, self.recipe, self.batches, self.span)

    @property
    def share(self) -> float:
        """The share of the training that is done."""
        return self.span.progress(self.state.round, self.state.seconds)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Goes to where a checkpoint of this configuration was written.

        Raises:
            UsageError: the data are not those of the checkpoint, so that the units would be wrong.
        """
        if checkpoint.facts["data_sha256"] != self.data.fingerprint:
            raise UsageError(f"{self.data.name} has changed since this run was begun")
        self.state.restore(checkpoint.tensors, checkpoint.facts)

    def sample(self, count: int, seed: int = 0) -> Float[np.ndarray, "count d"]:
        """Generated points. The same seed gives the same noise, whatever was trained or drawn meanwhile."""
        stream = derive(seed, "samples")
        fakes = draw(self.state.sampler, self.state.prior, count, seed=stream, device=self.device)
        return self.data.standardiser.inverse(fakes.double().numpy())

    def ruler(self, count: int) -> PointRuler:
        """What measures against this data with `count` points, made once."""
        return self.rulers.setdefault(count, PointRuler(self.data, count))

    def measure(self, count: int | None = None) -> dict[str, float]:
        """The distances of generated from real points, always from the same noise; by default as at snapshots."""
        ruler = self.ruler(count or self.configuration.measure.count)
        return ruler.measure(self.sample(ruler.draws))

    def estimate(self) -> dict[str, float]:
        """For a game whose critic estimates W1: that estimate, and the exact W1 in the units that the critic sees.

        The critic's is at most K times W1, K being its unknown Lipschitz constant.
        """
        if not isinstance(self.recipe.objective, EstimatesDistance):
            return {}
        standard = self.data.standardiser.forward
        real = standard(self.ruler(self.configuration.measure.count).reference)
        fake = standard(self.sample(len(real)))
        pair = Pair(torch.from_numpy(self.scores(real)), torch.from_numpy(self.scores(fake)))
        return {"critic_estimate": float(self.recipe.objective.distance(pair)), "w1_scaled": w1(real, fake)}

    def scores(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """The critic's scores of points in standard units."""
        return score(self.state.critic.network, points, device=self.device)

    def surface(self) -> SurfaceGrid | None:
        """The critic over the plane around the data, shown as its objective says; none in other dimensions."""
        if self.data.dimension != 2:
            return None
        at = grid(limits(self.data.points))
        scores = self.scores(self.data.standardiser.forward(at))
        return surface_from_scores(at, scores, self.recipe.objective.surface)

    def scatter(self, count: int = 2000, title: str = "", seed: int = 0) -> Figure:
        """Real and generated points over the critic's surface."""
        return scatter(
            self.data.points,
            self.sample(count, seed),
            self.surface(),
            title=title or f"{self.configuration.recipe}, round {self.state.round:,}",
            columns=self.data.columns,
        )
