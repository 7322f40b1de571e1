"""Photographs of faces, or any others, cropped, resized and laid down as one array that is mapped into memory."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from pydantic import PositiveInt
from rich.console import Console
from rich.progress import track

from ganbench.data.celeba import AttributeList, attribute_list, require_attribute
from ganbench.data.folders import files_in
from ganbench.data.images import MINIMUM_IMAGES, Images
from ganbench.data.pictures import read_picture
from ganbench.data.prepared import Origin, is_prepared, publish, read_prepared, require_room, verify
from ganbench.interrupts import interruptible, no_interrupts
from ganbench.launch import cores
from ganbench.locks import alone
from ganbench.settings import settings, to_tree
from ganbench.types import UsageError, WorkError

KNOWN_CROPS = {(178, 218): (148, 148), (250, 250): (128, 128)}
"""What is taken from the middle of CelebA's aligned images and of LFW's, by the size of a file: the face alone."""

SHARD = 2048
"""Files after which what is done is noted, so that a preparation that was killed goes on from there."""

PIECE = 64
"""Files that a process is given at once."""

_CROP = re.compile(r"(\d+)x(\d+)(?:\+(\d+)\+(\d+))?")


@settings
class Faces:
    """How photographs become a set.

    `size`: the side of the square that they become. `crop`: what is taken of each: `auto` the middle 148 x 148 of
    files of CelebA's size and the middle 128 x 128 of LFW's, of others the largest square; `none` the largest square
    of all; or WIDTHxHEIGHT from the middle, or WIDTHxHEIGHT+LEFT+TOP, in pixels. `attribute`: one of CelebA's, which
    becomes the label.
    """

    size: PositiveInt = 64
    crop: str = "auto"
    attribute: str | None = None

    def __post_init__(self) -> None:
        found = _CROP.fullmatch(self.crop)
        if self.crop not in ("auto", "none") and not (found and int(found[1]) and int(found[2])):
            raise UsageError(
                f"crop: auto, none, WIDTHxHEIGHT or WIDTHxHEIGHT+LEFT+TOP in pixels, such as 128x128+61+61, not "
                f"{self.crop!r}"
            )

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, right and lower edge of what is taken of a picture. Raises UsageError where it reaches beyond.

        >>> Faces().box(250, 250), Faces(crop="100x100+0+5").box(250, 250)
        ((61.0, 61.0, 189.0, 189.0), (0.0, 5.0, 100.0, 105.0))
        """
        side = min(width, height)
        if found := _CROP.fullmatch(self.crop):
            w, h = int(found[1]), int(found[2])
        else:
            w, h = KNOWN_CROPS.get((width, height), (side, side)) if self.crop == "auto" else (side, side)
        middle = (width - w) / 2, (height - h) / 2
        left, top = (float(found[3]), float(found[4])) if found and found[3] else middle
        if left < 0 or top < 0 or left + w > width or top + h > height:
            raise UsageError(f"the crop reaches beyond a picture of {width} x {height}")
        return left, top, left + w, top + h


class Rejection(NamedTuple):
    """A file that could not be used, and why."""

    name: str
    reason: str


@dataclass(slots=True)
class Progress:
    """How far a preparation is: so many of the source's files are done, and these could not be used."""

    files: int = 0
    rejected: list[Rejection] = field(default_factory=list)


class Prepared(NamedTuple):
    """What came of a preparation; `made` is False where the very same set was there.

    `attributes`: so many are kept of each image; `unusable` says why none of a list that is there.
    """

    images: int
    rejected: list[Rejection]
    made: bool
    attributes: int = 0
    unusable: str = ""


