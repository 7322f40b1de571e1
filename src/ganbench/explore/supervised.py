"""Directions along which a measured attribute grows, by regression on the noise. After arXiv:1907.10786."""

from __future__ import annotations

import numpy as np

from ganbench.explore.attributes import Attributes
from ganbench.explore.directions import Directions
from ganbench.explore.probes import ridge
from ganbench.explore.subject import Subject
from ganbench.seeds import derive
from ganbench.types import UsageError

DRAWN = 2000
"""Images whose attributes are measured; half of them are held out."""


def supervised(subject: Subject, count: int, attributes: Attributes, seed: int = 0) -> Directions:
    """For the `count` attributes that the noise explains best, the direction in which each grows.

    Of noise and attributes is taken what labels and codes do not explain, so that what these ask for is not put down to
    the noise. `strengths` are the shares of the variance (R^2) that is explained in the half held out.

    Raises:
        UsageError: fewer attributes vary.
    """
    latent = subject.latents(DRAWN, derive(seed, "supervised"))
    pixels = subject.images(latent)
    scores, colour = attributes(pixels).values, pixels.ndim == 4
    held = subject.asked(latent).numpy()
    z, scores = (values - held @ (held.T @ values) for values in (latent.z.double().cpu().numpy(), scores))
    spread = scores.std(axis=0)
    varied = np.flatnonzero(spread > 1e-9)
    if len(varied) < count:
        raise UsageError(f"--directions {count}: only {len(varied)} attributes of these images vary")
    scores = scores[:, varied] / spread[varied]
    half = DRAWN // 2
    weights = ridge(z[:half], scores[:half])
    left = ((scores[half:] - z[half:] @ weights) ** 2).mean(axis=0)
    explained = 1 - left / (scores[half:] ** 2).mean(axis=0).clip(1e-12)
    first = np.argsort(-explained, kind="stable")[:count]
    vectors = (weights / np.linalg.norm(weights, axis=0)).T[first]
    names = [attributes.names(colour)[varied[place]] for place in first]
    return Directions("supervised", ", ".join(names), vectors, explained[first], "R^2 held out")
