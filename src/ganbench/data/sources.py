"""What DATA stands for: a name, a path, an array or a tensor becomes a PointSet or an ImageSet."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float

from ganbench.data.arrays import as_labels, as_pixels, read_pictures
from ganbench.data.digits import digits
from ganbench.data.downloads import DOWNLOADS, fetch
from ganbench.data.drawn_captchas import captchas
from ganbench.data.files import READERS, describe, is_numeric, read_file
from ganbench.data.folders import SUFFIXES, read_images
from ganbench.data.hub import HUB, read_hub
from ganbench.data.idx import is_idx_folder, read_idx_folder
from ganbench.data.images import MINIMUM_IMAGES, STACKED, Images, ImageSet
from ganbench.data.pictures import as_asked
from ganbench.data.points import BUILT_IN, MINIMUM_POINTS, PointSet
from ganbench.data.prepared import is_prepared, read_prepared
from ganbench.data.shards import SHARDS, read_shards
from ganbench.data.stacked import stacked
from ganbench.types import UsageError

Source: TypeAlias = str | Path | np.ndarray | torch.Tensor | PointSet | ImageSet

IMAGE_NAMES: dict[str, str] = {
    "digits": "10,000 digits drawn from fonts, 28 x 28 grey, ten classes",
    "captcha": "10,000 characters cut from captchas drawn from fonts, 20 x 20 grey, 32 classes",
    **{name: download.description for name, download in DOWNLOADS.items()},
}
"""The sets of images that have a name, with a one-line description."""

_POINTS = f"{', '.join(BUILT_IN)}, or a file {', '.join(READERS)}"
_LARGEST = 1e100  # beyond it squared distances begin to leave float64


def load(source: Source, images: Images = Images(), *, to_learn: bool = True) -> PointSet | ImageSet:  # noqa: B008
    """What DATA of the command line, or an array or tensor, stands for; `images` says how images are prepared.

    Images are `digits`, `captcha`, `mnist`, `fashion-mnist`, `stacked:DATA`, `hub:NAME`, `shards:ADDRESS`, a folder of
    images, with IDX files or prepared (of which it is the train part), a zip file of images, and arrays of three or
    four dimensions, also in .npy and .npz files; all else is points.

    Raises UsageError where nothing is found, and where it is no set of at least 16 images or points; nor, where it is
    `to_learn`, of some that differ. Labels of samples to be measured keep their numbers though some may not occur.
    WorkError where a download fails.

    >>> load("digits").shape
    (1, 28, 28)
    """
    if isinstance(source, ImageSet):
        found: ImageSet | None = source
    elif isinstance(source, str | Path):
        found = _named(str(source), images, to_learn)
    elif isinstance(source, PointSet):
        found = None
    else:
        array = _array(source)
        found = ImageSet("array", as_pixels(array, "the array")) if array.ndim > 2 else None
    if found is None:
        return load_points(source, to_learn=to_learn)
    _require_images(found, to_learn)
    prepared = found if found.stream is not None else as_asked(found, images)
    return replace(prepared, source=str(source)) if isinstance(source, str | Path) else prepared


def full_name(data: str | Path) -> str:
    """The name that stands for the same data in every folder: paths are made absolute.

    >>> full_name("stacked:mnist")
    'stacked:mnist'
    """
    name = str(data)
    if name.startswith(STACKED):
        return STACKED + full_name(name.removeprefix(STACKED))
    return name if _is_name(name) else str(Path(name).absolute())


def path_of(data: str) -> Path | None:
    """The folder or file that DATA stands for, of a download that in the cache; None of what is drawn or streamed.

    Raises WorkError where a download fails.

    >>> str(path_of("some/folder")), path_of("captcha")
    ('some/folder', None)
    """
    if data in DOWNLOADS:
        return fetch(data)
    return None if _is_name(data) or data.startswith(STACKED) else Path(data)


def _is_name(data: str) -> bool:
    """Whether it is the name of a set, which stands for no file even where one is called so."""
    return data in BUILT_IN or data in IMAGE_NAMES or data.startswith((HUB, SHARDS))


def load_points(data: Source, *, to_learn: bool = True) -> PointSet:
    """The point set that a built-in name, a path, an array or a tensor stands for.

    A path may name a variable of a .mat or .npz file after a colon (`points.mat:xx`); without one,
    `ganbench.data.files.read_file` says which it is. Rows are points; a 1-D array of n numbers is n points of
    one coordinate.

    Raises UsageError where nothing is found, and where it is no set of at least 16 finite points; nor, where it is
    `to_learn`, of points that differ. Samples to be measured may all be the same.

    >>> load_points("moons").points.shape
    (8192, 2)
    >>> load_points(np.linspace(0, 1, 100)).points.shape
    (100, 1)
    """
    if isinstance(data, PointSet):
        return replace(data, points=as_points(data.points, data.name, to_learn))
    if isinstance(data, str | Path):
        return _by_name(str(data), to_learn)
    if isinstance(data, ImageSet):
        raise UsageError(f"{data.name} is a set of images, where points are needed: {_POINTS}")
    return PointSet("array", as_points(_array(data), "the array", to_learn))


def _array(data: object) -> np.ndarray:
    if isinstance(data, torch.Tensor):
        # float64 holds every floating type, and NumPy has no bfloat16.
        tensor = data.detach().cpu()
        return (tensor.double() if tensor.is_floating_point() else tensor).numpy()
    if hasattr(data, "__array__"):
        return np.asarray(data)
    raise UsageError(f"data is a name, a path, an array or a tensor, but this is a {type(data).__name__}")


def as_points(array: np.ndarray, where: str, to_learn: bool = True) -> Float[np.ndarray, "n d"]:
    """The array as float64 with a point in each row, if a generator can be trained on it and measured.

    Raises UsageError, a sentence that begins with `where`, if not.
    """
    if not is_numeric(array):
        raise UsageError(f"{where}: {describe(array)} where real numbers are needed")
    if array.ndim not in (1, 2):
        raise UsageError(f"{where}: an array of shape {array.shape} where (points, coordinates) is needed")
    if array.size == 0:
        raise UsageError(f"{where}: the array is empty, with shape {array.shape}")
    points = array.reshape(len(array), -1).astype(np.float64)
    count, dimension = points.shape
    if count < MINIMUM_POINTS:
        hint = "; each row is a point, so transpose it if the columns are" if dimension >= MINIMUM_POINTS else ""
        raise UsageError(
            f"{where}: {count} points of {dimension} coordinates are too few to train and measure, "
            f"at least {MINIMUM_POINTS} are needed{hint}"
        )
    if (finite := np.isfinite(points)).all():
        _refuse_extremes(points, where)
        if to_learn and (points == points[0]).all():
            raise UsageError(f"{where}: all {count} points are the same, so there is nothing to learn")
        return points
    first = int(finite.all(axis=1).argmin()) + 1
    raise UsageError(
        f"{where}: {(~finite).sum()} of {points.size} numbers are NaN or infinite, the first in row {first} "
        "(counting from 1, without a header)"
    )


def _refuse_extremes(points: Float[np.ndarray, "n d"], where: str) -> None:
    if (largest := np.abs(points).max()) > _LARGEST:
        raise UsageError(f"{where}: it has numbers as large as {largest:.0e}, at most {_LARGEST:.0e} is allowed")


def _named(name: str, images: Images, to_learn: bool) -> ImageSet | None:
    """The images that a name or path stands for, or None where it stands for points, or for nothing."""
    if not name.strip() or name in BUILT_IN:
        return None  # and not a folder of that name; one of no characters would be the folder at hand
    if name == "digits":
        return digits()
    if name == "captcha":
        return captchas()
    if name in DOWNLOADS:
        found = read_idx_folder(fetch(name))
        return replace(found, name=name, classes=DOWNLOADS[name].classes or found.classes)
    if name.startswith(HUB):
        return read_hub(name.removeprefix(HUB), images)
    if name.startswith(SHARDS):
        return read_shards(name, images)
    if name.startswith(STACKED):
        base = load(name.removeprefix(STACKED), replace(images, colour="auto"))
        if isinstance(base, PointSet):
            raise UsageError(f"{name}: {base.name} is a set of points, and grey images with labels can be stacked")
        return stacked(base)
    path, variable = _split(name)
    if os.path.isdir(path):
        if is_prepared(path):
            return read_prepared(path)
        return read_idx_folder(path) if is_idx_folder(path) else read_images(path, images)
    if os.path.isfile(path) and path.suffix.lower() == ".zip":
        return read_images(path, images)
    return _in_array_file(path, variable, name, to_learn)


def _in_array_file(path: Path, variable: str | None, name: str, to_learn: bool) -> ImageSet | None:
    held = path.suffix.lower() in (".npy", ".npz") and os.path.isfile(path)
    if not held or (variable is not None and path.suffix.lower() == ".npy"):
        return None
    pictures = read_pictures(path, variable)
    if pictures is None:
        return None
    pixels = as_pixels(pictures.array, name)
    if pictures.labels is None:
        return ImageSet(name, pixels)
    return ImageSet(name, pixels, *as_labels(pictures.labels, len(pixels), name, renumber=to_learn))


def _require_images(found: ImageSet, to_learn: bool) -> None:
    if len(found) < MINIMUM_IMAGES:
        raise UsageError(
            f"{found.name}: too few images to train and measure, {len(found)} where {MINIMUM_IMAGES} are needed"
        )
    if to_learn and all(np.array_equal(found.pixels[0], other) for other in found.pixels):
        raise UsageError(f"{found.name}: all {len(found)} images are the same, so there is nothing to learn")


def _by_name(name: str, to_learn: bool) -> PointSet:
    if name in BUILT_IN:
        _, draw = BUILT_IN[name]
        return draw()
    if not name.strip():
        raise UsageError(f"the name of the data is empty; points are {_POINTS}; images {', '.join(IMAGE_NAMES)}")
    if name in IMAGE_NAMES or name.startswith((STACKED, HUB, SHARDS)):
        raise UsageError(f"{name} is a set of images, where points are needed: {_POINTS}")
    path, variable = _split(name)
    _require_point_file(path)
    array, columns = read_file(path, variable)
    return PointSet(name, as_points(array, name, to_learn), columns=columns)


def _split(name: str) -> tuple[Path, str | None]:
    """The path and the variable after its last colon, if that colon is not the path's own."""
    path, _, variable = name.rpartition(":")
    if os.path.exists(name) or Path(path).suffix.lower() not in READERS:
        return Path(name), None
    if not variable:
        raise UsageError(f"{name}: after the colon the name of a variable is needed, as in points.mat:xx")
    return Path(path), variable


