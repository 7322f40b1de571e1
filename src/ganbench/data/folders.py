"""Folders and zip files of images, in which subfolders are labels."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from ganbench.data.arrays import as_labels
from ganbench.data.images import Images, ImageSet
from ganbench.data.pictures import Picture, collect
from ganbench.types import UsageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_DEEPEST = 6  # links that lead back up would otherwise be followed without end


def read_images(source: Path, images: Images) -> ImageSet:
    """The images in a folder or zip file, in the order of their names; the subfolders they lie in are their labels.

    Folders that all images share are no labels. Files of other kinds and hidden files are passed over.

    Raises UsageError: it has no images that can be read, they lie at several depths, or the zip file is damaged.
    """
    with pictures_in(source) as files:
        return _read(str(source), files, images)


@contextmanager
def pictures_in(source: Path) -> Iterator[list[Picture]]:
    """The image files in a folder or a zip file, in the order of their names, to be opened while the block lasts.

    Raises UsageError where it has none, and where the zip file is damaged.
    """
    files = files_in(source)
    if source.is_dir():
        yield [Picture(name, partial(Image.open, source / file)) for name, file in files.items()]
        return

    def opened(file: str) -> Image.Image:
        return Image.open(io.BytesIO(archive.read(file)))

    with _archive(source) as archive:
        yield [Picture(name, partial(opened, file)) for name, file in files.items()]


def files_in(source: Path) -> dict[str, str]:
    """The image files in a folder or a zip file, in the order of their names: by what they are called, where they are.

    The two differ where a zip file begins its names with `./`, and where a name is no text.

    Raises UsageError as `pictures_in` does.
    """
    if source.is_dir():
        return _images(_walked(source), str(source))
    with _archive(source) as archive:
        return _images(archive.namelist(), str(source))


def holder(source: Path) -> Path:
    """Where the images of a source are: of a folder that has none and one zip file, in that; else in the source."""
    if not source.is_dir():
        return source
    suffixes = {file: PurePosixPath(file).suffix.lower() for file in _walked(source)}
    archives = [file for file, suffix in suffixes.items() if suffix == ".zip"]
    images = any(suffix in SUFFIXES for suffix in suffixes.values())
    return source if images or len(archives) != 1 else source / archives[0]


def _archive(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except PermissionError:
        raise UsageError(f"{source}: there is no permission to read this file") from None
    except FileNotFoundError:
        raise UsageError(f"{source}: there is no such file or folder") from None
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        raise UsageError(f"{source}: this is no folder and no readable .zip file, or a damaged one") from None


def pictures_at(path: Path) -> list[Picture]:
    """The images in a folder, in the order of their names, each called by its path; a file is itself.

    Raises UsageError where a folder has none.
    """
    if not path.is_dir():
        return [Picture(_as_text(str(path)), partial(Image.open, path))]
    with pictures_in(path) as found:
        return [Picture(_as_text(str(path / name)), opener) for name, opener in found]


def _walked(folder: Path) -> list[str]:
    found = []
    for path, folders, names in os.walk(folder, followlinks=True):
        here = Path(path).relative_to(folder)
        found += [str(PurePosixPath(*here.parts, name)) for name in names]
        if len(here.parts) >= _DEEPEST:
            folders.clear()
    return found


def _as_text(file: str) -> str:
    """A file's name that can be written: what is no text in it as an escape."""
    return file.encode("utf-8", "backslashreplace").decode()


def _images(files: list[str], where: str) -> dict[str, str]:
    hidden = (".", "__MACOSX")
    named = sorted((PurePosixPath(_as_text(file)), file) for file in files)
    kept = [(path, file) for path, file in named if not any(part.startswith(hidden) for part in path.parts)]
    images = [(str(path), file) for path, file in kept if path.suffix.lower() in SUFFIXES]
    if twice := next((name for (name, _), (other, _) in pairwise(images) if name == other), None):
        raise UsageError(f"{where} holds {twice} twice")
    if images:
        return dict(images)
    seen = [path for path, _ in kept]
    inside = f"; it holds {', '.join(map(str, seen[:3]))}{', ...' if len(seen) > 3 else ''}" if seen else ""
    raise UsageError(f"{where} has no images ({', '.join(SUFFIXES)}) in it and is no folder of IDX files{inside}")


def _read(where: str, files: list[Picture], images: Images) -> ImageSet:
    labels = _folders([PurePosixPath(file.name) for file in files], where)
    pixels, kept, notes = collect(files, len(files), images, where)
    if labels is None:
        return ImageSet(where, pixels, notes=notes)
    numbers, classes = as_labels(np.array(labels)[kept], len(kept), where)
    return ImageSet(where, pixels, numbers, classes, notes)


def _folders(names: list[PurePosixPath], where: str) -> list[str] | None:
    """The name of the folder of each image, or None where all are in one."""
    folders = [name.parent.parts for name in names]
    first, last = min(folders), max(folders)
    shared = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    depths = {len(folder) - shared for folder in folders}
    if depths == {0}:
        return None
    if depths == {1}:
        return [folder[shared] for folder in folders]
    inside = PurePosixPath(*last[: shared + 1])
    raise UsageError(
        f"{where}: images lie at several depths or in folders of folders, where the subfolders of one folder are its "
        f"classes; name a folder inside, such as {inside}"
    )
