"""One picture as Pillow reads it, in any mode and of any size, made an image of a set; and many of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from ganbench.data.images import Images, ImageSet
from ganbench.data.stored import stays_on_disk
from ganbench.types import UsageError

MIXED_SIZE = 64
"""The side of images whose files are of several sizes, where none was asked for."""

_MOST_BYTES = 8 * 2**30  # beyond it a set would hardly fit in memory: photos whose size was forgotten
_NAMED = 3


class Picture(NamedTuple):
    """A picture that may turn out not to be readable when it is opened."""

    name: str
    open: Callable[[], Image.Image]


class Collection(NamedTuple):
    """Pixels of one size, the places of the pictures that could be read, and what is to be said of the others."""

    pixels: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]
    kept: list[int]
    notes: tuple[str, ...]


def plain(picture: Image.Image) -> Image.Image:
    """The picture upright in mode L or RGB: on white where it is transparent, scaled to 8 bits a pixel.

    Floats are taken to be in [0, 1] where none is above 1, else in [0, 255].
    """
    upright = ImageOps.exif_transpose(picture)
    if upright.has_transparency_data:
        coloured = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
    if upright.mode.startswith("I"):  # Pillow itself would cut off at 255
        return Image.fromarray((np.asarray(upright).clip(0, 65535) / 257).round().astype(np.uint8))
    if upright.mode == "F":
        values = np.nan_to_num(np.asarray(upright))
        scale = 255.0 if values.max() <= 1 else 1.0
        return Image.fromarray((values * scale).clip(0, 255).round().astype(np.uint8))
    return upright.convert("L" if upright.mode in ("1", "L") else "RGB")


def fitted(picture: Image.Image, size: int) -> Image.Image:
    """A square of `size` pixels from the middle: the shorter side scaled by Pillow's antialiased Lanczos filter."""
    side = min(picture.size)
    left, top = ((length - side) / 2 for length in picture.size)
    return picture.resize((size, size), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))


def as_asked(found: ImageSet, images: Images) -> ImageSet:
    """The set in the size and colours that were asked for."""
    pixels, size = found.pixels, images.size or found.pixels.shape[1]
    other = bool(images.size) and pixels.shape[1:3] != (size, size)
    if stays_on_disk(pixels) and (other or images.colour == ("grey" if pixels.ndim == 4 else "rgb")):
        raise UsageError(
            f"{found.name}: {len(pixels):,} images are too many for memory, so they are taken as they were prepared; "
            "prepare them again in the size and colours that you want"
        )
    if pixels.ndim == 4 and (images.colour == "grey" or (images.colour == "auto" and _all_grey(pixels))):
        pixels = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in pixels])
    if other:
        pixels = np.stack([np.asarray(fitted(Image.fromarray(image), size)) for image in pixels])
    if pixels.ndim == 3 and images.colour == "rgb":
        pixels = np.repeat(pixels[..., None], 3, axis=3)
    return found if pixels is found.pixels else replace(found, pixels=pixels)


def read_picture(opener: Callable[[], Image.Image], images: Images) -> Image.Image | None:
    """The picture in grey or RGB, or None where it cannot be read."""
    # Pillow warns of odd metadata, a line a file; and damaged bytes lead its parsers into errors of every kind.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with opener() as picture:
                return plain(picture).convert("L") if images.colour == "grey" else plain(picture)
        except Exception:
            return None


def collect(pictures: Iterable[Picture], count: int, images: Images, where: str) -> Collection:
    """All of `count` pictures in one size, read once each; those that cannot be read are left out and noted.

    Without `images.size` they stay as they are while all are of one size, else they become `MIXED_SIZE`.

    Raises UsageError, a sentence that begins with `where`: none can be read, or they would not fit in memory.
    """
    held: list[np.ndarray] = []
    kept, lost, size = [], [], images.size
    for place, (name, opener) in enumerate(pictures):
        if (picture := read_picture(opener, images)) is None:
            lost.append(name)
            continue
        if size is None and held and picture.size != held[0].shape[1::-1]:
            size = MIXED_SIZE
            held = [_array(fitted(Image.fromarray(image), size)) for image in held]
        if size is None and not held:
            _refuse_too_large(picture.size, count, where)
        held.append(_array(picture if size is None else fitted(picture, size)))
        kept.append(place)
    if not held:
        raise UsageError(f"{where}: none of its {count} image files can be read, such as {lost[0]}")
    notes = []
    if size != images.size:
        notes.append(f"{where}: images of several sizes, the middle square of each resized to {size} x {size}")
    if lost:
        more = ", ..." if len(lost) > _NAMED else ""
        notes.append(f"{where}: {len(lost)} of {count} image files cannot be read: {', '.join(lost[:_NAMED])}{more}")
    return Collection(_stack(held, images), kept, tuple(notes))


def _array(picture: Image.Image) -> np.ndarray:
    """In grey where it is so, until it is known what the others are."""
    pixels = np.asarray(picture)
    return pixels[..., 0] if pixels.ndim == 3 and _is_grey(pixels) else pixels


def _stack(held: list[np.ndarray], images: Images) -> np.ndarray:
    if images.colour == "rgb" or any(image.ndim == 3 for image in held):
        held = [image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2) for image in held]
    return np.stack(held)


def _is_grey(pixels: np.ndarray) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def _all_grey(pixels: np.ndarray) -> bool:
    # A prepared set is taken in the colours that it was prepared in, wherever it is held.
    return not isinstance(pixels, np.memmap) and all(map(_is_grey, pixels))


def _refuse_too_large(size: tuple[int, int], count: int, where: str) -> None:
    width, height = size
    if 3 * width * height * count > _MOST_BYTES:
        raise UsageError(
            f"{where}: {count} images of {width} x {height} take {3 * width * height * count / 2**30:.0f} GiB as they "
            f"are; ask for a size in pixels, such as {MIXED_SIZE}"
        )