def _require_point_file(path: Path) -> None:
    # os.path, not Path: for a name too long to be a file's it answers False, and Path raises.
    if os.path.isdir(path):
        inside = ", ".join(_point_files(path)[:3])
        raise UsageError(
            f"{path} is a folder{inside and f', which holds {inside}'}, where points are needed: {_POINTS}"
        )
    if not os.path.exists(path):
        raise UsageError(_missing(path))
    if path.suffix.lower() in SUFFIXES or "idx" in path.name:
        raise UsageError(f"{path} is a single file of images; give the folder that holds it and the others")
    if path.suffix.lower() not in READERS:
        raise UsageError(
            f"{path}: the suffix {path.suffix!r} is none of {', '.join(READERS)}, .zip; points are {_POINTS}"
        )
    if not os.path.isfile(path):
        raise UsageError(f"{path} is no regular file")


def _missing(path: Path) -> str:
    if not os.path.isdir(path.parent):
        return f"{path}: there is no folder {path.parent}"
    beside = [entry.name for entry in _listed(path.parent) if entry.suffix.lower() in READERS or entry.is_dir()]
    spellings = {name.lower(): name for name in (*BUILT_IN, *IMAGE_NAMES, *beside)}
    near = difflib.get_close_matches(path.name.lower(), spellings, n=1)
    hint = f"; did you mean {spellings[near[0]]!r}?" if near else ""
    return f"{str(path)!r} is no file or folder and no built-in set ({', '.join((*BUILT_IN, *IMAGE_NAMES))}){hint}"


def _point_files(folder: Path) -> list[str]:
    return [entry.name for entry in _listed(folder) if entry.suffix.lower() in READERS]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []  # a folder that may not be listed gives no hints
