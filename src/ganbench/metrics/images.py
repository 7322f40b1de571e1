"""All metrics of generated images against one data set, beside what the data itself attains."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float, Int

from ganbench.data.images import STACKED, ImageSet
from ganbench.metrics import labels
from ganbench.metrics.embedding import Embedded, Features, Pixels
from ganbench.metrics.floor import AgainstItself
from ganbench.metrics.frechet import fid, fid_spread
from ganbench.metrics.kernel import kid
from ganbench.metrics.neighbours import DENSITY_K, nearest, neighbours
from ganbench.metrics.points import POINT_METRICS, Metric
from ganbench.metrics.transport import sliced_w
from ganbench.types import UsageError

STACKED_COUNT = 26_000
"""Images in which the modes of stacked sets are counted, by PacGAN's protocol (arXiv:1712.04086)."""

SPLITS = 4
"""Random halvings of the data over which the floor is a mean."""

KERNEL, NEIGHBOURS = 5_000, 2_000
"""Images on each side, at most, of KID, and of the metrics of neighbours and pixels: their times grow as squares."""

FEW = f"of {NEIGHBOURS:,} of each at most"
"""What is said of the metrics of neighbours."""

SUBSET = 1_000
"""Images on each side of a subset of KID, though not more than half of them all."""

PIXELS = 2**25
"""Numbers on each side, at most, of the distance of pixels: a quarter of a gigabyte."""

PIECE = 2_000
"""Images of a large set that are held at once while their features are found."""

WHOLE = 60_000
"""Data of up to so many images is embedded as a whole, and only then are there `nearest_train` and `copies`."""

CLOSE = 0.01
"""The share of the data's images that lie nearer to another of them than where a copy is suspected."""

IMAGE_METRICS: dict[str, Metric] = {
    "fid": Metric("Fréchet distance of features, biased upward by the number of images", "squared features", "lower"),
    "fid_spread": Metric("standard error of fid over draws of images, by the jackknife", "squared features", "lower"),
    "kid": Metric(
        f"unbiased squared kernel distance of features, mean over 100 subsets of {SUBSET:,}, or of half of the images; "
        f"of {KERNEL:,} of each at most",
        "none",
        "lower",
    ),
    "kid_spread": Metric("standard deviation of kid over its subsets", "none", "lower"),
    "precision": Metric(f"generated images among real ones, by the third neighbours; {FEW}", "share", "higher"),
    "recall": Metric(f"real images among generated ones, by the third neighbours; {FEW}", "share", "higher"),
    "density": Metric(
        f"real balls around a generated image, by the fifth neighbours; about 1 is right; {FEW}", "none", "higher"
    ),
    "coverage": Metric(f"real images with a generated one near, by the fifth neighbours; {FEW}", "share", "higher"),
    "nearest_train": Metric(
        f"median distance to the nearest training image; far below the floor, images are copies, or all alike; {FEW}",
        "features",
        "equal",
    ),
    "copies": Metric(
        f"images nearer to a training image than all but {CLOSE:.0%} of those are to any other; far above the floor, "
        f"some are learnt by heart; {FEW}",
        "share",
        "lower",
    ),
    "label_kl": Metric("KL(generated || real) of the classes that are read", "nats", "lower"),
    "modes": POINT_METRICS["modes"]._replace(
        meaning=f"{POINT_METRICS['modes'].meaning}; of images: classes that are read in a generated one"
    ),
    "label_entropy": Metric("entropy of the classes that are read, at most ln(classes)", "nats", "higher"),
    "readable": Metric(
        "images whose class is read with a probability of more than 0.9; noise may be, if all of one class",
        "share",
        "higher",
    ),
    "legible": Metric("readable images, those of each class up to its share of the data", "share", "higher"),
    "confidence": Metric("mean probability of the classes that are read", "share", "higher"),
    "label_accuracy": Metric("images in which the class is read that was asked for", "share", "higher"),
    "sliced_w": POINT_METRICS["sliced_w"],
}
"""Every metric of images by name, in the order in which they are shown."""


