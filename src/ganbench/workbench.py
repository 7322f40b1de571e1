"""A recipe at work on a data set: a training with the means to look at it and to measure it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ganbench.checkpoints import Checkpoint
from ganbench.configuration import Configuration
from ganbench.data import DataSet, ImageSet, PointSet
from ganbench.data.batches import Batches
from ganbench.data.clusters import clustered, require_clusters
from ganbench.data.feature_files import features_sha256, named_file
from ganbench.data.shards import Streamed
from ganbench.figures.scatter import scatter
from ganbench.figures.sheets import labelled_sheet, sheet
from ganbench.figures.surface import SurfaceGrid, grid, limits, surface_from_scores
from ganbench.machine import hidden_dtype, resolve_device, settle
from ganbench.metrics import STACKED_COUNT, ImageRuler, PointRuler, features_for
from ganbench.metrics.transport import w1
from ganbench.objectives import EstimatesDistance, Pair
from ganbench.sampling import among, generate, judge, latents, pieces, score, verdicts
from ganbench.seeds import derive
from ganbench.state import State
from ganbench.training import Report, Span, train
from ganbench.types import Latent, Sample, UsageError

Ruler: TypeAlias = PointRuler | ImageRuler
Rulers: TypeAlias = dict[tuple[int, str], Ruler]
"""What measures against one data set, by how many things and over which features."""

EPOCHS = (1, 15, 30)
"""A training on images is also looked at after so many epochs, whatever the other snapshots are."""

BATCHES = 8
"""Batches of real points among which a critic with batch norms is asked for its scores."""

ROWS = 8
"""Noise vectors on a sheet with a label a column."""

ACROSS = 720
"""Pixels that such a sheet's columns take, unless ten take more."""


