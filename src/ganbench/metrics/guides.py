"""Which of several metrics decides."""

from __future__ import annotations

from collections.abc import Collection

GUIDES = ("w1", "fid")
"""By the first of these that is measured, checkpoints and recipes are ranked: points by w1, images by fid."""


def guide_of(metrics: Collection[str]) -> str:
    """The metric that decides among those that were measured.

    >>> guide_of(["kid", "fid"])
    'fid'
    """
    return next(name for name in GUIDES if name in metrics)
