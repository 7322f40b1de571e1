"""An image file as a recogniser reads it: one character, or a whole captcha that is cut into its characters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ganbench.data.images import Images
from ganbench.data.pictures import Picture, read_picture
from ganbench.metrics.classifier import Classifier
from ganbench.types import UsageError


class Reading(NamedTuple):
    """The text of an image, and the product of the probabilities of its characters."""

    text: str
    confidence: float


def read_image(classifier: Classifier, picture: Picture) -> Reading:
    """What stands in an image: of the size that the classifier sees it is one character, else a whole captcha.

    Raises UsageError, a sentence that begins with its name: it cannot be read, or not be cut into characters.
    """
    channels, height, width = classifier.shape
    opened = read_picture(picture.open, Images(colour="grey" if channels == 1 else "rgb"))
    if opened is None:
        raise UsageError(f"{picture.name}: there is no such image, or it cannot be read")
    pixels = np.asarray(opened.convert("L" if channels == 1 else "RGB"))
    if pixels.shape[:2] == (height, width):
        cells = pixels[None]
    elif classifier.cells is None:
        raise UsageError(
            f"{picture.name}: {pixels.shape[1]} x {pixels.shape[0]} pixels, where {width} x {height} are read; "
            "whole captchas are read by one that was trained on a folder of `ganbench data prepare captcha`"
        )
    else:
        try:
            cells = classifier.cells.of(pixels)
        except UsageError as error:
            raise UsageError(f"{picture.name}: {error}") from None
    seen = classifier(cells)
    assert seen.labels is not None
    assert seen.confidence is not None
    return Reading("".join(classifier.classes[label] for label in seen.labels), float(np.prod(seen.confidence)))
