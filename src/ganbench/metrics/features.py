"""Which network image metrics rest on: a shipped one, one trained on the user's own data, or random filters."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from ganbench.data.downloads import cache_folder
from ganbench.data.feature_files import INCEPTION, named_file
from ganbench.data.images import STACKED, Images, ImageSet
from ganbench.data.parts import test_part
from ganbench.data.pictures import as_asked
from ganbench.data.stored import stays_on_disk
from ganbench.metrics.classifier import Classifier, places_of, read_classifier, save_classifier
from ganbench.metrics.classifier_training import train_classifier
from ganbench.metrics.embedding import Embedded, Features, Pixels
from ganbench.metrics.inception import Inception
from ganbench.metrics.random_conv import RandomConv
from ganbench.types import UsageError

WEIGHTS = Path(__file__).parent / "weights"

SHIPPED = ("mnist-cnn", "fashion-mnist-cnn", "digits-cnn")
"""Networks that come with ganbench, each a file in `weights` of `ganbench classify train`: ten epochs of MNIST and of
Fashion-MNIST, 40 of the digits."""

OWN, OTHER, RANDOM = "own-cnn", "other-cnn", "random-conv"

TRIED = 1000
"""Images of the data, drawn at random, on which a network is tried."""

MARGIN = 0.03
"""How much worse than its own test images a shipped network may read the data's labels to be taken for them."""

ENOUGH = 20
"""Images a class, on average, from which an own network is trained."""

HELD = 2**29
"""Bytes of images of a set too large for memory, of which an own network sees a random sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """Features of a trained classifier. What it reads is given on where that means the data's labels.

    `places` are then those of the data's k classes among its own, and labels are numbered as the data's are; what it
    reads and the data lack has numbers from k on.
    """

    name: str
    classifier: Classifier
    places: Int[np.ndarray, " k"] | None
    slow: ClassVar[bool] = False

    @property
    def reads_labels(self) -> bool:
        return self.places is not None

    def __call__(self, pixels: Pixels) -> Embedded:
        seen = self.classifier(pixels)
        if self.places is None or seen.labels is None:
            return Embedded(seen.features)
        own = np.arange(len(self.classifier.classes))
        numbers = np.argsort(np.concatenate([self.places, np.setdiff1d(own, self.places)]))
        return Embedded(seen.features, numbers[seen.labels], seen.confidence)

    def probabilities(self, pixels: Pixels) -> Float[np.ndarray, "n k"]:
        """Of each of the data's classes, where it reads them."""
        assert self.places is not None
        return self.classifier.probabilities(pixels)[:, self.places]


@dataclass(frozen=True, slots=True, eq=False)
class Stacked:
    """Features of images whose three channels are grey images: those of each channel, side by side.

    Of k classes a channel, the label is `(a k + b) k + c`, and k^3 where one reads none of them; its confidence is the
    product of the three.
    """

    base: Features
    kinds: int
    slow: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return f"stacked:{self.base.name}"

    def __call__(self, pixels: Pixels) -> Embedded:
        seen = [self.base(pixels[..., channel]) for channel in range(3)]
        features = np.concatenate([channel.features for channel in seen], axis=1)
        read = [channel.labels for channel in seen if channel.labels is not None]
        sure = [channel.confidence for channel in seen if channel.confidence is not None]
        if len(read) < 3 or len(sure) < 3:
            return Embedded(features)
        k = self.kinds
        labels = np.where(np.max(read, axis=0) < k, (read[0] * k + read[1]) * k + read[2], k**3)
        return Embedded(features, labels, np.prod(sure, axis=0))


@lru_cache(maxsize=2)
def features_for(data: ImageSet, asked: str = "auto") -> Features:
    """The features by which generated images are to be measured against a data set.

    `auto` is the shipped network that reads the data's labels as well as those of its own test images, within three
    points, on 1,000 images: MNIST, parts of it, and copies under other names are then told by what they show. Else it
    is a classifier that is trained once and kept in the cache folder: `other-cnn` on the data's test part
    (`ganbench.data.parts`) where that has 20 labelled images a class or more, so that generated images are read by one
    that has seen none of those that the generator learns from, or `own-cnn` on the data where they have as many. Else
    it is fixed random convolutions. `asked` may also be the name of one of these, a file of `ganbench classify train`,
    or `inception:PATH`. In a stacked set the network looks at each channel. The same data object gets the same features
    object, so that what they were computed on is remembered between rulers.

    Raises UsageError for anything else, for a network that does not see images of the data's shape, and for `other-cnn`
    of data without a labelled test part.
    """
    if data.name.startswith(STACKED) and not asked.startswith(INCEPTION):
        channel = _first_channel(data)
        return Stacked(features_for(channel, asked), len(channel.classes))
    if asked == "auto":
        return _shipped_for(data) or _trained_for(data) or RandomConv()
    if asked in SHIPPED:
        return _trained(asked, _shipped(asked), data)
    if asked == OWN:
        return _own(data)
    if asked == OTHER:
        return _other(data, test_part(data.source))
    if asked == RANDOM:
        return RandomConv()
    file = named_file(asked)
    if file is None:
        raise UsageError(_unknown(asked))
    return Inception(file) if asked.startswith(INCEPTION) else _trained(file.stem, read_classifier(file), data)


