"""The parts of a labelled set of images: what to train on, what to test on, and how its images make strings."""

from __future__ import annotations

from ganbench.data.captchas import Preparation
from ganbench.data.cells import Cells
from ganbench.data.digits import digits
from ganbench.data.drawn_captchas import captchas
from ganbench.data.folders import pictures_in
from ganbench.data.idx import has_idx_part, is_idx_folder, read_idx_folder
from ganbench.data.images import Images, ImageSet
from ganbench.data.pictures import read_picture
from ganbench.data.prepared import RECORD, captchas_of, is_prepared, read_prepared, read_record
from ganbench.data.sources import load, path_of
from ganbench.settings import from_tree
from ganbench.types import UsageError


def train_part(data: str) -> ImageSet:
    """What DATA stands for, as images. Raises UsageError as `load` does, and where they are points."""
    images = load(data)
    if not isinstance(images, ImageSet):
        raise UsageError(f"{data} is a set of points; recognisers read labelled images")
    return images


def test_part(data: str) -> ImageSet | None:
    """Images that belong to a set and are no part of what is trained on, where it has any; "" has none.

    Raises UsageError where they are damaged, or one of the two IDX files is missing.
    """
    if not data:
        return None
    if data == "digits":
        return digits(seed=1)
    if data == "captcha":
        return captchas(seed=1)
    path = path_of(data)
    if path is None:
        return None
    if is_prepared(path):
        return read_prepared(path, "test") if "test" in read_record(path)["parts"] else None
    return read_idx_folder(path, "test") if has_idx_part(path, "test") else None


def files_of(data: str, images: ImageSet) -> list[str]:
    """The name of the file of each image that `train_part` gave, of cells that of their captcha; none where images are
    in no files of their own.
    """
    path = path_of(data)
    if path is None:
        return []
    if is_prepared(path):
        cells = cells_of(data)
        return [name for name, _ in captchas_of(path) for _ in range(cells.characters)] if cells else []
    if not (path.is_dir() or (path.is_file() and path.suffix.lower() == ".zip")) or is_idx_folder(path):
        return []
    with pictures_in(path) as pictures:
        whole = len(pictures) == len(images)  # else those that cannot be read were left out
        return [name for name, opener in pictures if whole or read_picture(opener, Images()) is not None]


def cells_of(data: str) -> Cells | None:
    """How the captchas were cut that a set is made of; None where it is not made of captchas.

    The i-th captcha of k characters is then images k i to k i + k - 1.

    Raises UsageError where the record of a prepared folder is damaged.
    """
    if data == "captcha":
        return Cells()
    path = path_of(data)
    if path is None or not is_prepared(path) or (record := read_record(path))["kind"] != "captcha":
        return None
    try:
        return from_tree(Preparation, record["settings"]).cells
    except (UsageError, RecursionError) as error:
        raise UsageError(f"{path / RECORD} is damaged: {error}") from None


def characters_of(data: str) -> int:
    """How many images in a row make a string: of captchas all of one's characters, else 1. Raises as `cells_of`."""
    cells = cells_of(data)
    return cells.characters if cells else 1
