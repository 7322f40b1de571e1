"""Lists of labels as CSV files: a person looks through one, changes it, and has its labels in place of the data's."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ganbench.data.images import ImageSet
from ganbench.settings import unknown
from ganbench.types import UsageError

_OTHER = "the list is of other data"


class Line(NamedTuple):
    """One line of a list: the image's row in the data, from 0, its file, the beginning of its hash, and its label.

    What is not known of file and image is empty.
    """

    row: str
    file: str
    image: str
    label: str


def write_labels(path: Path, images: ImageSet, labels: Int[np.ndarray, " n"], files: Sequence[str]) -> None:
    """A line an image, with the name of its class by these labels, and its file where `files` are known."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Line._fields)
        for row, label in enumerate(labels):
            writer.writerow((row, files[row] if files else "", _digest(images, row), images.classes[label]))


def relabelled(images: ImageSet, path: Path, files: Sequence[str] = ()) -> ImageSet:
    """Images with the labels of a list that `write_labels` wrote; a row that it lacks keeps the label that it has.

    Each line is held against the image in its row, and against its file where `files` are known: a list of other data,
    or of the same before files were added or renamed, changes nothing.

    Raises UsageError with the first line that is wrong: the file cannot be read or has other columns, a row or class is
    none of the data's, or another image is in the row.
    """
    if images.labels is None:
        raise UsageError(f"{images.name}: these images have no labels that could be changed")
    numbers = {name: number for number, name in enumerate(images.classes)}
    rows = {str(row): row for row in range(len(images))}
    labels = images.labels.copy()
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        if line.row not in rows:
            raise UsageError(f"{where}: row {line.row!r}, where {images.name} has rows 0 to {len(labels) - 1}")
        row = rows[line.row]
        if files and line.file not in ("", files[row]):
            raise UsageError(f"{where}: row {row} is {line.file}, and in {images.name} it is {files[row]}; {_OTHER}")
        if line.image not in ("", _digest(images, row)):
            raise UsageError(f"{where}: row {row} is another image in {images.name}; {_OTHER}")
        if line.label not in numbers:
            raise UsageError(f"{where}: {unknown('class', line.label, images.classes)}")
        labels[row] = numbers[line.label]
    return replace(images, labels=labels)


def _digest(images: ImageSet, row: int) -> str:
    """Enough of the SHA-256 of an image's pixels that two images of a set hardly share it.

    After a letter: digits alone and the like of 12e34 are numbers to a spreadsheet, which writes them in its own way.
    """
    return "x" + hashlib.sha256(np.ascontiguousarray(images.pixels[row]).data).hexdigest()[:12]


def _lines(path: Path) -> list[tuple[int, Line]]:
    """Each record, with the number of its line."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            found = [(reader.line_num, Line(*(record[name] or "" for name in Line._fields))) for record in reader]
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file of labels") from None
    except KeyError as error:
        names = ", ".join(Line._fields)
        raise UsageError(f"{path}: a list of labels has the columns {names}; {error} is missing") from None
    except (UnicodeDecodeError, csv.Error, IsADirectoryError):
        raise UsageError(f"{path}: this is no readable CSV file in UTF-8") from None
    if not found:
        raise UsageError(f"{path}: this list of labels has no rows")
    return found
