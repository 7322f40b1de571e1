"""Prepared folders: arrays that are mapped into memory, and a record that is there only when all else is."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from ganbench.data.files import sha256
from ganbench.data.images import Annotations, ImageSet, Known
from ganbench.data.writing import require_new
from ganbench.settings import at, dotted_names
from ganbench.types import UsageError, WorkError

RECORD = "prepared.json"

READ_AT_LOAD = 2**28
"""Files of up to so many bytes are compared with their hashes whenever a set is read, in a fraction of a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part of a prepared set: images, their labels where they have any, and for cells the captchas they are of.

    Of `captchas`, which are (file name, text), the i-th owns the images k i to k i + k - 1, k being its characters.
    """

    pixels: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]
    labels: Int[np.ndarray, "n"] | None = None
    captchas: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """What a prepared set was made of and how: its kind, its source, and settings in plain values."""

    kind: str
    source: str
    settings: Mapping[str, Any]


def write_prepared(
    path: Path,
    origin: Origin,
    parts: Mapping[str, Part],
    classes: Sequence[str] = (),
    beside: Mapping[str, bytes] | None = None,
) -> bool:
    """Makes a prepared folder of the parts (`train`, and perhaps `test`), with other files beside them.

    All is written in another folder, which is renamed when it is whole; an empty folder that is there already, which
    may be the one that the shell is in, gets the files, the record last. A folder that holds the very same already is
    left as it is; then the answer is False.

    Raises:
        UsageError: `path` holds something else.
        WorkError: it cannot be written.
    """
    require_room(path, origin)
    whole = path.resolve()  # `.` has no name
    filled = whole.with_name(f".{whole.name}.{os.getpid()}")
    try:
        filled.mkdir(parents=True)
        for name, content in (beside or {}).items():
            (filled / name).write_bytes(content)
        counts = {name: _write_part(filled, name, part) for name, part in parts.items()}
        return publish(filled, path, origin, counts, classes)
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(filled, ignore_errors=True)


def publish(
    filled: Path, path: Path, origin: Origin, counts: Mapping[str, Mapping[str, int]], classes: Sequence[str] = ()
) -> bool:
    """Gives a folder that has all files of the parts its record, and the name `path`; see `write_prepared`."""
    record = {
        "kind": origin.kind,
        "source": origin.source,
        "settings": dict(origin.settings),
        "classes": list(classes),
        "parts": {name: {**of_part, **_facts(filled, name)} for name, of_part in counts.items()},
    }
    (filled / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    if is_prepared(path):
        return _require_same(path, record)
    for file in filled.iterdir():
        _make_lasting(file)
    whole = path.resolve()
    if whole.exists():
        for file in sorted(filled.iterdir(), key=lambda file: file.name == RECORD):
            file.rename(whole / file.name)
    else:
        filled.rename(whole)
    return True


def _make_lasting(file: Path) -> None:
    """Has what was written survive a power cut that comes after the folder has got its name."""
    with open(file, "rb+") as written:
        os.fsync(written.fileno())


def is_prepared(path: Path) -> bool:
    """Whether it is a prepared folder, whole or damaged."""
    return (path / RECORD).is_file()


def require_room(path: Path, origin: Origin) -> None:
    """Raises UsageError where `path` is no new or empty folder, nor a set prepared of the same with the same settings.

    Before long work, so that it is not done in vain.
    """
    if is_prepared(path):
        record = read_record(path)
        asked = {"kind": origin.kind, "source": origin.source, **_flat(origin.settings)}
        there = {"kind": record["kind"], "source": record["source"], **_flat(record["settings"])}
        for name in asked | there:
            if asked.get(name) != there.get(name):
                raise UsageError(
                    f"{path} holds another prepared set: its {name} is {there.get(name)!r}, not {asked.get(name)!r}; "
                    "name a new folder"
                )
    else:
        require_new(path)


def read_record(path: Path) -> dict[str, Any]:
    """What `prepared.json` says: `kind`, `source`, `settings`, `classes`, and the counts and files of each part.

    Raises UsageError where it is missing or damaged.
    """
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
        kinds = {"kind": str, "source": str, "settings": dict, "classes": list, "parts": dict}
        if not all(isinstance(record[name], kind) for name, kind in kinds.items()):
            raise ValueError
        for name, part in record["parts"].items():
            whole = f"{name}-images.npy" in part["files"] and part["files"].keys() == part["bytes"].keys()
            if not whole or not isinstance(part["fingerprint"], str):
                raise ValueError
    except FileNotFoundError:
        raise UsageError(f"{path} is no prepared folder: it has no {RECORD}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{path / RECORD} is damaged; prepare the data again, into a new folder") from None
    return record


def read_prepared(path: Path, part: str = "train") -> ImageSet:
    """One part of a prepared folder, mapped into memory: its pixels are read from the disk when they are used.

    Raises UsageError where the folder has no such part, and where a file is missing or is not as it was written.
    """
    record = read_record(path)
    files = _checked(path, record, part)
    pixels, labels = _arrays(path, part, files)
    known = Known(record["parts"][part]["fingerprint"], pixels, labels)
    classes = tuple(record["classes"]) if labels is not None else ()
    return ImageSet(str(path), pixels, labels, classes, known=known, annotations=_annotations(path, part, files))


def verify(path: Path) -> int:
    """Reads all files of all parts; gives their bytes. Raises UsageError where one is not as it was written."""
    record = read_record(path)
    for part in record["parts"]:
        _checked(path, record, part, wholly=True)
    return sum(size for part in record["parts"].values() for size in part["bytes"].values())


def captchas_of(path: Path, part: str = "train") -> list[tuple[str, str]]:
    """The (file name, text) of each captcha of a part; the i-th owns its images k i to k i + k - 1.

    Raises UsageError as `read_prepared` does, and where the set is not one of captchas.
    """
    name = f"{part}-captchas.csv"
    if name not in _checked(path, read_record(path), part):
        raise UsageError(f"{path}: its {part} part is not made of captchas")
    with open(path / name, newline="", encoding="utf-8") as file:
        return [(row["file"], row["text"]) for row in csv.DictReader(file)]


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by their dotted names."""
    found = {name: at(tree, name) for name in dotted_names(tree)}
    return {name: value for name, value in found.items() if not isinstance(value, Mapping)}


