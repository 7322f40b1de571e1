"""The four IDX files in which MNIST and its relatives are published, compressed or not."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from ganbench.data.arrays import as_labels
from ganbench.data.downloads import class_names
from ganbench.data.images import ImageSet
from ganbench.types import UsageError

PARTS = {"train": "train", "test": "t10k"}
_BYTES = 8  # the code of uint8 in an IDX header


def is_idx_folder(folder: Path) -> bool:
    """Whether any of the four files is in it."""
    return has_idx_part(folder, "train") or has_idx_part(folder, "test")


def has_idx_part(folder: Path, part: Literal["train", "test"]) -> bool:
    """Whether either file of a part is in it; with one alone it cannot be read."""
    return any(_spellings(folder, PARTS[part], kind) for kind in ("images-idx3", "labels-idx1"))


def read_idx_folder(folder: Path, part: Literal["train", "test"] = "train") -> ImageSet:
    """The images and labels of one part: `train-images-idx3-ubyte` and the like, with a dot or a hyphen before idx.

    A file may end in .gz; where both are there, the plain one is read. Classes have names where the labels are those of
    a set in `DOWNLOADS` that has names for them.

    Raises UsageError: a file is missing, damaged or another one, or there are not as many labels as images.
    """
    pixels = read_idx(_find(folder, PARTS[part], "images-idx3"), dimensions=3)
    path = _find(folder, PARTS[part], "labels-idx1")
    stored = read_idx(path, dimensions=1)
    labels, classes = as_labels(stored, len(pixels), str(path))
    return ImageSet(str(folder), pixels, labels, class_names(stored.tobytes()) or classes)


def read_idx(path: Path, dimensions: int) -> UInt8[np.ndarray, "..."]:
    """The array of bytes in an IDX file, read-only.

    Raises UsageError where the file is damaged, or holds no array of bytes of so many dimensions.
    """
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0":
        raise UsageError(f"{path}: this is no IDX file")
    if content[2] != _BYTES:
        raise UsageError(f"{path}: an IDX file of values of type {content[2]:#04x}, where bytes (0x08) are needed")
    if content[3] != dimensions:
        wanted = "images (3 dimensions)" if dimensions == 3 else "labels (1 dimension)"
        raise UsageError(f"{path}: {content[3]} dimensions in the place of {wanted}; are two files swapped?")
    start = 4 + 4 * dimensions
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    if len(content) - start != np.prod(shape, dtype=object):
        size = " x ".join(map(str, shape))
        raise UsageError(f"{path}: {size} bytes are announced and {max(len(content) - start, 0)} are there")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _content(path: Path) -> bytes:
    try:
        if path.suffix.lower() != ".gz":
            return path.read_bytes()
        with gzip.open(path, "rb") as file:
            return file.read()
    except PermissionError:
        raise UsageError(f"{path}: there is no permission to read this file") from None
    except (OSError, EOFError, zlib.error):
        raise UsageError(f"{path}: this is no readable .gz file; it is damaged or cut short") from None


def _find(folder: Path, start: str, kind: str) -> Path:
    if found := _spellings(folder, start, kind):
        return found[0]
    raise UsageError(f"{folder} lacks {start}-{kind}-ubyte or {start}-{kind}-ubyte.gz of the four IDX files")


def _spellings(folder: Path, start: str, kind: str) -> list[Path]:
    names = (f"{start}-{kind}-ubyte", f"{start}-{kind}-ubyte".replace("-idx", ".idx"))
    return [path for end in ("", ".gz") for name in names if (path := folder / f"{name}{end}").is_file()]