def prepare_faces(source: Path, how: Faces, out: Path, jobs: int | None = None) -> Prepared:
    """Makes a prepared folder of the photographs in a folder or zip file; one that was interrupted goes on.

    The pixels are (n, size, size, 3), in the order of the files' names. Folders in the source are no labels: LFW has
    one a person. Where CelebA's list of attributes is in the source or beside it and has all files, the set keeps
    all of them (`ImageSet.annotations`).

    Raises:
        UsageError: there are no such images or attributes, none can be used, or `out` holds something else.
        WorkError: it cannot be written.
    """
    origin = Origin("faces", str(source.absolute()), to_tree(how, for_file=True))
    require_room(out, origin)
    files = files_in(source)
    names = list(files)
    listed, unusable = attribute_list(source, names)
    if how.attribute:
        require_attribute(how.attribute, listed, unusable, source)  # before hours of work
    if is_prepared(out):
        verify(out)
        there = read_prepared(out)
        _require_same_files(source, names, out)
        kept = there.annotations.names if there.annotations else ()
        if listed and listed.names != kept:
            raise UsageError(f"{out} was prepared without the attributes of {listed.path}; name a new folder")
        return Prepared(len(there), [], False, len(kept), unusable)
    filled = out.resolve().with_name(f".{out.resolve().name}.partial")
    lock = filled.with_suffix(".lock")
    with alone(out, lock):
        try:
            filled.mkdir(parents=True, exist_ok=True)
            done = _cut(source, files, how, filled, jobs)
            count = len(names) - len(done.rejected)
            if count < MINIMUM_IMAGES:
                firsts = "; ".join(f"{name}: {reason}" for name, reason in done.rejected[:3])
                raise UsageError(
                    f"{source}: {count} of its {len(names):,} images can be used, where {MINIMUM_IMAGES} are needed"
                    + (f"; {firsts}" if firsts else "")
                )
            classes = _write(filled, names, done.rejected, how, listed)
            publish(filled, out, origin, {"train": {"images": count}}, classes)
            (out / _STATE).unlink(missing_ok=True)  # not before: what is interrupted until then goes on
            shutil.rmtree(filled, ignore_errors=True)
        except UsageError:
            shutil.rmtree(filled, ignore_errors=True)
            raise
        except OSError as error:
            raise WorkError(f"{out} cannot be written: {error.strerror or error}") from None
        finally:
            with suppress(OSError):
                lock.unlink()
    return Prepared(count, done.rejected, True, len(listed.names) if listed else 0, unusable)


def _write(
    filled: Path, names: Sequence[str], rejected: Sequence[Rejection], how: Faces, listed: AttributeList | None
) -> tuple[str, ...]:
    """What goes with the pixels: their header, lists of files, attributes and labels; gives the classes' names."""
    lost = {rejection.name for rejection in rejected}
    kept = [name for name in names if name not in lost]
    _as_array(filled, len(kept), how.size)
    _write_table(filled / "images.csv", ("file",), [(name,) for name in kept])
    _write_table(filled / "rejected.csv", ("name", "reason"), rejected)
    if listed is None:
        return ()
    noted = listed.annotations(kept)
    np.savez_compressed(filled / "train-attributes.npz", names=np.array(noted.names), present=noted.present)
    if how.attribute is None:
        return ()
    labels = noted.present[:, noted.names.index(how.attribute)]
    np.save(filled / "train-labels.npy", labels.astype(np.int64))
    return (f"not {how.attribute}", how.attribute)


def _require_same_files(source: Path, names: Sequence[str], out: Path) -> None:
    """Raises UsageError where the source has other files than those that a set was made of."""
    try:
        known = _column(out / "images.csv", "file") | _column(out / "rejected.csv", "name")
    except (OSError, KeyError):
        raise UsageError(f"{out}: its lists of files are damaged; prepare the data again, into a new folder") from None
    if others := len(known.symmetric_difference(names)):
        raise UsageError(f"{out} was prepared when {source} had other files ({others:,} differ); name a new folder")


def _column(table: Path, name: str) -> set[str]:
    with open(table, newline="", encoding="utf-8") as file:
        return {row[name] for row in csv.DictReader(file)}