def _unknown(asked: str) -> str:
    names = ("auto", *SHIPPED, OWN, OTHER, RANDOM)
    near = get_close_matches(asked, names, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"there are no features {asked!r}: {', '.join(names)}, FILE.safetensors or {INCEPTION}PATH{hint}"


def _first_channel(data: ImageSet) -> ImageSet:
    """The red channel of a stacked set, with its labels: a set like the one that was stacked."""
    kinds = round(len(data.classes) ** (1 / 3))
    labels = None if data.labels is None else data.labels // kinds**2
    classes = tuple(map(str, range(kinds)))
    pixels, name, source = data.pixels[..., 0], data.name.removeprefix(STACKED), data.source.removeprefix(STACKED)
    return ImageSet(name, pixels, labels, classes if data.classes else (), source=source)


def _trained(name: str, classifier: Classifier, data: ImageSet) -> Trained:
    if classifier.shape != data.shape:
        (c, h, w), (channels, height, width) = classifier.shape, data.shape
        raise UsageError(
            f"{name} sees images of {w} x {h} pixels and {c} channel{'s' * (c > 1)}; those of {data.name} have "
            f"{width} x {height} and {channels}"
        )
    # A network that was asked for may read something else; most labels then come out wrong.
    if _read_share(classifier, data) > 0.5:
        return Trained(name, classifier, places_of(data.classes, classifier.classes))
    if data.labels is not None:
        print(
            f"{name} does not read the labels of {data.title}: what is read in images is not measured", file=sys.stderr
        )
    return Trained(name, classifier, None)


def _read_share(classifier: Classifier, data: ImageSet) -> float:
    """The share of the data's labels that a network reads; none where it lacks one of their classes."""
    places = places_of(data.classes, classifier.classes)
    if data.labels is None or (places < 0).any():
        return 0.0
    tried = np.random.default_rng(0).permutation(len(data))[:TRIED]
    return float(np.mean(classifier(data.pixels[tried]).labels == places[data.labels[tried]]))


@lru_cache(maxsize=len(SHIPPED))
def _shipped(name: str) -> Classifier:
    return read_classifier(WEIGHTS / f"{name}.safetensors")


def _shipped_for(data: ImageSet) -> Trained | None:
    """The shipped network that reads the data's own labels, the best where several do."""
    shares = {name: _read_share(_shipped(name), data) for name in SHIPPED if _shipped(name).shape == data.shape}
    fitting = [name for name, share in shares.items() if share >= (_shipped(name).accuracy or 1.0) - MARGIN]
    best = max(fitting, key=shares.__getitem__, default=None)
    return None if best is None else _trained(best, _shipped(best), data)


def _enough(data: ImageSet) -> bool:
    return data.labels is not None and len(data.classes) > 1 and len(data) >= ENOUGH * len(data.classes)


def _own(data: ImageSet) -> Trained:
    return _trained(OWN, _classifier_of(data), data)


def _trained_for(data: ImageSet) -> Trained | None:
    """A network of the data's own, where they have enough labels for one."""
    other = None
    with suppress(UsageError):  # a damaged test part is no hindrance to what does not ask for it
        other = test_part(data.source)
    if other is not None and _enough(other):
        return _other(data, other)
    if _enough(data):
        return _own(data)
    if data.labels is not None:
        print(
            f"{data.title}: fewer than {ENOUGH} labelled images a class are too few to train a classifier on; what is "
            "read in images is not measured (features=FILE.safetensors is one of yours)",
            file=sys.stderr,
        )
    return None


def _other(data: ImageSet, other: ImageSet | None) -> Trained:
    if other is None or not _enough(other):
        raise UsageError(f"{data.name}: {OTHER} learns from a labelled test part of the data, and here is none")
    return _trained(OTHER, _classifier_of(_like(data, other)), data)


def _like(data: ImageSet, other: ImageSet) -> ImageSet:
    """Another set in the size and colours in which the data were prepared."""
    (channels, height, _), resized = data.shape, data.shape[1:] != other.shape[1:]
    return as_asked(other, Images(height if resized else None, "grey" if channels == 1 else "rgb"))


def _classifier_of(data: ImageSet) -> Classifier:
    """A classifier of the data, from the cache folder or trained now; told of on stderr."""
    kept = cache_folder() / "features" / f"{data.fingerprint}.safetensors"
    with suppress(UsageError):  # not there, or of an earlier version
        return read_classifier(kept)
    train, test = held_out(data)
    began = time.monotonic()
    classifier = train_classifier(
        train, watch=telling(f"training a feature network on {data.title}, once: it is kept in {kept.parent}")
    ).tested(test)
    print(
        f"it reads {classifier.accuracy:.1%} of {len(test):,} images held out "
        f"({time.monotonic() - began:.0f} s of training)",
        file=sys.stderr,
    )
    with suppress(OSError):  # a cache that cannot be written costs only time
        save_classifier(classifier, kept)
    return classifier


def held_out(images: ImageSet, characters: int = 1) -> tuple[ImageSet, ImageSet]:
    """All but a random tenth, to train on, and that tenth, to test on; of a set that stays on the disk a part.

    Strings of so many `characters` in a row stay together.
    """
    order = np.random.default_rng(0).permutation(len(images) // characters)
    if stays_on_disk(images.pixels):
        order = order[: HELD // (characters * images.pixels[0].nbytes)]
    rows = order[:, None] * characters + np.arange(characters)
    tenth = max(1, len(order) // 10)
    return images.take(rows[tenth:].ravel()), images.take(rows[:tenth].ravel())


def telling(what: str) -> Callable[[float], None]:
    """A watcher that keeps one line of progress on stderr: live on a terminal, written once elsewhere."""
    live = sys.stderr.isatty()
    print(what, end="" if live else "\n", file=sys.stderr, flush=True)

    def watch(share: float) -> None:
        if live:
            print(f"\r{what} {share:4.0%}", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)

    return watch
