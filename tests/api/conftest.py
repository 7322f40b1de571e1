"""Fixtures of these tests."""

from tests.undrawn import undrawn

__all__ = ["undrawn"]
