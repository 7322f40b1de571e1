"""Points written to files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ganbench.types import WorkError


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
