"""A real image's place in a generator's noise, by gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganbench.explore.attributes import Attributes
from ganbench.explore.subject import Subject
from ganbench.metrics.embedding import Pixels, scaled
from ganbench.metrics.features import Trained
from ganbench.seeds import derive
from ganbench.types import Latent, UsageError

SEEN = 64
"""Generated images by whose features the scale of features is found."""

STARTS = 4
STEPS = 150
AT_ONCE = 16
"""Images that are looked for together."""

RATE = 0.1
"""Adam's learning rate, which falls to 0 along a half cosine."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """The noise of the nearest generated image that was found for each image, that image, and how far it is.

    `error` is the root mean squared difference of pixels, on the scale from 0 to 1.
    """

    z: Float[np.ndarray, "n noise"] = field(repr=False)
    images: Pixels = field(repr=False)
    error: Float[np.ndarray, " n"]


def project(
    subject: Subject,
    pixels: Pixels,
    labels: Int[np.ndarray, " n"] | None = None,
    attributes: Attributes | None = None,
    *,
    starts: int = STARTS,
    steps: int = STEPS,
    seed: int = 0,
    watch: Callable[[float], None] = lambda share: None,
) -> Projection:
    """Looks for the noise from which the generator makes each image, from `starts` latents each; the best is kept.

    Made small are the mean squared difference of pixels and, where the attributes are read by a classifier, that of its
    features in units of their variance over generated images. A conditional generator is asked for the images'
    `labels`. What is found for an image depends on no other.

    Raises:
        UsageError: the images are not uint8 in the shape of the generator's, or lack the labels that it needs.
    """
    _check(subject, pixels, labels)
    n = len(pixels)
    start = subject.latents(n * starts, derive(seed, "projection"))
    asked = None if labels is None else torch.tensor(labels, device=subject.device).repeat_interleave(starts)
    reader = attributes.reader if attributes is not None else None
    see = _features(subject, reader, derive(seed, "spread")) if reader else None
    made: list[Projection] = []
    for first in range(0, n, AT_ONCE):
        some = pixels[first : first + AT_ONCE]
        rows = slice(starts * first, starts * (first + len(some)))
        y, code = (None if each is None else each[rows] for each in (asked, start.code))
        own = replace(start, z=start.z[rows], y=y, code=code)
        made.append(_nearest(subject, some, own, see, starts, steps))
        watch((first + len(some)) / n)
    return Projection(*(np.concatenate([getattr(each, name) for each in made]) for name in ("z", "images", "error")))


def _features(subject: Subject, reader: Trained, seed: int) -> Callable[[Tensor], Tensor]:
    """A classifier's features in units of their standard deviation over generated images."""
    see = deepcopy(reader.classifier.network).to(subject.device).features
    usual = scaled(subject.images(subject.latents(SEEN, seed))).to(subject.device)
    spread = see(usual).var(dim=0).mean().clamp(min=1e-12).sqrt()
    return lambda x: see(x) / spread


def _apart(see: Callable[[Tensor], Tensor], target: Tensor) -> Callable[[Tensor], Tensor]:
    """How far the features of each image are from those of its target."""
    goal = see(target)
    return lambda x: (see(x) - goal).square().mean(dim=1)


def _nearest(
    subject: Subject, pixels: Pixels, start: Latent, see: Callable[[Tensor], Tensor] | None, starts: int, steps: int
) -> Projection:
    """For each image the best of `starts` descents, which begin at as many latents of `start` in a row."""
    target = scaled(pixels).to(subject.device).repeat_interleave(starts, dim=0)
    apart = None if see is None else _apart(see, target)
    z = start.z.clone().requires_grad_()
    adam = torch.optim.Adam([z], lr=RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(steps):
        x = subject.network(replace(start, z=z))
        if x.shape != target.shape:
            raise UsageError(
                f"project: {subject.name} makes images of shape {tuple(x.shape[1:])}, not {tuple(target.shape[1:])}"
            )
        losses = (x - target).square().flatten(1).mean(dim=1)
        if apart:
            losses = losses + apart(x)
        (z.grad,) = torch.autograd.grad(losses.sum(), z)
        adam.step()
        falling.step()
    found = z.detach()
    images = subject.images(replace(start, z=found))
    wrong = (images.astype(np.float64) - pixels.repeat(starts, axis=0)) / 255
    error = np.sqrt((wrong**2).reshape(len(pixels), starts, -1).mean(axis=2))
    best = error.argmin(axis=1) + starts * np.arange(len(pixels))
    return Projection(found.cpu().numpy()[best], images[best], error.min(axis=1))


def _check(subject: Subject, pixels: Pixels, labels: Int[np.ndarray, " n"] | None) -> None:
    if not isinstance(pixels, np.ndarray):
        raise UsageError(f"project: images are an array of pixels, not {type(pixels).__name__}; see explore.images_at")
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or not len(pixels):
        raise UsageError(
            "project: images are uint8 (n, height, width) or (n, height, width, 3), not "
            f"{pixels.dtype} {tuple(pixels.shape)}"
        )
    if labels is None:
        if subject.labels is not None:
            raise UsageError(f"project: {subject.name} needs the images' labels")
    elif subject.labels is None:
        raise UsageError(f"project: {subject.name} takes no labels")
    elif len(labels) != len(pixels) or not np.isin(labels, range(len(subject.classes))).all():
        raise UsageError(f"project: {len(pixels)} images need as many labels from 0 to {len(subject.classes) - 1}")
