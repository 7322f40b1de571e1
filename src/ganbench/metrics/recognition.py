"""How well a classifier reads labelled images: characters, whole strings of them, and what it takes for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import beta

from ganbench.data.images import ImageSet
from ganbench.metrics.classifier import Classifier, places_of, said
from ganbench.types import UsageError


class Share(NamedTuple):
    """So many right of a total."""

    right: int
    total: int

    @property
    def value(self) -> float:
        return self.right / self.total

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Clopper and Pearson's: it holds the true share at least as often as `level` says, whatever the share is.

        The lower end is the (1 - level) / 2 quantile of Beta(k, n - k + 1), the upper the (1 + level) / 2 quantile of
        Beta(k + 1, n - k). Biometrika 26 (1934).

        >>> [round(end, 4) for end in Share(10, 10).interval()]
        [0.6915, 1.0]
        """
        k, n = self.right, self.total
        low = float(beta.ppf((1 - level) / 2, k, n - k + 1)) if k else 0.0
        high = float(beta.ppf((1 + level) / 2, k + 1, n - k)) if k < n else 1.0
        return low, high


@dataclass(frozen=True, slots=True, eq=False)
class Recognition:
    """What was read of labelled images. Labels count through `classes`; `characters` in a row make a string."""

    given: Int[np.ndarray, " n"]
    read: Int[np.ndarray, " n"]
    confidence: Float[np.ndarray, " n"]
    classes: tuple[str, ...]
    characters: int = 1

    @property
    def right(self) -> Bool[np.ndarray, " n"]:
        return np.equal(self.given, self.read)

    @property
    def accuracy(self) -> Share:
        """The share of characters read right."""
        return Share(int(self.right.sum()), len(self.given))

    @property
    def strings(self) -> Share | None:
        """The share of strings of which all characters were read right; None where images are single characters."""
        if self.characters == 1:
            return None
        whole = self.right.reshape(-1, self.characters).all(axis=1)
        return Share(int(whole.sum()), whole.size)

    def pairs(self) -> list[tuple[int, int, Int[np.ndarray, " m"]]]:
        """(given, read, rows) of each pair of classes that was confused, the most frequent first, and of each pair the
        images read with the most confidence first."""
        wrong = np.flatnonzero(~self.right)
        wrong = wrong[np.argsort(-self.confidence[wrong], kind="stable")]
        codes = self.given[wrong] * len(self.classes) + self.read[wrong]
        found = [(*divmod(int(code), len(self.classes)), wrong[codes == code]) for code in np.unique(codes)]
        return sorted(found, key=lambda pair: -len(pair[2]))


def recognise(classifier: Classifier, images: ImageSet, characters: int = 1) -> Recognition:
    """What a classifier reads of labelled images; rows `characters * i` and the next ones are the i-th string.

    Raises UsageError: the images have no labels, are of another shape, have a class that the classifier does not know,
    or do not come to whole strings.
    """
    labels = labels_for(images, classifier.shape, classifier.classes)
    if characters < 1 or len(images) % characters:
        raise UsageError(f"{images.name}: {len(images)} images are no whole strings of {characters} characters")
    seen = classifier(images.pixels)
    assert seen.labels is not None
    assert seen.confidence is not None
    return Recognition(labels, seen.labels, seen.confidence, classifier.classes, characters)


def labels_for(images: ImageSet, shape: tuple[int, int, int], classes: tuple[str, ...]) -> Int[np.ndarray, " n"]:
    """The labels of images as a classifier counts them that reads such a shape and such classes.

    Raises UsageError: the images have no labels, are of another shape, or have a class that it does not know.
    """
    if images.labels is None:
        raise UsageError(
            f"{images.name}: these images have no labels to compare with what is read (captchas whose names are their "
            "texts get some by `ganbench data prepare captcha`)"
        )
    if images.shape != shape:
        raise UsageError(f"{images.name}: images of {said(images.shape)}, where the classifier reads {said(shape)}")
    places = places_of(images.classes, classes)
    if strange := [images.classes[i] for i in np.unique(images.labels) if places[i] < 0]:
        raise UsageError(
            f"{images.name} has the class {strange[0]!r}, which the classifier does not know; it reads "
            f"{_listed(classes)}"
        )
    return places[images.labels]


def _listed(classes: tuple[str, ...], most: int = 40) -> str:
    return " ".join(classes[:most]) + (" ..." if len(classes) > most else "")
