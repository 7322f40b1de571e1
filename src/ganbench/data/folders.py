"""Folders and zip files of images, in which subfolders are labels."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
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
    if source.is_dir():
        yield [Picture(str(name), partial(Image.open, source / name)) for name in _images(_walked(source), str(source))]
        return

    def opened(name: PurePosixPath) -> Image.Image:
        return Image.open(io.BytesIO(archive.read(str(name))))

    try:
        with zipfile.ZipFile(source) as archive:
            names = _images([PurePosixPath(name) for name in archive.namelist()], str(source))
            yield [Picture(str(name), partial(opened, name)) for name in names]
    except PermissionError:
        raise UsageError(f"{source}: there is no permission to read this file") from None
    except FileNotFoundError:
        raise UsageError(f"{source}: there is no such file or folder") from None
    except (zipfile.BadZipFile, OSError):
        raise UsageError(f"{source}: this is no readable .zip file; it is damaged or cut short") from None


def pictures_at(path: Path) -> list[Picture]:
    """The images in a folder, in the order of their names, each called by its path; a file is itself.

    Raises UsageError where a folder has none.
    """
    if not path.is_dir():
        return [Picture(str(path), partial(Image.open, path))]
    with pictures_in(path) as found:
        return [Picture(str(path / name), opener) for name, opener in found]


def _walked(folder: Path) -> list[PurePosixPath]:
    found = []
    for path, folders, names in os.walk(folder, followlinks=True):
        here = Path(path).relative_to(folder)
        found += [PurePosixPath(*here.parts, name) for name in names]
        if len(here.parts) >= _DEEPEST:
            folders.clear()
    return found


def _images(paths: list[PurePosixPath], where: str) -> list[PurePosixPath]:
    hidden = (".", "__MACOSX")
    seen = sorted(path for path in paths if not any(part.startswith(hidden) for part in path.parts))
    if found := [path for path in seen if path.suffix.lower() in SUFFIXES]:
        return found
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
