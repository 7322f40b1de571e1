"""Images a second of processor time in random batches of 64, from three kinds of files that are mapped into memory.

    pip install "ganbench[hub]"
    python benchmarks/formats.py FOLDER

FOLDER is a prepared set. Its plain array stands beside an Arrow table of the same bytes, and beside one of images as
the Hugging Face hub keeps them, which are PNG files. The page cache holds all three.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import datasets
import numpy as np
from PIL import Image

BATCH, SECONDS = 64, 3.0


def rate(read: Callable[[np.ndarray], np.ndarray], count: int) -> float:
    rng = np.random.default_rng(0)
    read(rng.integers(0, count, BATCH))
    start, batches = time.process_time(), 0
    while time.process_time() - start < SECONDS:
        read(rng.integers(0, count, BATCH))
        batches += 1
    return batches * BATCH / (time.process_time() - start)


def table(pixels: np.ndarray, cell: Callable[[np.ndarray], Any], cache: str) -> datasets.Dataset:
    def rows() -> Iterator[dict[str, Any]]:
        for image in pixels:
            yield {"image": cell(image)}

    return datasets.Dataset.from_generator(rows, cache_dir=cache)


def main() -> None:
    datasets.disable_progress_bars()
    pixels = np.load(f"{sys.argv[1]}/train-images.npy", mmap_mode="r")
    count, shape = len(pixels), pixels.shape[1:]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        of_bytes, of_images = table(pixels, np.ndarray.tobytes, one), table(pixels, Image.fromarray, other)
        ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
            "array": lambda rows: np.asarray(pixels[rows]),
            "Arrow, bytes": lambda rows: np.stack(
                [np.frombuffer(cell, np.uint8).reshape(shape) for cell in of_bytes[rows]["image"]]
            ),
            "Arrow, images": lambda rows: np.stack([np.asarray(cell) for cell in of_images[rows]["image"]]),
        }
        for name, read in ways.items():
            print(f"{name:<16}{rate(read, count):>12,.0f} images/s")


if __name__ == "__main__":
    main()