def _arrays(folder: Path, part: str, files: Container[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """The images of a part, and its labels where it has any, mapped into memory."""
    images, labels = (f"{part}-{name}.npy" for name in ("images", "labels"))
    return _mapped(folder / images), _mapped(folder / labels) if labels in files else None


def _mapped(file: Path) -> np.ndarray:
    try:
        return np.load(file, mmap_mode="r")
    except OSError as error:
        raise UsageError(
            f"{file} cannot be mapped into memory: {error.strerror}; all of it counts for `ulimit -v`"
        ) from None
    except ValueError:
        raise UsageError(f"{file} is damaged or altered; prepare the data again, into a new folder") from None


def _annotations(folder: Path, part: str, files: Container[str]) -> Annotations | None:
    name = f"{part}-attributes.npz"
    if name not in files:
        return None
    with np.load(folder / name) as stored:
        return Annotations(tuple(map(str, stored["names"])), stored["present"])


def _facts(folder: Path, part: str) -> dict[str, Any]:
    """SHA-256 and size of each file of a part, and the fingerprint of its images and labels."""
    files = {file.name: file for file in sorted(folder.glob(f"{part}-*"))}
    return {
        "files": {name: sha256(file) for name, file in files.items()},
        "bytes": {name: file.stat().st_size for name, file in files.items()},
        "fingerprint": ImageSet(part, *_arrays(folder, part, files)).fingerprint,
    }


def _write_part(folder: Path, name: str, part: Part) -> dict[str, int]:
    """Writes the files of a part; its counts."""
    np.save(folder / f"{name}-images.npy", part.pixels)
    counts = {"images": len(part.pixels)}
    if part.labels is not None:
        np.save(folder / f"{name}-labels.npy", part.labels.astype(np.int64))
    if part.captchas:
        counts["captchas"] = len(part.captchas)
        with open(folder / f"{name}-captchas.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("file", "text"), *part.captchas])
    return counts


def _checked(path: Path, record: Mapping[str, Any], part: str, *, wholly: bool = False) -> Mapping[str, str]:
    """The files of a part, each of which is as it was written; of large ones that are not read `wholly` the size."""
    if part not in record["parts"]:
        raise UsageError(f"{path} has no part {part!r}; it has {', '.join(record['parts'])}")
    files = record["parts"][part]["files"]
    for name, written in files.items():
        if not (path / name).is_file():
            raise UsageError(f"{path}: {name} is missing; prepare the data again, into a new folder")
        size = (path / name).stat().st_size
        altered = size != record["parts"][part]["bytes"][name]
        if altered or ((wholly or size <= READ_AT_LOAD) and sha256(path / name) != written):
            raise UsageError(f"{path}: {name} is damaged or altered; prepare the data again, into a new folder")
    return files


def _require_same(path: Path, record: Mapping[str, Any]) -> bool:
    """False, as nothing needs to be written, where the folder holds what the record says; else UsageError."""
    if read_record(path) != record:
        raise UsageError(f"{path} was prepared of other images or by another version; name a new folder")
    for part in record["parts"]:
        _checked(path, record, part)
    return False
