"""In the place of photographs, which are not shipped."""

from pathlib import Path

import numpy as np
from PIL import Image


def photographs(folder: Path, count: int = 40) -> Path:
    """A new folder of so many pictures of noise."""
    folder.mkdir()
    for i, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (count, 80, 70, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder
