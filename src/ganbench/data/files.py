"""Reading an array out of a .mat, .csv, .npy or .npz file; whatever is wrong with one is a UsageError."""

from __future__ import annotations

import csv
import difflib
import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.io import loadmat

from ganbench.data.points import MINIMUM_POINTS
from ganbench.types import UsageError


class Table(NamedTuple):
    """What a file holds: an array as it was stored, and the names of its columns where the file has them."""

    array: np.ndarray
    columns: tuple[str, ...] = ()


def read_file(path: Path, variable: str | None = None) -> Table:
    """The array in a file; in a .mat or .npz file the one called `variable`.

    Without `variable` it is the one 2-D array of real numbers with rows enough for a point set. Of several it
    is the one that may be all others put together: as wide as each, and exactly as long as all. In a file
    without 2-D arrays it is the one 1-D array.

    Raises UsageError where the file cannot be read, and where the choice is not clear.
    """
    kind = path.suffix.lower()
    if variable is not None and kind not in (".mat", ".npz"):
        raise UsageError(f"{path}: a {kind} file has no variables, so {variable!r} after the colon chooses nothing")
    with _reading(path):
        return READERS[kind](path, variable)


def read_arrays(path: Path) -> dict[str, Any]:
    """What a .npy or .npz file holds, by name (of a .npy file the empty one); None for what is no plain array.

    Raises UsageError where the file cannot be read.
    """
    with _reading(path):
        return {"": _read_npy(path, None).array} if path.suffix.lower() == ".npy" else _npz_variables(path)


def sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def is_numeric(value: Any) -> bool:
    """Whether it is an array of real numbers, integers and truth values among them."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"


def describe(value: Any) -> str:
    """An array's shape if it holds real numbers, else what it holds."""
    if is_numeric(value):
        return " x ".join(map(str, value.shape)) or "one number"
    if not isinstance(value, np.ndarray):
        return "no plain array"
    kinds = {
        "c": "complex numbers",
        "U": "text",
        "S": "text",
        "O": "objects, cells or text",
        "V": "a structure",
    }
    return kinds.get(value.dtype.kind, f"values of type {value.dtype}")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        if path.stat().st_size == 0:
            raise UsageError(f"{path}: the file is empty")
        yield
    except UsageError:
        raise
    except PermissionError as error:
        raise UsageError(f"{path}: there is no permission to read this file") from error
    # Damaged bytes lead the parsers into errors of every kind: of zip, zlib, struct, memory, index, type.
    except Exception as error:
        raise UsageError(
            f"{path}: this is no readable {path.suffix} file; it is damaged, cut short or of another format"
        ) from error


def _read_mat(path: Path, variable: str | None) -> Table:
    with path.open("rb") as file:
        start = file.read(10)
        if start == b"MATLAB 7.3" or start.startswith(b"\x89HDF"):
            raise UsageError(f"{path}: MATLAB v7.3 (HDF5) files are not supported; save it in MATLAB with -v7")
        with warnings.catch_warnings():
            # scipy only warns of this, and puts a sentence in the variable's place.
            warnings.filterwarnings("error", message="Unreadable variable")
            content = loadmat(file)
    variables = {name: value for name, value in content.items() if not name.startswith("__")}
    return Table(_choose(path, variables, variable))


def _read_npz(path: Path, variable: str | None) -> Table:
    return Table(_choose(path, _npz_variables(path), variable))


def _npz_variables(path: Path) -> dict[str, Any]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: _npz_member(archive, name) for name in archive.files}


def _npz_member(archive: Mapping[str, Any], name: str) -> Any:
    try:
        return archive[name]
    except ValueError:
        return None  # Python objects, which are never unpickled; the other members may still be of use


def _read_npy(path: Path, variable: None) -> Table:
    with path.open("rb") as file:
        try:
            return Table(np.lib.format.read_array(file, allow_pickle=False))
        except ValueError as error:
            if "Object arrays" not in str(error):
                raise
            raise UsageError(f"{path}: Python objects where real numbers are needed") from error


def _choose(path: Path, variables: Mapping[str, Any], name: str | None) -> np.ndarray:
    if name is not None:
        return _by_name(path, variables, name)
    numeric = {key: value for key, value in variables.items() if is_numeric(value) and value.size > 1}
    matrices = {key: value for key, value in numeric.items() if value.ndim == 2}
    vectors = {key: value for key, value in numeric.items() if value.ndim == 1}
    usable = {key: value for key, value in matrices.items() if len(value) >= MINIMUM_POINTS}
    # What is not usable is still a candidate where it is alone: the caller then says what is wrong with it.
    candidates = usable or matrices or vectors or numeric
    if len(candidates) == 1:
        return next(iter(candidates.values()))
    if not candidates:
        raise UsageError(f"{path}: no array of real numbers among its variables, {listing(variables)}")
    rows = sum(len(value) for value in usable.values())
    widths = {value.shape[1] for value in usable.values()}
    wholes = [value for value in usable.values() if 2 * len(value) == rows and len(widths) == 1]
    if len(wholes) == 1:
        return wholes[0]
    raise UsageError(
        f"{path}: several arrays could be the points, {listing(candidates)}; "
        f"choose one after a colon, as in {path}:{next(iter(candidates))}"
    )


def _by_name(path: Path, variables: Mapping[str, Any], name: str) -> np.ndarray:
    if name not in variables:
        near = difflib.get_close_matches(name, variables, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"{path}: no variable {name!r} among its variables, {listing(variables)}{hint}")
    if not isinstance(variables[name], np.ndarray):
        raise UsageError(f"{path}: variable {name!r} is no plain array (sparse, or Python objects)")
    return variables[name]


def listing(variables: Mapping[str, Any]) -> str:
    """The names of a file's variables and what they are, for a sentence."""
    return ", ".join(f"{name} ({describe(value)})" for name, value in variables.items()) or "of which it has none"


def _read_csv(path: Path, variable: None) -> Table:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: this is no UTF-8 text; save it as CSV in UTF-8") from error
    lines = [line.strip(" ") for line in text.splitlines()]
    reader = csv.reader(lines, delimiter=_separator(lines), skipinitialspace=True)
    records = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if _has_content(row)]
    has_header = bool(records) and not any(_is_number(cell) for cell in records[0][1])
    columns = tuple(records.pop(0)[1]) if has_header else ()
    if not records:
        raise UsageError(f"{path}: the file has no rows" + (f" below its header, {columns}" if columns else ""))
    width = len(columns or records[0][1])
    array = np.array([_numbers(path, line, row, width, columns) for line, row in records])
    if columns and not columns[0] and np.array_equal(array[:, 0], np.arange(len(array))):
        raise UsageError(
            f"{path}: the first column has no name and counts the rows; save without it "
            "(in pandas: to_csv with index=False)"
        )
    return Table(array, columns)


def _separator(lines: list[str]) -> str:
    """The first of tab, semicolon, comma and space in the second line, as the first may be a header."""
    content = [line for line in lines if line and not line.startswith("#")]
    sample = content[:2][-1] if content else ""
    return next((mark for mark in "\t;, " if mark in sample), "\t")


def _has_content(row: list[str]) -> bool:
    return any(row) and not row[0].startswith("#")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(path: Path, line: int, row: list[str], width: int, columns: tuple[str, ...]) -> list[float]:
    if len(row) != width:
        raise UsageError(f"{path}: line {line} has {len(row)} values, but the first line has {width}")
    try:
        return [float(cell) for cell in row]
    except ValueError:
        index = next(index for index, cell in enumerate(row) if not _is_number(cell))
        column = f"column {index + 1}" + (f" ({columns[index]})" if columns else "")
        raise UsageError(
            f"{path}: line {line}, {column} holds {row[index]!r} where a number such as 0.25 is needed"
        ) from None


READERS: dict[str, Callable[[Path, Any], Table]] = {
    ".mat": _read_mat,
    ".csv": _read_csv,
    ".npy": _read_npy,
    ".npz": _read_npz,
}
"""The kinds of file that can hold points, by suffix."""
