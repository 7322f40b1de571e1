"""Runs without pictures, which take most of a short run's time."""

import pytest

from ganbench.gallery.images import ImageGallery
from ganbench.gallery.points import PointGallery


def draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for gallery in (PointGallery, ImageGallery):
        monkeypatch.setattr(gallery, "snapshot", lambda self, measured: None)
        monkeypatch.setattr(gallery, "finish", lambda self, summary: None)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_nothing(monkeypatch)
