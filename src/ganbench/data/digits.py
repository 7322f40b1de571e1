"""The built-in images: digits drawn from the fonts that matplotlib carries, so that nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ganbench.data.images import ImageSet
from ganbench.seeds import derive

FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic",
    "DejaVuSerif-BoldItalic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta", "cmr10",
    "cmb10", "cmss10", "cmti10", "cmtt10",
)  # fmt: skip
"""Those of matplotlib's fonts in which text is set; their digits stand in the usual places, their zeros are empty."""

SIDE = 28
_FINE = 4  # drawn in a grid so many times finer, and averaged down
_BOX = 20 * _FINE  # the side of the square that MNIST's digits fill, about the middle
_STROKES = (0, 1, 2)  # by which the outline is widened, in fine pixels


def digits(count: int = 10_000, seed: int = 0) -> ImageSet:
    """`count` images of 28 x 28, white digits on black as MNIST's, equally many of each class if 10 divides `count`.

    Each is a glyph of one of `FONTS` in one of three widths of stroke, turned by up to 15 degrees, sheared, stretched,
    moved by up to 1.5 pixels and blurred, all uniformly at random. The seed decides every pixel.
    """
    rng = np.random.default_rng(derive(seed, "digits"))
    labels = rng.permutation(np.arange(count) % 10)
    fonts, strokes = rng.integers(len(FONTS), size=count), rng.integers(len(_STROKES), size=count)
    blurs = rng.uniform(0.5, 3.0, count).tolist()
    maps = _maps(rng, count)
    glyphs = {}
    pixels = np.empty((count, SIDE, SIDE), np.uint8)
    for i, key in enumerate(zip(fonts.tolist(), strokes.tolist(), labels.tolist(), strict=True)):
        if key not in glyphs:
            glyphs[key] = _glyph(FONTS[key[0]], _STROKES[key[1]], str(key[2]))
        pixels[i] = _drawn(glyphs[key], maps[i], blurs[i])
    return ImageSet("digits", pixels, labels)


def font_file(name: str) -> str:
    """The path of one of matplotlib's fonts."""
    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"))


def _maps(rng: np.random.Generator, count: int) -> Float[np.ndarray, "n 6"]:
    """For each image the affine map from its fine pixels to those of the glyph, row by row."""
    turn, shear = rng.uniform(-np.pi / 12, np.pi / 12, count), rng.uniform(-0.25, 0.25, count)
    size = rng.uniform(0.75, 1.0, count)
    wide, high = size * rng.uniform(0.8, 1.2, count), size
    move = rng.uniform(-1.5, 1.5, (count, 2, 1)) * _FINE
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).transpose(2, 0, 1)
    stretch = np.array([[wide, shear * wide], [np.zeros(count), high]]).transpose(2, 0, 1)
    inverse = np.linalg.inv(rotation @ stretch)
    middle = np.full((2, 1), SIDE * _FINE / 2)
    return np.concatenate([inverse, middle - inverse @ (middle + move)], axis=2).reshape(count, 6)


def _glyph(font: str, stroke: int, digit: str) -> Image.Image:
    """The digit in the middle of a fine image, as large as the box allows."""
    large = Image.new("L", (4 * _BOX, 4 * _BOX))
    drawn = ImageDraw.Draw(large)
    # Widened before it is scaled to the box: the outline is twice as large here as it will be there.
    drawn.text((_BOX, _BOX), digit, 255, ImageFont.truetype(font_file(font), 2 * _BOX), stroke_width=2 * stroke)
    glyph = large.crop(large.getbbox())
    scale = _BOX / max(glyph.size)
    glyph = glyph.resize((round(glyph.width * scale), round(glyph.height * scale)), Image.Resampling.LANCZOS)
    canvas = Image.new("L", (SIDE * _FINE, SIDE * _FINE))
    canvas.paste(glyph, ((canvas.width - glyph.width) // 2, (canvas.height - glyph.height) // 2))
    return canvas


def _drawn(glyph: Image.Image, affine: Float[np.ndarray, "6"], blur: float) -> UInt8[np.ndarray, "28 28"]:
    moved = glyph.transform(glyph.size, Image.Transform.AFFINE, affine.tolist(), Image.Resampling.BILINEAR)
    return np.asarray(moved.filter(ImageFilter.BoxBlur(blur)).reduce(_FINE))
