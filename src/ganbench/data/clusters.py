"""Clusters of images, as labels for those that have none."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.cluster.vq import kmeans2, vq

from ganbench.data.images import ImageSet
from ganbench.data.points import PointSet
from ganbench.types import UsageError

COMPONENTS = 64
"""Principal components in which images are compared."""

FOR_COMPONENTS, FOR_CENTRES = 2048, 16_384
"""Images by which the components and the clusters are found at most; all others join the nearest cluster."""

STARTS, STEPS = 3, 30
PIECE = 2**24  # values of pixels that are in memory as numbers at a time


@lru_cache(maxsize=2)
def clustered(images: ImageSet, count: int) -> ImageSet:
    """The images with the k-means clusters of their pixels in the place of labels, the largest first.

    A GAN that is told which cluster an image is of learns more easily what differs within (Sage et al. 2018,
    arXiv:1712.04407). They follow from the images alone: the best of three starts of k-means++, in the first 64
    principal components. Clusters that stay empty are left out. The same object is clustered once. What cannot be
    clustered, `require_clusters` refuses.
    """
    order = np.random.default_rng(0).permutation(len(images))
    seen = _numbers(images, order[:FOR_COMPONENTS])
    mean = seen.mean(axis=0)
    axes = np.linalg.svd(seen - mean, full_matrices=False)[2][:COMPONENTS].T
    rows = np.array_split(np.arange(len(images)), -(-images.pixels.size // PIECE))
    x = np.concatenate([(_numbers(images, piece) - mean) @ axes for piece in rows])
    some = np.sort(order[:FOR_CENTRES])
    seen = x[some]
    distinct = len({images.pixels[place].tobytes() for place in some})  # products of copies may differ in a last bit
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of clusters that are empty
        starts = [_centres(seen, min(count, distinct), start) for start in range(STARTS)]
    labels, _ = min((vq(x, centres) for centres in starts), key=lambda found: float(np.square(found[1]).sum()))
    sizes = np.bincount(labels)
    place = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return replace(images, labels=place[labels], classes=tuple(f"cluster {i}" for i in range(np.count_nonzero(sizes))))


def require_clusters(data: PointSet | ImageSet, count: int) -> None:
    """Raises UsageError where the data are points, are streamed, or have fewer than two images a cluster."""
    if isinstance(data, PointSet):
        raise UsageError(f"clusters: they stand for labels of images, and {data.name} holds points")
    if data.stream is not None:
        raise UsageError(f"clusters: those of all images are asked for, and {data.name} is streamed")
    if len(data) < 2 * count:
        raise UsageError(f"clusters: {count:,} of them, where {data.name} has {len(data):,} images, need two each")


def _centres(x: Float[np.ndarray, "n d"], count: int, seed: int) -> Float[np.ndarray, "count d"]:
    return kmeans2(x, count, iter=STEPS, minit="++", seed=seed)[0]


def _numbers(images: ImageSet, rows: np.ndarray) -> Float[np.ndarray, "n d"]:
    return images.pixels[np.sort(rows)].reshape(len(rows), -1).astype(np.float32) / 255