class Workbench:
    """A training that can be played round by round, sampled, measured and drawn at any time.

    Things go in and come out in the data's own units; the networks see points standardised and pixels in [-1, 1].
    Looking at a training never changes it. Several trainings on the same data may share their `rulers`.

    >>> from ganbench.configuration import configure
    >>> from ganbench.data import load_points
    >>> bench = Workbench(configure("gan", "moons", changes=[("rounds", 3)]), load_points("moons"))
    >>> [report.round for report in bench.play()]
    [1, 2, 3]
    >>> bench.sample(10).shape
    (10, 2)
    """

    def __init__(self, configuration: Configuration, data: DataSet, rulers: Rulers | None = None) -> None:
        self.configuration, self.data = configuration, data
        self.rulers = {} if rulers is None else rulers
        self.recipe = configuration.plan
        self.device = resolve_device(configuration.device)
        self.state = State(
            self.recipe,
            data.shape,
            classes=len(self.told.classes),
            seed=configuration.seed,
            device=self.device,
            pieces=configuration.pieces,
        )
        self.state.set_precision(partial(hidden_dtype, configuration.precision, self.device))
        minutes = configuration.minutes
        self.span = Span(minutes=minutes) if minutes else Span(rounds=self.recipe.rounds)

    @cached_property
    def told(self) -> DataSet:
        """The data with the labels that the players are told, which are the data's own or clusters.

        Raises:
            UsageError: the data cannot be clustered.
        """
        if self.recipe.clusters is None:
            return self.data
        require_clusters(self.data, self.recipe.clusters)
        assert isinstance(self.data, ImageSet)
        return clustered(self.data, self.recipe.clusters)

    @cached_property
    def batches(self) -> Batches:
        labels = None if self.told.labels is None else torch.tensor(self.told.labels, device=self.device)
        things = self.data.things().to(self.device)
        return Batches(things, labels, size=self.recipe.batch_size, seed=self.configuration.seed)

    @cached_property
    def fingerprint(self) -> str:
        """The data's, taken once: of a large set of images it takes a second."""
        return self.data.fingerprint

    @cached_property
    def told_sha256(self) -> str:
        """The fingerprint of the data with the labels that the players are told."""
        return self.fingerprint if self.told is self.data else self.told.fingerprint

    @cached_property
    def features_sha256(self) -> str | None:
        """Of the file of the features that the configuration names, where it names one."""
        return features_sha256(self.configuration.features)

    def require_same_features(self, checkpoint: Checkpoint) -> None:
        """Raises UsageError where the features are in a file that is not the one that a checkpoint was measured by."""
        if checkpoint.facts.get("features_sha256", self.features_sha256) != self.features_sha256:
            file = named_file(self.configuration.features)
            what = "has changed" if self.features_sha256 else "is gone"
            raise UsageError(f"{file} {what} since this run was begun, which is measured over the features in it")

    def require_same_device(self, checkpoint: Checkpoint) -> None:
        """Raises UsageError where random streams of a GPU are to go on without one, or the other way round."""
        there, here = checkpoint.tensors["stream.latent"], self.state.streams["latent"].get_state()
        if len(there) != len(here):
            kinds = ("a GPU", "the processor") if len(there) < len(here) else ("the processor", "a GPU")
            raise UsageError(
                f"device: this run was begun on {kinds[0]}, and its random numbers cannot go on on {kinds[1]}"
            )

    def play(self) -> Generator[Report]:
        """Plays the rounds that are left of the configuration's span, and reports each."""
        settle(self.configuration.threads)
        return train(self.state, self.recipe, self.batches, self.span)

    @property
    def share(self) -> float:
        """The share of the training that is done."""
        return self.span.progress(self.state.round, self.state.seconds)

    @property
    def epoch(self) -> float:
        """How often the critic has seen as many things as the data hold."""
        whole = self.data if isinstance(self.data, PointSet) else self.data.stream or self.data
        return self.state.critic_turns * self.recipe.batch_size / len(whole)

    @property
    def title(self) -> str:
        """The recipe and where it is, as in `gan, round 1,200`."""
        epoch = f" (epoch {self.epoch:.3g})" if self.data.medium != "points" else ""
        return f"{self.configuration.recipe}, round {self.state.round:,}{epoch}"

    @property
    def conditional(self) -> bool:
        """Whether the generator draws what a label asks for."""
        return self.recipe.generator.labels != "none" and self.told.labels is not None

    def restore(self, checkpoint: Checkpoint) -> None:
        """Goes to where a checkpoint of this configuration was written.

        Raises:
            UsageError: the data are not those of the checkpoint, so that the units would be wrong, or its networks are
                others.
        """
        if checkpoint.facts["data_sha256"] != self.fingerprint:
            raise UsageError(f"{self.data.name} has changed since this run was begun")
        if checkpoint.facts.get("told_sha256", self.fingerprint) != self.told_sha256:
            raise UsageError(
                f"clusters: those of {self.data.name} are others here than where this run was begun: on another "
                "processor, or by another version of NumPy or SciPy"
            )
        tensors = checkpoint.tensors.items()
        held = {name: tuple(t.shape) for name, t in tensors if name.endswith(".vector") or ".buffer." in name}
        if held != self.state.shapes():
            raise UsageError(
                "the checkpoint is of other networks than the configuration says: config.yaml has been changed since "
                "this run was begun, or another version of ganbench began it"
            )
        self.state.restore(checkpoint.tensors, checkpoint.facts)

    def labels(self, count: int, seed: int = 0) -> Int[np.ndarray, " count"] | None:
        """Labels to ask for, in the shares that the data have them; none where the generator asks for none."""
        if not self.conditional or self.told.labels is None:
            return None
        return np.random.default_rng(derive(seed, "labels")).choice(self.told.labels, count)

    def latents(self, count: int, seed: int = 0, labels: Int[np.ndarray, " count"] | None = None) -> Latent:
        """What `sample` starts from: the same seed gives the same noise, whatever was trained or drawn meanwhile."""
        if labels is None:
            labels = self.labels(count, seed)
        else:
            self._check_labels(np.asarray(labels), count)
        asked = None if labels is None else torch.as_tensor(labels, device=self.device)
        stream = derive(seed, "samples")
        return latents(self.state.prior, count, asked, seed=stream, device=self.device)

    def _check_labels(self, labels: np.ndarray, count: int) -> None:
        classes = len(self.told.classes)
        if not self.conditional:
            raise UsageError("labels: this generator was trained without labels; a recipe such as cgan takes them")
        if labels.shape != (count,) or labels.dtype.kind not in "iu" or not 0 <= labels.min() <= labels.max() < classes:
            raise UsageError(f"labels: {count} whole numbers from 0 to {classes - 1} are needed, one for each thing")

    def sample(self, count: int, seed: int = 0, labels: Int[np.ndarray, " count"] | None = None) -> np.ndarray:
        """Generated points (count, d), or images as uint8 (count, h, w) or (count, h, w, 3).

        `labels` are those to ask for; without them they come in the shares that the data have.
        """
        latent = self.latents(count, seed, labels)
        return np.concatenate([self.data.restored(self.generate(piece)) for piece in pieces(latent)])

    def generate(self, latent: Latent) -> Float[Tensor, "count ..."]:
        """What the generator makes of latents, in the units that the networks see, on the CPU."""
        return generate(self.state.sampler, latent)

    def ruler(self, count: int) -> Ruler:
        """What measures against this data with `count` things, made once."""
        key = count, self.configuration.features
        if key not in self.rulers:
            final = count == self.configuration.measure.final
            self.rulers[key] = make_ruler(self.data, *key, modes=STACKED_COUNT if final else count)
        return self.rulers[key]

    @property
    def features(self) -> dict[str, str]:
        """For images the name of the features that the metrics rest on, as `features`."""
        ruler = self.ruler(self.configuration.measure.count)
        return {} if isinstance(ruler, PointRuler) else {"features": ruler.features.name}

    def measure(self, count: int | None = None) -> dict[str, float]:
        """The distances of generated from real things, always from the same noise; by default as at snapshots."""
        return self.measure_by(self.ruler(count or self.configuration.measure.count))

    def measure_by(self, ruler: Ruler) -> dict[str, float]:
        """The metrics that a ruler gives, which may be one of other data."""
        labels = self.labels(ruler.draws)
        fakes = self.sample(ruler.draws, labels=labels)
        if isinstance(ruler, PointRuler):
            return ruler.measure(fakes)
        same = (
            self.told is self.data and ruler.data.classes == self.data.classes
        )  # labels of others say nothing of these
        return ruler.measure(fakes, labels if same else None)

    def estimate(self) -> dict[str, float]:
        """For a game whose critic estimates W1: that estimate; for points also the exact W1 in the units it sees.

        The critic's is at most K times W1, K being its unknown Lipschitz constant.
        """
        if not isinstance(self.recipe.objective, EstimatesDistance) or not isinstance(self.data, PointSet):
            return {}
        real = self.data.standardiser.forward(self.ruler(self.configuration.measure.count).reference)
        latent = self.latents(len(real))
        fake = self.generate(latent)
        seen = Sample(torch.as_tensor(real, dtype=torch.float32, device=self.device))
        pair = judge(self.state, seen, fake.to(self.device), latent, size=self.recipe.batch_size)
        estimate = float(self.recipe.objective.distance(pair))
        return {"critic_estimate": estimate, "w1_scaled": w1(real, fake.double().numpy())}

    def scores(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """The critic's scores of points in standard units; where it has batch norms, as among real points."""
        with among(self.state.critic.network, (self._fixed[i] for i in range(BATCHES))):
            return score(self.state.critic.network, points, device=self.device)

    def verdicts(self, count: int) -> Pair:
        """The critic's scores of real and generated things as in training, always of the same data and noise.

        They are taken in whole batches, which hold `count` things or more.
        """
        return verdicts(self.state, self._fixed, count, seed=derive(0, "verdicts"))

    @cached_property
    def _fixed(self) -> Batches:
        """Batches to look at, which do not follow from the run's seed; of a stream, of the images that are held."""
        things = self.batches.things
        if isinstance(things, Streamed) and isinstance(self.data, ImageSet):
            things = replace(self.data, stream=None).things().to(self.device)
        seed = derive(0, "verdicts")
        return Batches(things, self.batches.labels, size=self.recipe.batch_size, seed=seed)

    def surface(self) -> SurfaceGrid | None:
        """The critic over the plane around the data, shown as its objective says; none for other data."""
        if not isinstance(self.data, PointSet) or self.data.dimension != 2:
            return None
        at = grid(limits(self.data.points))
        scores = self.scores(self.data.standardiser.forward(at))
        return surface_from_scores(at, scores, self.recipe.objective.surface)

    def scatter(self, count: int = 2000, title: str = "", seed: int = 0) -> Figure:
        """Real and generated points over the critic's surface. Raises UsageError where the data are images."""
        if not isinstance(self.data, PointSet):
            raise UsageError(f"{self.data.name} holds images; they are shown by `sheet`")
        return scatter(
            self.data.points,
            self.sample(count, seed),
            self.surface(),
            title=title or self.title,
            columns=self.data.columns,
        )

    def sheet(self, count: int = 64, title: str = "", seed: int = 0, labels: Sequence[int] = ()) -> Image.Image:
        """Generated images. A conditional generator's have one noise vector a row and one label a column.

        `labels` are then the columns, by default all classes, or the first of them: ten, or as many as are 720 pixels
        side by side.

        Raises:
            UsageError: the data are points.
        """
        if isinstance(self.data, PointSet):
            raise UsageError(f"{self.data.name} holds points; they are shown by `scatter`")
        if not self.conditional:
            return sheet(self.sample(count, seed), title=title or self.title)
        fitting = max(10, ACROSS // self.data.pixels.shape[2])
        asked = list(labels) or list(range(min(fitting, len(self.told.classes))))
        names = [self.told.classes[label] for label in asked]
        return labelled_sheet(self.table(asked, seed), (), names, title or self.title)

    def table(self, labels: Sequence[int], seed: int = 0, rows: int = ROWS) -> np.ndarray:
        """Images row by row: one noise vector a row, one label a column."""
        noise = self.latents(rows, seed, np.zeros(rows, dtype=np.int64))
        repeated = len(labels)
        asked = torch.tensor(list(labels) * rows, device=self.device)
        code = None if noise.code is None else noise.code.repeat_interleave(repeated, dim=0)
        return self.data.restored(self.generate(Latent(noise.z.repeat_interleave(repeated, dim=0), asked, code)))


def make_ruler(data: DataSet, count: int, features: str = "auto", modes: int = STACKED_COUNT) -> Ruler:
    """What measures generated things against data; for images over the features of that name.

    The 1,000 modes of stacked sets are looked for among `modes` images.
    """
    if isinstance(data, PointSet):
        return PointRuler(data, count)
    return ImageRuler(data, count, features_for(data, features), mode_count=modes)
