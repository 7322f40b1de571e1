"""All metrics of generated points against one data set, beside what the data itself attains."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from ganbench.data.points import PointSet
from ganbench.metrics import divergences, modes, transport
from ganbench.metrics.floor import AgainstItself
from ganbench.types import UsageError

COUNT = 1024
"""Points on each side of a distance: two exact assignments of so many take 0.1 to 0.25 s on one core."""

MODE_COUNT = 2500
"""Points among which the modes are counted, by PacGAN's protocol (arXiv:1712.04086)."""

SPLITS = 4
"""Random halvings of the data over which the floor is a mean: a single one can be a third off."""


class Metric(NamedTuple):
    """What a metric means, what it is counted in, and which way is better; `equal` to what real things show is best."""

    meaning: str
    unit: str
    better: Literal["lower", "higher", "equal"]


POINT_METRICS: dict[str, Metric] = {
    "w1": Metric("exact 1-Wasserstein distance", "data units", "lower"),
    "w2": Metric("exact 2-Wasserstein distance", "data units", "lower"),
    "sliced_w": Metric("1-Wasserstein distance on a line, mean over 128 directions", "data units", "lower"),
    "energy": Metric("energy distance 2E|X-Y| - E|X-X'| - E|Y-Y'|", "data units", "lower"),
    "js": Metric("Jensen-Shannon divergence of grid histograms, at most ln 2", "nats", "lower"),
    "kl": Metric("KL(real || generated) of grid histograms with pseudo-counts", "nats", "lower"),
    "modes": Metric("known modes with a generated point within 3 standard deviations", "modes", "higher"),
    "high_quality": Metric(
        "generated points within 3 standard deviations of a known mode; more than the floor is too narrow",
        "share",
        "higher",
    ),
    "reverse_kl": Metric("KL(modes of the high-quality points || uniform)", "nats", "lower"),
    "reverse_kl_off": Metric("KL(modes and a bin for points off them || the true shares)", "nats", "lower"),
}
"""Every metric of points by name, in the order in which they are shown."""


@dataclass(frozen=True, eq=False)
class PointRuler(AgainstItself):
    """Measures generated points against a data set, always the same points of it.

    Distances and divergences are between the first `count` generated points and a fixed random `count` of the
    real ones; `count` is lowered to half the data where that is less. Where the data's modes are known they are
    counted among the first `mode_count` generated points. `js` and `kl` are left out beyond 3 dimensions, the
    metrics of modes where none are known. Everything is in the data's own units.

    >>> data = PointSet("ramp", np.arange(64.0)[:, None])
    >>> ruler = PointRuler(data)
    >>> ruler.count, round(ruler.measure(ruler.reference + 3)["w1"], 6)
    (32, 3.0)
    """

    data: PointSet
    count: int = COUNT
    seed: int = 0
    mode_count: int = MODE_COUNT

    def __post_init__(self) -> None:
        count = min(self.count, len(self.data) // 2)
        if count < 1 or self.mode_count < 1:
            raise UsageError(f"{self.data.name}: metrics need at least one point on each side")
        object.__setattr__(self, "count", count)

    @property
    def draws(self) -> int:
        """How many generated points `measure` asks for."""
        return self.count if self.data.modes is None else max(self.count, self.mode_count)

    @cached_property
    def reference(self) -> Float[np.ndarray, "count d"]:
        """The real points that generated ones are held against."""
        return self.data.halves(self.seed)[0][: self.count]

    def measure(self, generated: Float[np.ndarray, "draws d"]) -> dict[str, float]:
        """The metrics of generated points, by the names of `POINT_METRICS`; points beyond `draws` are ignored.

        A set with a coordinate that is not finite has failed as a whole: its distances are infinite, no mode
        is covered, and the divergences are at their greatest.

        Raises UsageError if there are fewer points than `draws` or their dimension is not the data's.
        """
        if generated.ndim != 2 or generated.shape[1] != self.data.dimension or len(generated) < self.draws:
            raise UsageError(
                f"{self.data.name}: metrics need {self.draws} generated points of {self.data.dimension} "
                f"coordinates; here the shape is {generated.shape}"
            )
        generated = np.asarray(generated[: self.draws], dtype=np.float64)
        if not np.isfinite(generated).all():
            generated = np.full_like(generated, np.nan)
        return self._compare(self.reference, generated[: self.count], generated[: self.mode_count])

    def _halvings(self) -> list[dict[str, float]]:
        """Modes are counted among `mode_count` real points, or all there are."""
        splits = [self.data.halves(self.seed + split) for split in range(SPLITS)]
        return [
            self._compare(one[: self.count], other[: self.count], np.concatenate([one, other])[: self.mode_count])
            for one, other in splits
        ]

    def _compare(
        self,
        real: Float[np.ndarray, "count d"],
        generated: Float[np.ndarray, "count d"],
        for_modes: Float[np.ndarray, "mode_count d"],
    ) -> dict[str, float]:
        figures = {
            "w1": transport.w1(real, generated),
            "w2": transport.w2(real, generated),
            "sliced_w": transport.sliced_w(real, generated),
            "energy": transport.energy(real, generated),
        }
        if self.data.dimension in divergences.BINS:
            figures["js"] = divergences.js(real, generated)
            figures["kl"] = divergences.kl(real, generated)
        if self.data.modes is not None:
            counts = modes.count_modes(for_modes, self.data.modes)
            figures["modes"] = modes.covered(counts)
            figures["high_quality"] = modes.high_quality(counts)
            figures["reverse_kl"] = modes.reverse_kl(counts)
            figures["reverse_kl_off"] = modes.reverse_kl_off(counts, self.data.dimension)
        return figures
