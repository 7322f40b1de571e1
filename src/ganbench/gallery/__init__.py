"""The pictures of a run: a frame at each snapshot, and at the end the film, the curves and the report."""

from __future__ import annotations

from typing import Any, Protocol

from ganbench.data import PointSet
from ganbench.gallery.captions import ENDS, captions
from ganbench.gallery.images import ImageGallery
from ganbench.gallery.pages import by_kind, read_picture
from ganbench.gallery.points import PointGallery
from ganbench.runs import RunFolder
from ganbench.workbench import Workbench


class Gallery(Protocol):
    """Draws one run into its folder."""

    def snapshot(self, measured: dict[str, float]) -> None:
        """A frame, and what is on it, under the round's number."""

    def finish(self, summary: dict[str, Any]) -> None:
        """The closing pictures and `report.html`."""


def gallery_for(folder: RunFolder, bench: Workbench) -> Gallery:
    if isinstance(bench.data, PointSet):
        return PointGallery(folder, bench, bench.data)
    return ImageGallery(folder, bench)


__all__ = ["ENDS", "Gallery", "by_kind", "captions", "gallery_for", "read_picture"]
