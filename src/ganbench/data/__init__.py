"""Data: point sets, built in or from a file or an array."""

from ganbench.data.points import BUILT_IN, Modes, PointSet, Standardiser
from ganbench.data.sources import load_points

__all__ = ["BUILT_IN", "Modes", "PointSet", "Standardiser", "load_points"]
