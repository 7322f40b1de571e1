"""What a classifier reads in generated images: which classes, in which shares, and whether what was asked for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.special import kl_div
from scipy.stats import entropy

PSEUDO_COUNT = 0.5
"""Added to every class of the real histogram by `label_kl`, which is infinite where a class is generated only."""

SURE = 0.9
"""An image that a classifier gives one class more probability than this is readable."""


def label_kl(generated: Int[np.ndarray, "n"], real: Int[np.ndarray, "m"], classes: int) -> float:
    """`KL(generated || real)` of the shares of the classes, in nats.

    Half an image (Krichevsky and Trofimov's estimate) is added to every class of the real histogram; the generated
    one is plain, so that with equal real classes it is the figure of PacGAN's protocol (arXiv:1712.04086). It is
    ln k where all images are of one of k equal classes; n images of a perfect generator have (k - 1) / 2n on average.
    A class that is read and is none of the `classes` of the data, by a network that knows more, is one without images.

    >>> round(label_kl(np.zeros(10, int), np.tile([0, 1, 2, 3], 1000), 4), 4)  # ln 4
    1.3863
    """
    p = np.bincount(generated, minlength=classes) / len(generated)
    q = np.bincount(real, minlength=len(p)) + PSEUDO_COUNT
    return float(kl_div(p, q / q.sum()).sum())


def label_entropy(generated: Int[np.ndarray, "n"], classes: int) -> float:
    """The entropy of the shares of the classes, in nats: ln k where k classes are equally frequent, 0 for one alone.

    >>> round(label_entropy(np.array([2, 0, 0, 2]), 3), 4)  # ln 2
    0.6931
    """
    return float(entropy(np.bincount(generated, minlength=classes)))


def readable(confidence: Float[np.ndarray, "n"]) -> float:
    """The share of images whose class is read with a probability of more than 0.9."""
    return float((confidence > SURE).mean())


def legible(
    generated: Int[np.ndarray, "n"], confidence: Float[np.ndarray, "n"], real: Int[np.ndarray, "m"], classes: int
) -> float:
    """`sum over classes c of min(share of images read as c with more than 0.9, share of c in the data)`.

    Where `readable` is 1 for a generator that draws one readable thing alone, this is that class's share of the data.
    Of k equal classes n images of a perfect generator fall short of 1 by sqrt(k / (2 pi n)) on average, for n >> k: by
    0.07 of 1,000 images of 32 characters, as the floor beside the figure does.

    >>> one = np.zeros(8, int)
    >>> legible(one, np.ones(8), np.array([0, 1, 2, 3]), 4)
    0.25
    """
    sure = generated[(confidence > SURE) & (generated < classes)]
    read = np.bincount(sure, minlength=classes) / len(generated)
    return float(np.minimum(read, np.bincount(real, minlength=classes) / len(real)).sum())


def covered(generated: Int[np.ndarray, "n"]) -> float:
    """Classes with at least one generated image."""
    return float(len(np.unique(generated)))


def accuracy(generated: Int[np.ndarray, "n"], asked: Int[np.ndarray, "n"]) -> float:
    """The share of images in which the class is read that was asked for."""
    return float((generated == asked).mean())
