"""Lists of labels as CSV files: a person looks through one, changes it, and has its labels in place of the data's."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ganbench.data.images import ImageSet
from ganbench.settings import unknown
from ganbench.types import UsageError

COLUMNS = ("row", "file", "label")


def write_labels(path: Path, labels: Int[np.ndarray, " n"], classes: Sequence[str], files: Sequence[str]) -> None:
    """A line an image: its row in the data, from 0, its file where `files` are known, the name of its class."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((row, files[row] if files else "", classes[label]) for row, label in enumerate(labels))


def relabelled(images: ImageSet, path: Path) -> ImageSet:
    """Images with the labels of a file that `write_labels` wrote; a row that it lacks keeps the label that it has.

    Raises UsageError with the line: the file cannot be read or has other columns, a row or class is none of the data's.
    """
    if images.labels is None:
        raise UsageError(f"{images.name}: these images have no labels that could be changed")
    numbers = {name: number for number, name in enumerate(images.classes)}
    labels = images.labels.copy()
    for line, (row, name) in _lines(path):
        if not (row.isascii() and row.isdigit() and int(row) < len(labels)):
            raise UsageError(f"{path}, line {line}: row {row!r}, where {images.name} has rows 0 to {len(labels) - 1}")
        if name not in numbers:
            raise UsageError(f"{path}, line {line}: {unknown('class', name, images.classes)}")
        labels[int(row)] = numbers[name]
    return replace(images, labels=labels)


def _lines(path: Path) -> list[tuple[int, tuple[str, str]]]:
    """(line, (row, label)) of each record."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            found = [(reader.line_num, (record["row"] or "", record["label"] or "")) for record in reader]
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file of labels") from None
    except KeyError as error:
        raise UsageError(f"{path}: a list of labels has the columns {', '.join(COLUMNS)}; {error} is missing") from None
    except (UnicodeDecodeError, csv.Error, IsADirectoryError):
        raise UsageError(f"{path}: this is no readable CSV file in UTF-8") from None
    if not found:
        raise UsageError(f"{path}: this list of labels has no rows")
    return found
