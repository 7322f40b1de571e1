"""What a ruler shows between halves of the real data: the best that can be hoped for."""

from __future__ import annotations

from functools import cached_property

import numpy as np


class AgainstItself:
    """What rulers share: the metrics of the data against themselves, as many on each side as for generated things.

    A single halving can be a third off, so the floor is a mean over several.
    """

    def _halvings(self) -> list[dict[str, float]]:
        """The metrics of each of a few random halvings."""
        raise NotImplementedError

    @property
    def floor(self) -> dict[str, float]:
        """The mean of each metric over the halvings."""
        return {name: float(np.mean(values)) for name, values in self._real_against_real.items()}

    @property
    def floor_spread(self) -> dict[str, float]:
        """The standard deviation of each figure of `floor` over the halvings."""
        return {name: float(np.std(values, ddof=1)) for name, values in self._real_against_real.items()}

    @cached_property
    def _real_against_real(self) -> dict[str, list[float]]:
        figures = self._halvings()
        return {name: [figure[name] for figure in figures] for name in figures[0]}
