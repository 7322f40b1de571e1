"""A run's numbers and pictures for TensorBoard, which shows several runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from textwrap import indent

import numpy as np
from PIL import Image

from ganbench.configuration import Configuration
from ganbench.types import UsageError

_MISSING = 'track: the package tensorboard is needed: pip install "ganbench[track]"'


class Tracker:
    """Writes event files. What earlier ones hold of the rounds from `first` on is then no longer shown.

    Raises:
        UsageError: TensorBoard is missing.
    """

    def __init__(self, folder: Path, first: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UsageError(_MISSING) from None
        self.writer = SummaryWriter(str(folder), purge_step=first)

    def settings(self, text: str) -> None:
        """The configuration, as the code block that indented lines are in Markdown."""
        self.writer.add_text("configuration", indent(text, "    "), 0)

    def losses(self, round: int, losses: Mapping[str, float]) -> None:
        self._numbers("losses", round, losses)

    def snapshot(self, round: int, measured: Mapping[str, float], frame: Path) -> None:
        """The metrics, and the picture in a file."""
        self._numbers("metrics", round, measured)
        with Image.open(frame) as picture:
            self.writer.add_image("frame", np.asarray(picture.convert("RGB")), round, dataformats="HWC")

    def _numbers(self, group: str, round: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.writer.add_scalar(f"{group}/{name}", value, round)

    def flush(self) -> None:
        """All so far is in the file when this ends."""
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def require_tracking(configuration: Configuration) -> None:
    """Raises UsageError where a package that the configuration asks for is missing."""
    if configuration.track == "tensorboard" and find_spec("tensorboard") is None:
        raise UsageError(_MISSING)


def tracker_for(configuration: Configuration, folder: Path, done: int) -> Tracker | None:
    """What the configuration asks for, in `tensorboard` below the run's folder.

    `done` is the round up to which what is there stays; -1 where the run starts.
    """
    if configuration.track == "none":
        return None
    tracker = Tracker(folder / "tensorboard", first=done + 1)
    if done < 0:
        tracker.settings(configuration.text())
    return tracker
