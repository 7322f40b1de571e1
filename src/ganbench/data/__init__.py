"""Data: point sets and image sets, built in, downloaded, or from a file, a folder or an array."""

from __future__ import annotations

from typing import TypeAlias

from ganbench.data.images import Images, ImageSet, to_pixels
from ganbench.data.points import BUILT_IN, Modes, PointSet, Standardiser
from ganbench.data.sources import IMAGE_NAMES, full_name, load, load_points

DataSet: TypeAlias = PointSet | ImageSet

__all__ = [
    "BUILT_IN",
    "DataSet",
    "IMAGE_NAMES",
    "ImageSet",
    "Images",
    "Modes",
    "PointSet",
    "Standardiser",
    "full_name",
    "load",
    "load_points",
    "to_pixels",
]
