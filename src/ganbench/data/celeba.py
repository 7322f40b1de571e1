"""CelebA's list of attributes, in the forms in which it is given out."""

from __future__ import annotations

import csv
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganbench.data.images import Annotations
from ganbench.errors import first_line
from ganbench.settings import unknown
from ganbench.types import UsageError

ATTRIBUTES = ("list_attr_celeba.txt", "list_attr_celeba.csv")
"""The list as its authors give it out, and as a table."""


class AttributeList(NamedTuple):
    """CelebA's list of attributes: their names, and by the name of a file whether it has each."""

    path: Path
    names: tuple[str, ...]
    of: dict[str, list[bool]]

    def annotations(self, files: Sequence[str]) -> Annotations:
        return Annotations(self.names, np.array([self.of[_bare(file)] for file in files], dtype=bool))


def _bare(file: str) -> str:
    return file.rpartition("/")[2]


def attribute_list(source: Path, files: Sequence[str]) -> tuple[AttributeList | None, str]:
    """The list in the source or beside it, or why it cannot be used; nothing of both where there is none."""
    try:
        found = _list_file(source)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:  # the last where it is encrypted
        return None, f"the list of attributes in {source} cannot be read: {first_line(error)}"
    if found is None:
        return None, ""
    path, content = found
    try:
        lines = content.decode("utf-8").splitlines()
        if path.suffix == ".csv":
            header, *rows = csv.reader(lines)
            names = tuple(header[1:])
        else:
            names, rows = tuple(lines[1].split()), [line.split() for line in lines[2:]]
        of = {file: [{"1": True, "-1": False}[value] for value in values] for file, *values in filter(None, rows)}
        if not names or any(len(values) != len(names) for values in of.values()):
            raise ValueError
    except (ValueError, IndexError, KeyError):
        return None, f"{path} is damaged: it has the attributes' names, and a row of 1 and -1 for each file"
    if lacking := [_bare(file) for file in files if _bare(file) not in of]:
        return None, f"{len(lacking):,} files are not in {path.name}, such as {lacking[0]}"
    return AttributeList(path, names, of), ""


def _list_file(source: Path) -> tuple[Path, bytes] | None:
    """Where the list is, and what it says."""
    for name in ATTRIBUTES:
        for path in (source / name, Path(os.path.abspath(source)).parent / name):
            if path.is_file():
                return path, path.read_bytes()
        if source.is_file():
            with zipfile.ZipFile(source) as archive:
                for member in archive.namelist():
                    if _bare(member) == name:
                        return source / member, archive.read(member)
    return None


def require_attribute(attribute: str, listed: AttributeList | None, unusable: str, source: Path) -> None:
    """Raises UsageError where what is to be the label is not known of all files."""
    if listed is None:
        where = f"there is no {' or '.join(ATTRIBUTES)} in {source} or beside it"
        raise UsageError(f"--attribute {attribute}: {unusable or where}")
    if attribute not in listed.names:
        raise UsageError(f"--attribute: {unknown('attribute', attribute, listed.names)}")