@dataclass(frozen=True, eq=False)
class ImageRuler(AgainstItself):
    """Measures generated images against a data set, always the same images of it, over the features that it names.

    The first `count` generated images stand against a fixed random `count` of the real ones; `count` is lowered to
    half the data where that is less. KID takes at most 5,000 a side, the metrics of neighbours 2,000. Classes are read
    where the features come from a classifier of the data's own classes; in stacked sets in the first `mode_count`
    images. Where no classes are known to the features, `sliced_w` looks at the pixels themselves.

    >>> from ganbench.metrics.random_conv import RandomConv
    >>> grey = ImageSet("grey", np.random.default_rng(0).integers(0, 256, (64, 8, 8), dtype=np.uint8))
    >>> ruler = ImageRuler(grey, 100, RandomConv())
    >>> ruler.draws, ruler.measure(ruler.reference)["fid"] < 1e-6
    (32, True)
    """

    data: ImageSet
    count: int
    features: Features
    seed: int = 0
    mode_count: int = STACKED_COUNT

    def __post_init__(self) -> None:
        count = min(self.count, len(self.data) // 2)
        if count <= DENSITY_K or self.mode_count < 1:
            raise UsageError(f"{self.data.name}: metrics need more than {DENSITY_K} images on each side")
        object.__setattr__(self, "count", count)

    @property
    def draws(self) -> int:
        """How many generated images `measure` asks for."""
        return max(self.count, self.mode_count) if self._stacked else self.count

    @property
    def reference(self) -> Pixels:
        """The real images that generated ones are held against."""
        return self._pixels(self._halving(0)[0][: self.count])

    def measure(self, generated: Pixels, asked: Int[np.ndarray, "draws"] | None = None) -> dict[str, float]:
        """The metrics of generated images, by the names of `IMAGE_METRICS`; images beyond `draws` are ignored.

        `asked` are the labels that a conditional generator was given, for `label_accuracy`.

        Raises UsageError if there are fewer images than `draws` or they are not uint8 of the data's shape.
        """
        shape = self.data.pixels.shape[1:]
        if generated.shape[1:] != shape or generated.dtype != np.uint8 or len(generated) < self.draws:
            raise UsageError(
                f"{self.data.name}: metrics need {self.draws} generated images of shape {shape}, uint8; "
                f"here the shape is {generated.shape}, {generated.dtype}"
            )
        seen = self.features(generated[: self.draws])
        figures = self._distances(self._halving(0)[0][: self.count], seen.features[: self.count])
        if self._whole:
            apart = nearest(seen.features[: self.count][:NEIGHBOURS], self._known.features).distances[:, 0]
            figures |= self._copied(apart)
        figures |= self._classes(seen, None if asked is None else asked[: self.draws])
        if "modes" not in figures:
            figures["sliced_w"] = _pixel_distance(self.reference, generated[: self.count])
        return figures

    def nearest(self, generated: Pixels, count: int) -> tuple[Pixels, Float[np.ndarray, "n count"]]:
        """Of each generated image the nearest training images over the features, (n, count, ...), and how far off.

        Of more than 60,000 training images, and of slow features, only those are looked at whose features are known.
        """
        found = nearest(self.features(generated).features, self._known.features, count)
        return self._pixels(found.places), found.distances

    def _halvings(self) -> list[dict[str, float]]:
        """An image that stands for a generated one is no neighbour of its own: `nearest_train` is to all the others.

        `label_accuracy` is that of the classifier itself.
        """
        return [self._split(*self._halving(split)) for split in range(SPLITS)]

    def _split(self, one: Int[np.ndarray, "half"], other: Int[np.ndarray, "half"]) -> dict[str, float]:
        """The metrics of the images of one half as if the other's had been generated."""
        known, labels = self._known, self.data.labels
        held_out = other[: self.count]
        figures = self._distances(one[: self.count], known.features[held_out])
        if self._whole:
            figures |= self._copied(self._apart(held_out))
        drawn = np.concatenate([other, one])[: self.draws]
        figures |= self._classes(_taken(known, drawn), None if labels is None else labels[self._places[drawn]])
        if "modes" not in figures:
            figures["sliced_w"] = _pixel_distance(self._pixels(one[: self.count]), self._pixels(held_out))
        return figures

    def _distances(self, rows: Int[np.ndarray, "count"], generated: Float[np.ndarray, "count f"]) -> dict[str, float]:
        """What compares the features of the known images in these rows with generated ones."""
        real = self._known.features[rows]
        kernel = kid(real[:KERNEL], generated[:KERNEL], size=max(min(SUBSET, len(real) // 2), 2))
        return {
            "fid": fid(real, generated),
            "fid_spread": fid_spread(real, generated),
            "kid": kernel.mean,
            "kid_spread": kernel.spread,
            **neighbours(real[:NEIGHBOURS], generated[:NEIGHBOURS])._asdict(),
        }

    def _apart(self, rows: Int[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
        """How far each of the known images in these rows is from the nearest other one."""
        known = self._known.features
        return nearest(known[rows[:NEIGHBOURS]], known, 2).distances[:, 1]

    @cached_property
    def _close(self) -> float:
        return float(np.quantile(self._apart(self._halving(0)[0]), CLOSE))

    def _copied(self, apart: Float[np.ndarray, "n"]) -> dict[str, float]:
        """What distances to the nearest training image say."""
        return {"nearest_train": float(np.median(apart)), "copies": float(np.mean(apart <= self._close))}

    def _classes(self, seen: Embedded, asked: Int[np.ndarray, "n"] | None) -> dict[str, float]:
        """What the classes that are read say; nothing where the features or the data have none."""
        if seen.labels is None or seen.confidence is None or self.data.labels is None:
            return {}
        classes = len(self.data.classes)
        figures = {
            "label_kl": labels.label_kl(seen.labels, self.data.labels, classes),
            "modes": labels.covered(seen.labels[seen.labels < classes]),
            "label_entropy": labels.label_entropy(seen.labels, classes),
            "readable": labels.readable(seen.confidence),
            "legible": labels.legible(seen.labels, seen.confidence, self.data.labels, classes),
            "confidence": float(seen.confidence.mean()),
        }
        return figures if asked is None else figures | {"label_accuracy": labels.accuracy(seen.labels, asked)}

    @property
    def _stacked(self) -> bool:
        return self.data.name.startswith(STACKED)

    @property
    def _whole(self) -> bool:
        return len(self.data) <= WHOLE and not self.features.slow

    @cached_property
    def _places(self) -> Int[np.ndarray, "known"]:
        """The images whose features are known: all, or as many as the floor needs."""
        if self._whole:
            return np.arange(len(self.data))
        order = np.random.default_rng(self.seed).permutation(len(self.data))
        return order[: max(SPLITS * self.count, self.draws)]

    def _pixels(self, known: Int[np.ndarray, "*n"]) -> Pixels:
        """Images by their places among the known ones; a large set's are read from its map."""
        return self.data.pixels[self._places[known]]

    @cached_property
    def _known(self) -> Embedded:
        if self._whole:
            return _embedded(self.features, self.data)
        known = np.arange(len(self._places))
        if self.features.slow:
            print(f"{self.features.name} looks at {len(known):,} images of {self.data.title}", file=sys.stderr)
        pieces = [known[start : start + PIECE] for start in range(0, len(known), PIECE)]
        return _joined([self.features(self._pixels(piece)) for piece in pieces])

    def _halving(self, split: int) -> tuple[Int[np.ndarray, "half"], Int[np.ndarray, "half"]]:
        """Two disjoint random halves of the known images, as places among them."""
        order = np.random.default_rng(self.seed + split).permutation(len(self._places))
        half = len(order) // 2
        return order[:half], order[half : 2 * half]


@lru_cache(maxsize=2)
def _embedded(features: Features, images: ImageSet) -> Embedded:
    """Remembered, because rulers of several counts look at the same data."""
    return features(images.pixels)


def _joined(parts: Sequence[Embedded]) -> Embedded:
    return Embedded(*(None if part[0] is None else np.concatenate(part) for part in zip(*parts, strict=True)))  # type: ignore[arg-type]


def _taken(embedded: Embedded, rows: Int[np.ndarray, "n"]) -> Embedded:
    return Embedded(*(None if part is None else part[rows] for part in embedded))  # type: ignore[arg-type]


def _pixel_distance(real: Pixels, generated: Pixels) -> float:
    count = min(len(real), NEIGHBOURS, max(PIXELS // real[0].size, 1))
    one, other = (x[:count].reshape(count, -1).astype(np.float64) for x in (real, generated))
    return sliced_w(one, other)
