"""Probable label errors: labels that classifiers trained on the other images do not believe.

Plain confident learning (Northcutt et al. 2021, arXiv:1911.00068), in numpy: the library of its authors would bring
pandas and scikit-learn for what is ten lines here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from ganbench.data.images import ImageSet
from ganbench.metrics.classifier_training import train_classifier, usual_steps
from ganbench.seeds import derive
from ganbench.types import UsageError

SHARE = 0.4
"""Of the steps of a usual training, those of each fold: it has to tell classes apart, not to be the best reader."""

SHARPNESS = 2
"""The power to which probabilities are raised before labels are judged. A classifier trained on labels of which a share
is wrong doubts every label by about that share, and too few errors pass the mean: of 2 % planted in cells of real
captchas 88 % are found without it and 99 % with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Suspects:
    """Images whose labels are probably wrong, the surest first: their rows, and their labels given and probable."""

    rows: Int[np.ndarray, " m"]
    given: Int[np.ndarray, " m"]
    probable: Int[np.ndarray, " m"]
    given_confidence: Float[np.ndarray, " m"]
    probable_confidence: Float[np.ndarray, " m"]

    def __len__(self) -> int:
        return len(self.rows)

    def corrected(self, labels: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """The labels with the probable ones in place of the doubted."""
        better = labels.copy()
        better[self.rows] = self.probable
        return better


def suspects(probabilities: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"]) -> Suspects:
    """Labels that another class contradicts.

    Probabilities are sharpened first: q_j = p_j^2 / sum_i p_i^2. The threshold t_j of class j is the mean of q_j over
    the images with label j. An image is suspected where a class j other than its label i has q_j >= t_j, which is the
    rule of confident learning, and also p_j > p_i, which is ours; the probable label is the likeliest such j. A class
    without images has no threshold and is never probable. Order: by p_j - p_i. The confidences are the p.
    """
    n, k = probabilities.shape
    own = probabilities[np.arange(n), labels]
    sharp = probabilities**SHARPNESS
    sharp /= sharp.sum(axis=1, keepdims=True)
    counts = np.bincount(labels, minlength=k)
    sums = np.bincount(labels, weights=sharp[np.arange(n), labels], minlength=k)
    thresholds = np.divide(sums, counts, out=np.full(k, np.inf), where=counts > 0)
    against = np.where((sharp >= thresholds) & (probabilities > own[:, None]), probabilities, -1.0)
    probable = against.argmax(axis=1)
    best = against.max(axis=1)
    rows = np.flatnonzero(best >= 0)
    rows = rows[np.argsort(-(best - own)[rows], kind="stable")]
    return Suspects(rows, labels[rows], probable[rows], own[rows], best[rows])


def write_suspects(found: Suspects, classes: Sequence[str], files: Sequence[str], path: Path) -> None:
    """A line a doubted label, the surest first, with its image's file where `files` are known."""
    columns = (found.rows, found.given, found.probable, found.given_confidence, found.probable_confidence)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("row", "file", "given", "probable", "given_confidence", "probable_confidence"))
        for row, i, j, p, q in zip(*columns, strict=True):
            writer.writerow((row, files[row] if files else "", classes[i], classes[j], f"{p:.6f}", f"{q:.6f}"))


def folds_of(images: ImageSet, folds: int, seed: int, characters: int = 1) -> Int[np.ndarray, " n"]:
    """The fold of each image: strings of `characters` stay together; single images are dealt out class by class.

    Raises UsageError: the images have no labels, there are fewer than 2 folds, or fewer strings than folds.
    """
    if images.labels is None:
        raise UsageError(f"{images.name}: these images have no labels to audit")
    strings = len(images) // characters
    if not 2 <= folds <= strings:
        raise UsageError(f"folds: from 2 to as many as there are images or strings, {strings}, not {folds}")
    order = np.random.default_rng(derive(seed, "audit", "folds")).permutation(strings)
    if characters == 1:
        order = order[np.argsort(images.labels[order], kind="stable")]
    fold = np.empty(strings, dtype=np.int64)
    fold[order] = np.arange(strings) % folds
    return fold.repeat(characters)


def out_of_fold(
    images: ImageSet,
    folds: int = 5,
    seed: int = 0,
    watching: Callable[[int], Callable[[float], None]] = lambda fold: lambda share: None,
    *,
    network: str = "small",
    characters: int = 1,
) -> Float[np.ndarray, "n k"]:
    """The probability of each class for each image, by a classifier that was trained on the other folds.

    `watching` gives for each fold, from 0, what is told the share of its training that is done. Raises UsageError as
    `folds_of` and `train_classifier` do.
    """
    fold = folds_of(images, folds, seed, characters)
    probabilities = np.empty((len(images), len(images.classes)))
    for i in range(folds):
        others, held = np.flatnonzero(fold != i), np.flatnonzero(fold == i)
        train = images.take(others)
        steps = round(SHARE * usual_steps(train))
        classifier = train_classifier(train, derive(seed, "audit", i), watching(i), network=network, steps=steps)
        probabilities[held] = classifier.probabilities(images.pixels[held])
    return probabilities
