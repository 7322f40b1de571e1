"""Pictures as bytes and files: a figure as PNG, a training as an animation."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from ganbench.types import UsageError

DPI = 110
HOLD = 1.5
"""Seconds that an animation rests on its last frame, on top of that frame's own share."""

# At this quality points stay sharp, and 20 frames of the plane stay under 400 kB; a GIF is twice as large.
_OPTIONS: dict[str, dict[str, Any]] = {".webp": {"quality": 60, "method": 4}, ".gif": {"optimize": True}}
_GIF_COLOURS = 64


def png_bytes(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as a PNG file's content, `dpi` pixels an inch."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", pil_kwargs={"optimize": True})
    return buffer.getvalue()


def save_png(figure: Figure, path: Path, dpi: int = DPI) -> None:
    """Write the figure to `path` as PNG, `dpi` pixels an inch, whatever the name's ending; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_bytes(figure, dpi))


def save_image(image: Image.Image, path: Path) -> None:
    """Write the picture to `path` as PNG; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, format="png", optimize=True)


def webp_bytes(path: Path) -> bytes:
    """The picture in a file as WebP, a fifth of a PNG's size or less where it shows photographs."""
    buffer = io.BytesIO()
    _picture(path).save(buffer, format="webp", quality=85, method=4)
    return buffer.getvalue()


def animate(frames: Sequence[Image.Image | Path], path: Path, seconds: float = 6.0) -> None:
    """Write `frames`, pictures or files of pictures of one size, as an endless animation.

    `path` ends with .webp or .gif. The frames share `seconds` evenly; the last one stays `HOLD` seconds longer.
    Raises `UsageError` for another ending, no frames, or frames of different sizes.
    """
    options = _OPTIONS.get(path.suffix.lower())
    if options is None:
        raise UsageError(f"{path}: an animation is a .webp or a .gif file, not {path.suffix or 'one without ending'}")
    if not frames:
        raise UsageError(f"{path}: an animation needs at least one frame")
    pictures = [_picture(frame) for frame in frames]
    sizes = {picture.size for picture in pictures}
    if len(sizes) > 1:
        raise UsageError(f"{path}: the frames of an animation have one size, these have {sorted(sizes)}")
    if path.suffix.lower() == ".gif":
        pictures = _with_few_colours(pictures)
    durations = [round(1000 * seconds / len(pictures))] * len(pictures)
    durations[-1] += round(1000 * HOLD)
    first, *rest = pictures
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0, **options)


def _picture(frame: Image.Image | Path) -> Image.Image:
    if isinstance(frame, Image.Image):
        return frame.convert("RGB")
    with Image.open(frame) as picture:
        return picture.convert("RGB")


def _with_few_colours(pictures: list[Image.Image]) -> list[Image.Image]:
    """The pictures in the colours of the last. Dithering would double the file, as noise cannot be packed."""
    palette = pictures[-1].quantize(_GIF_COLOURS, method=Image.Quantize.FASTOCTREE)
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
