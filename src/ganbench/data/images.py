"""Image sets: what they are, and how images pass to the networks and back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from pydantic import Field
from torch import Tensor

from ganbench.data.stored import Stored, stays_on_disk
from ganbench.settings import settings
from ganbench.types import Medium, UsageError

if TYPE_CHECKING:
    from ganbench.data.shards import Streamed

MINIMUM_IMAGES = 16
"""A set is halved for its noise floor and divided into batches; with fewer images neither says anything."""


class Known(NamedTuple):
    """A fingerprint, and the very arrays that it is of."""

    fingerprint: str
    pixels: np.ndarray
    labels: np.ndarray | None


class Annotations(NamedTuple):
    """Which of several attributes, such as CelebA's, each image has, as people wrote it down."""

    names: tuple[str, ...]
    present: Bool[np.ndarray, "n a"]


STACKED = "stacked:"
"""Before the name of a set of grey images: three of them as the channels of one (`ganbench.data.stacked`)."""


@settings
class Images:
    """How images are prepared.

    `size`: the side of the square, in pixels, to which the middle square of each is resized; None leaves them as they
    are, and makes files of several sizes 64. `colour`: `grey` or `rgb` for all; `auto` is grey where every image is.
    """

    size: Annotated[int, Field(ge=1, le=4096)] | None = None
    colour: Literal["auto", "grey", "rgb"] = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """n images of one size, held as read-only uint8, 0 black to 255 white, with their labels where they have any.

    `name` is what the user called the set, `labels` are int64 from 0 to len(classes) - 1, `classes` their names (of
    labels without names, the numbers) and () without labels, `notes` what the user should hear of the reading. `source`
    is what `ganbench.data.load` was given, where that was a name or path: it tells which test images belong to it.
    Of a set that is streamed the pixels are a sample, and `stream` gives all of them; of a prepared one the fingerprint
    is `known`. `annotations` are for exploring alone and no part of the fingerprint.
    `ganbench.data.load` makes one from a name, a path or an array, and refuses what cannot be trained on.

    >>> squares = ImageSet("squares", np.full((3, 8, 6, 3), 255, dtype=np.uint8), np.array([0, 1, 1]))
    >>> len(squares), squares.shape, squares.classes
    (3, (3, 8, 6), ('0', '1'))
    """

    name: str
    pixels: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]
    labels: Int[np.ndarray, "n"] | None = None
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""
    stream: Streamed | None = None
    known: Known | None = None
    annotations: Annotations | None = None

    def __post_init__(self) -> None:
        pixels = self.pixels
        if pixels.dtype != np.uint8 or not (pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[3] == 3)):
            raise UsageError(
                f"{self.name}: an ImageSet has pixels of type uint8 and shape (n, h, w) or (n, h, w, 3), not "
                f"{pixels.dtype} and {pixels.shape}; other arrays are read by ganbench.load_data"
            )
        object.__setattr__(self, "pixels", _kept(pixels, np.dtype(np.uint8)))
        if self.labels is not None:
            self._check_labels(self.labels)
            labels = _kept(self.labels, np.dtype(np.int64))
            object.__setattr__(self, "labels", labels)
            if not self.classes:
                object.__setattr__(self, "classes", tuple(map(str, range(int(labels.max()) + 1))))

    def _check_labels(self, labels: np.ndarray) -> None:
        if labels.shape != (len(self.pixels),) or labels.dtype.kind not in "iu":
            raise UsageError(
                f"{self.name}: {len(self.pixels)} images have as many labels, which are whole numbers; these are of "
                f"shape {labels.shape} and type {labels.dtype}"
            )
        if labels.size and not 0 <= labels.min() <= labels.max() < (len(self.classes) or np.inf):
            raise UsageError(f"{self.name}: labels go from 0 to the number of classes less 1; these reach beyond")

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def medium(self) -> Medium:
        """What recipes are asked for: images, or colour images. The channels of a stacked set are no colours."""
        return "colour images" if self.pixels.ndim == 4 and not self.name.startswith(STACKED) else "images"

    @property
    def title(self) -> str:
        """The name without folders, for pictures and lines of progress."""
        return (STACKED if self.name.startswith(STACKED) else "") + Path(self.name.removeprefix(STACKED)).name

    @property
    def told(self) -> tuple[str, ...]:
        """What was trained on and what was noted when it was read, in sentences."""
        channels, height, width = self.shape
        images = f"{len(self):,} {'grey' if channels == 1 else 'colour'} images of {width} x {height}"
        classes = f", {len(self.classes):,} classes" if self.classes else ""
        streamed = ", a sample of what is streamed" if self.stream is not None else ""
        return (f"The data: {images}{classes}{streamed}.", *(f"{note}." for note in self.notes))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width), as the networks see one image."""
        height, width = self.pixels.shape[1:3]
        return (3 if self.pixels.ndim == 4 else 1, height, width)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the shape, the pixels and the labels in order: equal exactly for equal sets.

        Of a prepared set it is known, so that not all of it needs to be read; of a streamed one the shards tell it.
        """
        if self.stream is not None:
            return self.stream.fingerprint
        if self.known and self.known.pixels is self.pixels and self.known.labels is self.labels:
            return self.known.fingerprint
        content = hashlib.sha256(f"{self.pixels.shape}".encode())
        content.update(self.pixels.data)
        if self.labels is not None:
            content.update(self.labels.astype("<i8", copy=False).data)
        return content.hexdigest()

    def take(self, indices: Int[np.ndarray, "m"] | slice) -> ImageSet:
        """The images at these places, in this order, with their labels: a set of the same name and classes."""
        labels = None if self.labels is None else self.labels[indices]
        noted = self.annotations and self.annotations._replace(present=self.annotations.present[indices])
        return replace(self, pixels=self.pixels[indices], labels=labels, stream=None, annotations=noted)

    def halves(self, seed: int = 0) -> tuple[ImageSet, ImageSet]:
        """Two disjoint random halves of n // 2 images each; of an odd number one image is left out."""
        order = np.random.default_rng(seed).permutation(len(self))
        half = len(self) // 2
        return self.take(order[:half]), self.take(order[half : 2 * half])

    def restored(self, x: Float[Tensor, "n c h w"]) -> np.ndarray:
        """Generated images as pixels: see `to_pixels`."""
        return to_pixels(x)

    def things(self) -> UInt8[Tensor, "n c h w"] | Stored | Streamed:
        """The images with channels first, in memory, on the disk or streamed; the networks see `things / 127.5 - 1`."""
        if self.stream is not None:
            return self.stream
        if stays_on_disk(self.pixels):
            assert isinstance(self.pixels, np.memmap)
            return Stored(self.pixels)
        first = self.pixels[:, None] if self.pixels.ndim == 3 else self.pixels.transpose(0, 3, 1, 2)
        return torch.from_numpy(first.copy(order="C"))


def to_pixels(x: Float[Tensor, "n c h w"]) -> UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]:
    """From the networks' [-1, 1] back to pixels, `127.5 (x + 1)` rounded and clamped; what is no number is grey.

    >>> to_pixels(torch.tensor([-1.0, 0.0, 2.0]).reshape(1, 1, 1, 3)).tolist()
    [[[0, 128, 255]]]
    """
    numbers = torch.nan_to_num(x.detach().float(), nan=0.0)
    pixels = ((numbers + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    return np.ascontiguousarray(pixels[:, 0] if pixels.shape[1] == 1 else pixels.transpose(0, 2, 3, 1))


def _kept(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """A read-only array that no one else can write to; large sets are copied only where one could."""
    if array.dtype == dtype and array.flags.c_contiguous and not array.flags.writeable:
        return array
    copy = np.array(array, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy
