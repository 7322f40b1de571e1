"""Arrays as images: which of a file's arrays they are, and their values as pixels and labels."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from ganbench.data.files import describe, is_numeric, listing, read_arrays
from ganbench.data.points import MINIMUM_POINTS
from ganbench.types import UsageError

_LAYOUTS = "(images, height, width), (images, height, width, 1 or 3) or (images, 1 or 3, height, width)"
_ROUNDING = 1e-5  # a picture scaled in float32 may pass its bounds by that much


class Pictures(NamedTuple):
    """Images and their labels as they were stored."""

    array: np.ndarray
    labels: np.ndarray | None = None


class Labelling(NamedTuple):
    """int64 from 0, and the name of each number."""

    labels: Int[np.ndarray, "n"]
    classes: tuple[str, ...]


def read_pictures(path: Path, variable: str | None = None) -> Pictures | None:
    """The images in a .npy or .npz file, with the labels beside them; None where the file holds points.

    Images are the one array of three or four dimensions, or the one called `variable`. Labels are called `labels` or
    `y`, or as the images with y for x or labels for images (`x_train` and `y_train`).

    Raises UsageError where the file cannot be read, and where several arrays could be the data.
    """
    held = read_arrays(path)
    numeric = {name: value for name, value in held.items() if is_numeric(value)}
    images = {name: value for name, value in numeric.items() if value.ndim >= 3}
    name = variable if variable is not None else next(iter(images), None)
    if name is None or name not in images:
        return None
    labels = next((held[beside] for beside in _beside(name) if beside in held), None)
    if variable is None:
        points = {k: v for k, v in numeric.items() if v.ndim == 2 and len(v) >= MINIMUM_POINTS and v is not labels}
        if len(images) + len(points) > 1:
            raise UsageError(
                f"{path}: several arrays could be the data, {listing(images | points)}; "
                f"choose one after a colon, as in {path}:{name}"
            )
    return Pictures(images[name], labels)


def as_pixels(array: np.ndarray, where: str) -> UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]:
    """Images as uint8 with channels last: integers from 0 to 255 as they are, floats from [0, 1] or [-1, 1].

    Floats are taken to be within [-1, 1] where one is negative. Truth values are black and white.

    Raises UsageError, a sentence that begins with `where`, for other shapes and values.
    """
    if not is_numeric(array):
        raise UsageError(f"{where}: {describe(array)} where images are needed")
    return _in_bytes(_channels_last(array, where), where)


def as_labels(labels: np.ndarray, count: int, where: str, *, renumber: bool = True) -> Labelling:
    """One label an image: whole numbers or names, in the order of their sorted values; "2" comes before "10".

    Without `renumber` whole numbers from 0 stay what they are, though some may not occur: labels that were asked for.

    Raises UsageError, a sentence that begins with `where`, for other values, and where they are not `count`.
    """
    labels = labels.reshape(len(labels)) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.shape != (count,):
        shape = " x ".join(map(str, labels.shape))
        raise UsageError(f"{where}: labels of shape {shape or 'one number'} for {count} images; each needs one label")
    if labels.dtype.kind not in "biufUS":
        raise UsageError(f"{where}: labels of type {labels.dtype}, where whole numbers or names are needed")
    if labels.dtype.kind == "f":
        if not (np.isfinite(labels) & (labels == np.round(labels))).all():
            raise UsageError(f"{where}: labels that are no whole numbers")
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    values, numbers = np.unique(labels, return_inverse=True)
    if values.dtype.kind == "U" and all(value.isascii() and value.isdigit() for value in values):
        order = np.argsort([int(value) for value in values], kind="stable")
        values, numbers = values[order], np.argsort(order)[numbers]
    if renumber or labels.dtype.kind not in "iu" or values[0] < 0:
        return Labelling(numbers.astype(np.int64), tuple(map(str, values)))
    return Labelling(labels.astype(np.int64), tuple(map(str, range(int(values[-1]) + 1))))


def _beside(name: str) -> list[str]:
    others = ("labels", "y", name.replace("x", "y"), name.replace("images", "labels"))
    return [other for other in others if other != name]


def _channels_last(array: np.ndarray, where: str) -> np.ndarray:
    if array.size == 0:
        raise UsageError(f"{where}: the array is empty, with shape {array.shape}")
    if array.ndim == 3:
        if array.shape[2] in (1, 3, 4):
            raise UsageError(f"{where}: an array of shape {array.shape} is one image, where a set of them is needed")
        return array
    if array.ndim == 4 and array.shape[3] in (1, 3):
        return array[..., 0] if array.shape[3] == 1 else array
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return array[:, 0] if array.shape[1] == 1 else array.transpose(0, 2, 3, 1)
    raise UsageError(f"{where}: an array of shape {array.shape} where images are needed: {_LAYOUTS}")


def _in_bytes(array: np.ndarray, where: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array * np.uint8(255)
    low, high = array.min(), array.max()
    if array.dtype.kind in "iu":
        if low < 0 or high > 255:
            raise UsageError(f"{where}: whole numbers from {low} to {high}, where pixels from 0 to 255 are needed")
        return array.astype(np.uint8)
    if not np.isfinite(array).all():
        raise UsageError(f"{where}: {(~np.isfinite(array)).sum()} of {array.size} values are NaN or infinite")
    if low < -1 - _ROUNDING or high > 1 + _ROUNDING:
        hint = "; values from 0 to 255 belong in uint8" if low >= 0 and 1 < high <= 255 else ""
        raise UsageError(f"{where}: floats from {low:.4g} to {high:.4g}, where [0, 1] or [-1, 1] is needed{hint}")
    scaled = array * 255.0 if low >= -_ROUNDING else (array + 1.0) * 127.5
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)
