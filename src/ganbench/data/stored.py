"""Images that stay on the disk: a set too large for memory, read row by row from a map of its file."""

from __future__ import annotations

import mmap

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from ganbench.launch import memory

SHARE, MOST = 0.25, 4 * 2**30
"""A set stays on the disk that takes more than this share of the memory that a process may use, or more bytes."""


class Stored:
    """Things (n, c, h, w) that are read when they are asked for, as bytes, by any number of processes at once.

    Pages that were read are given back after each batch: they stay in the system's cache as long as there is room, but
    are no memory of this process, which therefore does not grow.
    """

    device = torch.device("cpu")
    """Of the places by which things are asked for."""

    def __init__(self, pixels: np.memmap, device: torch.device | str = "cpu") -> None:
        self.pixels, self._to = pixels, device
        self._map: mmap.mmap = pixels._mmap  # type: ignore[attr-defined]
        # Read ahead of a random row is read in vain.
        self._advise("MADV_RANDOM")

    def to(self, device: torch.device | str) -> Stored:
        """The same things, put on a device when they have been read."""
        return Stored(self.pixels, device)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, places: Int[Tensor, " m"]) -> UInt8[Tensor, "m c h w"]:
        rows = torch.from_numpy(np.asarray(self.pixels[places.numpy()]))
        self._advise("MADV_DONTNEED")
        return (rows[:, None] if rows.dim() == 3 else rows.permute(0, 3, 1, 2)).to(self._to)

    def _advise(self, name: str) -> None:
        if advice := getattr(mmap, name, None):  # not on every system
            self._map.madvise(advice)


def stays_on_disk(pixels: np.ndarray) -> bool:
    """Whether an array is mapped into memory and too large to be held there."""
    return isinstance(pixels, np.memmap) and pixels.nbytes > min(MOST, SHARE * memory())
