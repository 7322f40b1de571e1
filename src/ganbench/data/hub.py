"""Image sets of the Hugging Face hub, by the package `datasets`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ganbench.data.arrays import Labelling, as_labels
from ganbench.data.images import Images, ImageSet
from ganbench.data.pictures import Picture, collect
from ganbench.types import UsageError, WorkError

HUB = "hub:"
"""Before the name of a data set of the hub, as in hub:ylecun/mnist; a configuration of it follows after a colon."""


def read_hub(name: str, images: Images) -> ImageSet:
    """The train part of a data set that `datasets.load_dataset` knows: its first column of images and its labels.

    Labels are the first column of classes, else one of whole numbers or strings that is called `label` or `labels`.

    Raises UsageError where the package `datasets` is missing, or there are no images; WorkError where it fails.
    """
    try:
        import datasets
    except ImportError:
        raise UsageError(f'{HUB}{name}: the package datasets is needed: pip install "ganbench[hub]"') from None
    try:
        repository, _, configuration = name.partition(":")
        table = datasets.load_dataset(repository, configuration or None, split="train")
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
    labels = _labels(table, datasets.ClassLabel, kept, f"{HUB}{name}")
    numbers, classes = labels or (None, ())
    return ImageSet(f"{HUB}{name}", pixels, numbers, classes, notes)


def _labels(table: Any, kind: type, kept: list[int], where: str) -> Labelling | None:
    """The labels of the rows that were kept; None where one is missing, for which a column of classes may have -1."""
    label = _first(table, kind) or next((name for name in ("label", "labels") if name in table.features), None)
    told = [] if label is None else list(table[label])
    if not told or not all(isinstance(value, int | str) for value in told):
        return None
    if not isinstance(table.features[label], kind):
        return as_labels(np.asarray(told)[kept], len(kept), where)
    return None if min(told) < 0 else Labelling(np.asarray(told)[kept], tuple(table.features[label].names))


def _first(table: Any, kind: type) -> str | None:
    return next((name for name, feature in table.features.items() if isinstance(feature, kind)), None)


def _picture(table: Any, row: int, column: str) -> Any:
    return table[row][column]