def _cut(source: Path, files: Mapping[str, str], how: Faces, filled: Path, jobs: int | None) -> Progress:
    """All files cut and resized, their pixels one after another in one file; goes on where it was interrupted."""
    pairs = list(files.items())
    asked = hashlib.sha256(json.dumps([str(source.absolute()), list(files), to_tree(how, for_file=True)]).encode())
    each = 3 * how.size**2
    done = _done(filled, asked.hexdigest(), each)
    pieces = [pairs[start : start + PIECE] for start in range(done.files, len(files), PIECE)]
    told, noted = Console(stderr=True), done.files
    with (
        open(filled / _PIXELS, "r+b" if (filled / _PIXELS).exists() else "w+b") as file,
        _mapping(jobs) as mapped,
        interruptible() as interrupted,
    ):
        file.seek(_HEADER + each * (done.files - len(done.rejected)))
        file.truncate()
        made = zip(pieces, mapped(partial(_pieces, source, how), pieces), strict=True)
        shown = track(made, f"cutting {len(files):,} images", len(pieces), console=told, disable=not told.is_terminal)
        for piece, (pixels, rejected) in shown:
            file.write(pixels.data)
            done.rejected += rejected
            done.files += len(piece)
            if done.files - noted >= SHARD or done.files == len(files) or interrupted():
                file.flush()
                os.fsync(file.fileno())  # what is noted as done is so after a power cut, too
                _note(filled, asked.hexdigest(), done)
                noted = done.files
                if not told.is_terminal:
                    print(f"{done.files:,} of {len(files):,} images are cut", file=sys.stderr, flush=True)
            if interrupted():
                raise WorkError("interrupted: the same command goes on")
    return done


_PIXELS, _STATE, _HEADER = "train-images.npy", "state.json", 128
"""The header of the array is written when it is known how many images there are; NumPy's has so many bytes."""


def _done(filled: Path, asked: str, each: int) -> Progress:
    """How far an earlier preparation of the very same came; the start where there was none or its pixels are lost."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        state = json.loads((filled / _STATE).read_text(encoding="utf-8"))
        done = Progress(state["files"], [Rejection(*rejection) for rejection in state["rejected"]])
        written = _HEADER + each * (done.files - len(done.rejected))
        if state["asked"] == asked and (filled / _PIXELS).stat().st_size >= written:
            return done
    return Progress()


def _note(filled: Path, asked: str, done: Progress) -> None:
    new = filled / f"{_STATE}.new"
    new.write_text(json.dumps({"asked": asked, "files": done.files, "rejected": done.rejected}), encoding="utf-8")
    new.replace(filled / _STATE)


@contextmanager
def _mapping(jobs: int | None) -> Iterator[Callable[..., Iterable[tuple[np.ndarray, list[Rejection]]]]]:
    """What `map` does, in so many processes, by default one a core; with one job in this process."""
    jobs = jobs or cores()
    if jobs == 1:
        yield map
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        with no_interrupts():  # Ctrl-C is for this process alone; each task starts one of the others
            for _ in range(jobs):
                pool.submit(int)
        try:
            yield pool.map
        except BrokenProcessPool:
            raise WorkError("a process that cut images was killed; the same command goes on") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _pieces(source: Path, how: Faces, files: Sequence[tuple[str, str]]) -> tuple[np.ndarray, list[Rejection]]:
    """The pixels of those files that can be used (m, size, size, 3), and the others."""
    made, rejected = [], []
    for name, file in files:
        picture = read_picture(partial(_open, source, file), Images(colour="rgb"))
        if picture is None:
            rejected.append(Rejection(name, "it cannot be read as an image"))
            continue
        try:
            box = how.box(*picture.size)
        except UsageError as error:
            rejected.append(Rejection(name, str(error)))
            continue
        square = picture.convert("RGB").resize((how.size, how.size), Image.Resampling.LANCZOS, box=box)
        made.append(np.asarray(square))
    return np.array(made, np.uint8).reshape(len(made), how.size, how.size, 3), rejected


def _open(source: Path, file: str) -> Image.Image:
    return Image.open(source / file if source.is_dir() else io.BytesIO(_archive(source).read(file)))


@lru_cache(maxsize=1)
def _archive(source: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(source)


def _as_array(filled: Path, count: int, size: int) -> None:
    """Gives the pixels the header of an array."""
    header = io.BytesIO()
    shape = (count, size, size, 3)
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    assert len(header.getvalue()) == _HEADER
    with open(filled / _PIXELS, "r+b") as file:
        file.write(header.getvalue())


def _write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
