"""Metrics: exact transport, divergences and modes of point sets, each beside its floor."""

from ganbench.metrics.divergences import js, kl
from ganbench.metrics.points import METRICS, MODE_COUNT, Metric, PointRuler
from ganbench.metrics.transport import energy, sliced_w, w1, w2

__all__ = ["METRICS", "MODE_COUNT", "Metric", "PointRuler", "w1", "w2", "sliced_w", "energy", "js", "kl"]
