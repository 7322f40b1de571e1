"""Sheets of what a recogniser misread, and of labels that an audit doubts."""

from __future__ import annotations

from PIL import Image

from ganbench.data.images import ImageSet
from ganbench.figures.captioned import Row, captioned_rows, captioned_sheet
from ganbench.metrics.audit import Suspects
from ganbench.metrics.recognition import Recognition

_ROWS, _EXAMPLES = 16, 12  # of a confusion sheet
_SHOWN = 200  # doubted labels on a sheet


def confusion_sheet(found: Recognition, images: ImageSet) -> Image.Image:
    """A row a pair of classes, the most confused first; misread images, with rows in the data, the surest first."""
    pairs, names, rows = found.pairs(), found.classes, []
    for i, j, misread in pairs[:_ROWS]:
        shown = misread[:_EXAMPLES]
        captions = [f"row {row}\ngiven {names[i]}\nread {names[j]}\n{found.confidence[row]:.3f}" for row in shown]
        rows.append(Row(f"{names[i]} as {names[j]}: {len(misread):,}", images.pixels[shown], captions))
    share = found.accuracy
    left = f"; {len(pairs) - _ROWS} rarer pairs are not shown" if len(pairs) > _ROWS else ""
    title = f"{images.title}: {share.total - share.right:,} of {share.total:,} misread{left}"
    return captioned_rows(rows, title)


def suspects_sheet(found: Suspects, images: ImageSet) -> Image.Image:
    """Images whose labels are doubted, each with its row in the data, the surest first."""
    names, pixels = images.classes, images.pixels[found.rows[:_SHOWN]]
    captions = [
        f"row {row}\ngiven {names[i]}\nread {names[j]}\n{q:.3f}"
        for row, i, j, q in zip(found.rows, found.given, found.probable, found.probable_confidence, strict=True)
    ]
    first = f", the surest {_SHOWN} of them" if len(found) > _SHOWN else ""
    title = f"{images.title}: {len(found):,} of {len(images):,} labels doubted{first}"
    return captioned_sheet(pixels, captions[:_SHOWN], title)
