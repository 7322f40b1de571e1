"""How classifiers of labelled images are trained."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ganbench.data.images import ImageSet
from ganbench.metrics.classifier import Classifier
from ganbench.metrics.classifier_networks import NETWORKS, scale_features, unfilled
from ganbench.seeds import derive
from ganbench.settings import unknown
from ganbench.types import UsageError

BATCH = 128
SEEN = 250_000
"""Images of 28 x 28 or less that a training sees in all: four epochs of MNIST. Larger images are seen less often."""

EPOCHS = range(3, 41)
LEAST = 300
"""Steps of 28 x 28 or less, at least: of few images there are many epochs."""

SCALED = 10_000
"""Training images, at most, by which the features are scaled; of more a random draw."""

SHIFT = 14
"""Images are shifted by up to a 14th of their side: two places of 28."""


def train_classifier(
    images: ImageSet,
    seed: int = 0,
    watch: Callable[[float], None] = lambda share: None,
    *,
    network: str = "small",
    steps: int | None = None,
) -> Classifier:
    """A classifier of labelled images: cross-entropy, AdamW with one cycle of the rate, batches of 128, small shifts.

    It takes so many `steps`, by default those of `usual_steps`. Its features have a mean square of 1 over the training
    images, so that figures over two networks are of one order. `watch` is told the share that is done. Every draw
    follows from `seed`.

    Raises UsageError as `require_trainable` does.
    """
    require_trainable(images, network)
    steps = usual_steps(images) if steps is None else steps
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "classifier", "weights"))
        learner = NETWORKS[network](images.shape, len(images.classes))
    learner = learner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(learner.parameters(), lr=learner.rate, weight_decay=learner.decay, fused=True)
    rising = 0.2 if steps != 5 else 0.25  # torch divides by a fifth of the steps, less one
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learner.rate, total_steps=steps, pct_start=rising)
    batches = itertools.islice(_batches(images, derive(seed, "classifier", "order")), steps)
    for step, (x, y) in enumerate(batches):
        optimizer.zero_grad()
        F.cross_entropy(learner(x), y).backward()
        optimizer.step()
        schedule.step()
        watch((step + 1) / steps)
    trained = learner.folded(images.shape).eval().requires_grad_(False)
    chosen = np.random.default_rng(derive(seed, "classifier", "scale")).permutation(len(images))[:SCALED]
    scale_features(trained, images.pixels[chosen])
    return Classifier(trained, images.shape, images.classes, images.fingerprint)


def require_trainable(images: ImageSet, network: str) -> None:
    """Raises UsageError: the images have no labels or are fewer than 2, there is no such network, or none for them."""
    if images.labels is None:
        raise UsageError(
            f"{images.name}: a classifier is trained on labelled images; these have no labels (captchas whose names "
            "are their texts get some by `ganbench data prepare captcha`)"
        )
    if len(images) < 2:
        raise UsageError(f"{images.name}: a classifier is trained on 2 images or more, not {len(images)}")
    if network not in NETWORKS:
        raise UsageError(unknown("network", network, NETWORKS))
    unfilled(network, images.shape, len(images.classes))


def usual_steps(images: ImageSet) -> int:
    """Those in which about 250,000 images of up to 28 x 28 are seen, from 3 to 40 epochs, at least 300; fewer of larger
    images. Of captchas' cells that takes a minute and a half on a slow core, of MNIST two."""
    _, height, width = images.shape
    share = 28 * 28 / max(28 * 28, height * width)
    epochs = min(max(EPOCHS.start, round(share * SEEN / len(images))), EPOCHS.stop - 1)
    return max(round(share * LEAST), epochs * math.ceil(len(images) / BATCH))


def _batches(images: ImageSet, seed: int) -> Iterator[tuple[Float[Tensor, "b c h w"], Int[Tensor, " b"]]]:
    """Shuffled batches of scaled, shifted images, without end; what a shift uncovers repeats the edge."""
    rng = torch.Generator().manual_seed(seed)
    things, labels = images.things(), torch.from_numpy(np.array(images.labels))
    while True:
        for rows in torch.randperm(len(things), generator=rng).split(BATCH):
            if len(rows) > 1:  # batch norm has no variance of one
                yield _shifted(things[rows].float() / 127.5 - 1, rng), labels[rows]


def _shifted(x: Float[Tensor, "b c h w"], rng: torch.Generator) -> Float[Tensor, "b c h w"]:
    _, _, height, width = x.shape
    reach = max(1, min(height, width) // SHIFT)
    windows = F.pad(x, (reach,) * 4, mode="replicate").unfold(2, height, 1).unfold(3, width, 1)
    down, right = torch.randint(0, 2 * reach + 1, (2, len(x)), generator=rng)
    return windows[torch.arange(len(x)), :, down, right]


def balanced(images: ImageSet, count: int, seed: int = 0) -> ImageSet:
    """A random `count` of labelled images, as many of each class, up to one, as the classes allow.

    Raises UsageError: the images have no labels, or are fewer than `count`, or that is below 2.
    """
    if images.labels is None:
        raise UsageError(f"{images.name}: these images have no labels to be balanced by")
    if not 2 <= count <= len(images):
        raise UsageError(f"{images.name}: from 2 to {len(images):,} images can be drawn, not {count:,}")
    order = np.random.default_rng(derive(seed, "classifier", "draw")).permutation(len(images))
    labels = images.labels[order]
    by_class = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    rank = np.empty(len(images), dtype=np.int64)  # of each image in the order, among those of its class
    rank[by_class] = np.arange(len(images)) - (counts.cumsum() - counts)[labels[by_class]]
    return images.take(order[np.argsort(rank, kind="stable")[:count]])
