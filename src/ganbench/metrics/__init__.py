"""Metrics of point sets and of images, each beside its floor."""

from ganbench.metrics.divergences import js, kl
from ganbench.metrics.embedding import Embedded, Features
from ganbench.metrics.features import features_for
from ganbench.metrics.frechet import fid
from ganbench.metrics.images import IMAGE_METRICS, STACKED_COUNT, ImageRuler
from ganbench.metrics.kernel import kid
from ganbench.metrics.points import MODE_COUNT, POINT_METRICS, Metric, PointRuler
from ganbench.metrics.transport import energy, sliced_w, w1, w2

METRICS: dict[str, Metric] = POINT_METRICS | IMAGE_METRICS
"""Every metric by name, in the order in which they are shown."""

__all__ = [
    "METRICS", "MODE_COUNT", "STACKED_COUNT", "Metric", "PointRuler", "w1", "w2", "sliced_w", "energy", "js", "kl",
    "ImageRuler", "Embedded", "Features", "features_for", "fid", "kid",
]  # fmt: skip
