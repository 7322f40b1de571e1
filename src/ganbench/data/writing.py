"""Points and images written to files."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image

from ganbench.types import UsageError, WorkError

Pixels: TypeAlias = UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]

_GAP = 1  # black pixels between the images of a sheet


def write_points(points: Float[np.ndarray, "n d"], path: Path, columns: tuple[str, ...] = ()) -> None:
    """Writes points by the path's suffix: .npy, .npz (as `samples`) or .csv (with a header where there are names).

    Raises:
        WorkError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[path.suffix](points, path, columns)
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror}") from None


def _npy(points: np.ndarray, path: Path, columns: tuple[str, ...]) -> None:
    np.save(path, points)


def _npz(points: np.ndarray, path: Path, columns: tuple[str, ...]) -> None:
    np.savez(path, samples=points)


def _csv(points: np.ndarray, path: Path, columns: tuple[str, ...]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if columns:
            writer.writerow(columns)
        writer.writerows(points.tolist())


WRITERS: dict[str, Callable[[np.ndarray, Path, tuple[str, ...]], None]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".csv": _csv,
}


def write_images(
    pixels: Pixels, path: Path, labels: Int[np.ndarray, "n"] | None = None, classes: Sequence[str] = ()
) -> None:
    """Writes images by the path's suffix, with their labels where they are given: by name, where `classes` are.

    .npy: the pixels as they are; .npz: as `samples`, and `labels`; without a suffix: a folder of numbered PNGs, in a
    subfolder a label, which `ganbench.data.load` reads again.

    Raises:
        UsageError: another suffix, or the folder is not empty.
        WorkError: the file cannot be written.
    """
    if path.suffix not in IMAGE_WRITERS:
        allowed = ", ".join(filter(None, IMAGE_WRITERS))
        raise UsageError(f"{path}: images are written to {allowed} or, without a suffix, a folder of PNGs")
    if path.suffix == "":
        require_new(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        IMAGE_WRITERS[path.suffix](pixels, path, labels, classes)
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror}") from None


def write_named(pixels: Pixels, folder: Path, names: Sequence[str]) -> None:
    """Writes images to a folder as PNGs of these names.

    Raises:
        UsageError: the folder is not empty.
        WorkError: it cannot be written.
    """
    require_new(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for image, name in zip(pixels, names, strict=True):
            Image.fromarray(image).save(folder / f"{_as_folder(name)}.png")
    except OSError as error:
        raise WorkError(f"{folder} cannot be written: {error.strerror}") from None


def require_new(folder: Path) -> None:
    """Raises UsageError where it is a file, or a folder with something in it."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} {'is not empty' if folder.is_dir() else 'is a file'}; name a new folder")


def _images_npy(pixels: np.ndarray, path: Path, labels: np.ndarray | None, classes: Sequence[str]) -> None:
    np.save(path, pixels)


def _images_npz(pixels: np.ndarray, path: Path, labels: np.ndarray | None, classes: Sequence[str]) -> None:
    if labels is None:
        np.savez_compressed(path, samples=pixels)
    else:
        np.savez_compressed(path, samples=pixels, labels=labels)


def _images_folder(pixels: np.ndarray, path: Path, labels: np.ndarray | None, classes: Sequence[str]) -> None:
    digits = len(str(len(pixels) - 1))
    folders = [path] * len(pixels)
    if labels is not None:
        width = len(str(labels.max()))  # so that the order of names is that of numbers
        folders = [path / (_as_folder(classes[label]) if len(classes) else f"{label:0{width}}") for label in labels]
    for folder in set(folders):
        folder.mkdir(parents=True, exist_ok=True)
    for number, (image, folder) in enumerate(zip(pixels, folders, strict=True)):
        Image.fromarray(image).save(folder / f"{number:0{digits}}.png")


def _as_folder(name: str) -> str:
    """A class's name without what would lead to another folder, or hide what is called so."""
    return re.sub(r"^\.+|[/\\\0]", "_", name)


IMAGE_WRITERS: dict[str, Callable[[np.ndarray, Path, np.ndarray | None, Sequence[str]], None]] = {
    ".npy": _images_npy,
    ".npz": _images_npz,
    "": _images_folder,
}
