"""Runs without pictures, which take most of a short run's time."""

import pytest

from ganbench.gallery import Gallery


def draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gallery, "snapshot", lambda self, measured: None)
    monkeypatch.setattr(Gallery, "finish", lambda self, summary: None)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_nothing(monkeypatch)
