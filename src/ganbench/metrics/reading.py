"""An image file as a recogniser reads it: one character, or a whole captcha that is cut into its characters."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ganbench.data.pictures import plain
from ganbench.metrics.classifier import Classifier
from ganbench.types import UsageError


class Reading(NamedTuple):
    """The text of an image, and the product of the probabilities of its characters."""

    text: str
    confidence: float


def read_image(classifier: Classifier, path: Path) -> Reading:
    """What stands in an image: of the size that the classifier sees it is one character, else a whole captcha.

    Raises UsageError, a sentence that begins with the path: it cannot be read, or not be cut into characters.
    """
    channels, height, width = classifier.shape
    try:
        with Image.open(path) as picture:
            pixels = np.asarray(plain(picture).convert("L" if channels == 1 else "RGB"))
    except Exception as error:  # damaged bytes lead Pillow's parsers into errors of every kind
        missing = isinstance(error, FileNotFoundError)
        raise UsageError(
            f"{path}: {'there is no such file' if missing else 'this cannot be read as an image'}"
        ) from None
    if pixels.shape[:2] == (height, width):
        cells = pixels[None]
    elif classifier.cells is None:
        raise UsageError(
            f"{path}: {pixels.shape[0]} x {pixels.shape[1]} pixels, and the recogniser reads {height} x {width}; "
            "whole captchas are read by one that was trained on a folder of `ganbench data prepare captcha`"
        )
    else:
        try:
            cells = classifier.cells.of(pixels)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None
    seen = classifier(cells)
    assert seen.labels is not None
    assert seen.confidence is not None
    return Reading("".join(classifier.classes[label] for label in seen.labels), float(np.prod(seen.confidence)))
