"""Where points come from: a built-in name, a path, an array or a tensor becomes a PointSet."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from ganbench.data.files import READERS, describe, is_numeric, read_file
from ganbench.data.points import BUILT_IN, MINIMUM_POINTS, PointSet
from ganbench.types import UsageError

_SUPPORTED = f"points are what is supported so far: {', '.join(BUILT_IN)}, or a file {', '.join(READERS)}"
_IMAGE_SETS = ("digits", "captcha", "mnist", "fashion-mnist")
_LARGEST = 1e100  # beyond it squared distances begin to leave float64


def load_points(data: str | Path | np.ndarray | torch.Tensor | PointSet, *, to_learn: bool = True) -> PointSet:
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
    if isinstance(data, torch.Tensor):
        # float64 holds every floating type, and NumPy has no bfloat16.
        tensor = data.detach().cpu()
        data = (tensor.double() if tensor.is_floating_point() else tensor).numpy()
    if hasattr(data, "__array__"):
        return PointSet("array", as_points(np.asarray(data), "the array", to_learn))
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


def _by_name(name: str, to_learn: bool) -> PointSet:
    if name in BUILT_IN:
        _, draw = BUILT_IN[name]
        return draw()
    if not name.strip():
        raise UsageError(f"the name of the data is empty; {_SUPPORTED}")
    if name in _IMAGE_SETS:
        raise UsageError(f"{name} is a set of images; {_SUPPORTED}")
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
        raise UsageError(f"{path} is a folder{inside and f', which holds {inside}'}; {_SUPPORTED}")
    if not os.path.exists(path):
        raise UsageError(_missing(path))
    if path.suffix.lower() not in READERS:
        raise UsageError(f"{path}: the suffix {path.suffix!r} is none of {', '.join(READERS)}; {_SUPPORTED}")
    if not os.path.isfile(path):
        raise UsageError(f"{path} is no regular file")


def _missing(path: Path) -> str:
    if not os.path.isdir(path.parent):
        return f"{path}: there is no folder {path.parent}"
    spellings = {name.lower(): name for name in (*BUILT_IN, *_point_files(path.parent))}
    near = difflib.get_close_matches(path.name.lower(), spellings, n=1)
    hint = f"; did you mean {spellings[near[0]]!r}?" if near else ""
    return f"{str(path)!r} is no file and no built-in set ({', '.join(BUILT_IN)}){hint}"


def _point_files(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() in READERS)
    except OSError:
        return []  # a folder that may not be listed gives no hints
