"""Image sets of the Hugging Face hub, by the package `datasets`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ganbench.data.images import Images, ImageSet
from ganbench.data.pictures import Picture, collect
from ganbench.types import UsageError, WorkError

HUB = "hub:"
"""Before the name of a data set of the hub, as in hub:ylecun/mnist."""


def read_hub(name: str, images: Images) -> ImageSet:
    """The train part of a data set that `datasets.load_dataset` knows: its first column of images and first of classes.

    Raises UsageError where the package `datasets` is missing, or there are no images; WorkError where it fails.
    """
    try:
        import datasets
    except ImportError:
        raise UsageError(f'{HUB}{name}: the package datasets is needed: pip install "ganbench[hub]"') from None
    try:
        table = datasets.load_dataset(name, split="train")
    # It fails in many ways: no connection, no such set, a set that runs code of its own, a part with another name.
    except Exception as error:
        said = " ".join(str(error).split())
        raise WorkError(f"{HUB}{name} could not be loaded: {said[:200] or type(error).__name__}") from error
    column = _first(table, datasets.Image)
    if column is None:
        raise UsageError(f"{HUB}{name} has no column of images (columns: {', '.join(table.features)})")
    shown = table.select_columns([column])
    pictures = (Picture(f"row {i}", partial(_picture, shown, i, column)) for i in range(len(shown)))
    pixels, kept, notes = collect(pictures, len(shown), images, f"{HUB}{name}")
    label = _first(table, datasets.ClassLabel)
    told = [] if label is None else list(table[label])
    if label is None or any(number is None or number < 0 for number in told):  # -1 is for what is not told, too
        return ImageSet(f"{HUB}{name}", pixels, notes=notes)
    return ImageSet(f"{HUB}{name}", pixels, np.asarray(told)[kept], tuple(table.features[label].names), notes)


def _first(table: Any, kind: type) -> str | None:
    return next((name for name, feature in table.features.items() if isinstance(feature, kind)), None)


def _picture(table: Any, row: int, column: str) -> Any:
    return table[row][column]
