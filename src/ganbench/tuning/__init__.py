"""Search for a recipe's settings, judged over seeds."""

from __future__ import annotations

from importlib.util import find_spec

from ganbench.types import UsageError


def require_optuna() -> None:
    """Raises UsageError where the package is missing that the other modules here import."""
    if find_spec("optuna") is None:
        raise UsageError('tune: the package optuna is needed: pip install "ganbench[tune]"')
