"""The built-in captchas: drawn from the fonts that matplotlib carries, so that nothing is downloaded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from itertools import islice

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from ganbench.data.cells import Cells
from ganbench.data.digits import font_file
from ganbench.data.images import ImageSet
from ganbench.seeds import derive
from ganbench.types import UsageError

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Digits and capitals without 0, 1, I and O, which are too much alike."""
CHARACTERS = 4
WIDTH, HEIGHT = 72, 24
COUNT = 2_500
"""Captchas of the built-in set, of four cells each."""

FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral",
    "STIXGeneralBol", "STIXGeneralItalic",
)  # fmt: skip

_FINE = 3  # drawn in a grid so many times finer, and averaged down
_LETTER = 16  # the size of the letters, in pixels
_START, _PITCH = 4, 16  # where characters begin, in pixels


def captchas(count: int = COUNT, seed: int = 0) -> ImageSet:
    """The cells of `count` drawn captchas: 20 x 20, white on black, labelled with the 32 characters.

    They are cut as other captchas are (`ganbench.data.cells`); for those that cannot be, others are drawn.
    """
    pixels = np.empty((count, CHARACTERS, 20, 20), np.uint8)
    texts: list[str] = []
    cells = Cells(size=20, characters=CHARACTERS)
    for image, text in _drawn(seed):
        if len(texts) == count:
            break
        try:
            pixels[len(texts)] = cells.of(image)
        except UsageError:
            continue
        texts.append(text)
    pixels.setflags(write=False)  # so that the set need not copy it
    labels = np.array([ALPHABET.index(character) for character in "".join(texts)], np.int64)
    return ImageSet("captcha", pixels.reshape(-1, 20, 20), labels, tuple(ALPHABET))


def draw_captchas(count: int, seed: int = 0) -> tuple[UInt8[np.ndarray, "n 24 72"], list[str]]:
    """`count` captchas of 72 x 24, dark on light, and their texts: four of `ALPHABET`, each uniformly at random.

    A captcha is in one of `FONTS`. Each character is turned by up to 12 degrees, sheared, made up to 15 % smaller or
    10 % larger and moved by up to 1.5 pixels; all of it is bent along two waves, in two shades, with up to three specks
    and Gaussian noise. The seed decides every pixel, and the first ones are the same however many are drawn.
    """
    images, texts = zip(*islice(_drawn(seed), count), strict=True)
    return np.stack(images), list(texts)


def _drawn(seed: int) -> Iterator[tuple[UInt8[np.ndarray, "24 72"], str]]:
    rng = np.random.default_rng(derive(seed, "captcha"))
    while True:
        text = "".join(ALPHABET[i] for i in rng.integers(len(ALPHABET), size=CHARACTERS))
        font = FONTS[rng.integers(len(FONTS))]
        canvas = Image.new("L", (WIDTH * _FINE, HEIGHT * _FINE))
        for i, character in enumerate(text):
            across, down = rng.uniform(-1.5, 1.5, 2)
            turned, width = _turned(_glyph(font, character), rng)
            middle = (_START + i * _PITCH + across) * _FINE + width / 2
            corner = round(middle - turned.width / 2), round(down * _FINE)
            canvas.paste(255, corner, turned)
        bent = Image.fromarray(_bent(np.asarray(canvas), rng))
        yield _printed(np.asarray(bent.reduce(_FINE)), rng), text


@cache
def _glyph(font: str, character: str) -> Image.Image:
    """The character in the middle of a fine square as high as the captcha."""
    canvas = Image.new("L", (HEIGHT * _FINE, HEIGHT * _FINE))
    middle = HEIGHT * _FINE / 2
    drawn = ImageDraw.Draw(canvas)
    letters = ImageFont.truetype(font_file(font), _LETTER * _FINE)
    left, top, right, bottom = drawn.textbbox((0, 0), character, letters)
    drawn.text((middle - (left + right) / 2, middle - (top + bottom) / 2), character, 255, letters)
    return canvas


def _turned(glyph: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, int]:
    """The character turned, sheared and scaled about its middle, and its width now."""
    turn, shear, scale = rng.uniform(-np.pi / 15, np.pi / 15), rng.uniform(-0.15, 0.15), rng.uniform(0.85, 1.1)
    cos, sin, middle = math.cos(turn) / scale, math.sin(turn) / scale, glyph.width / 2
    # Pillow asks where a pixel comes from: turned back first, then sheared back.
    a, b, c, d = cos + shear * sin, sin - shear * cos, -sin, cos
    affine = (a, b, middle * (1 - a - b), c, d, middle * (1 - c - d))
    turned = glyph.transform(glyph.size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    left, _, right, _ = turned.getbbox() or (0, 0, 0, 0)
    return turned, right - left


def _bent(fine: UInt8[np.ndarray, "72 216"], rng: np.random.Generator) -> UInt8[np.ndarray, "72 216"]:
    """Moved down along a wave that runs across, and across along one that runs down, by up to a pixel."""
    height, width = fine.shape
    y, x = np.arange(height), np.arange(width)
    high, wide = rng.uniform(0, _FINE, 2)
    start, other = rng.uniform(0, 2 * np.pi, 2)
    down = np.rint(high * np.sin(4 * np.pi * x / width + start)).astype(int)
    across = np.rint(wide * np.sin(2 * np.pi * y / height + other)).astype(int)
    return fine[(y[:, None] + down).clip(0, height - 1), (x + across[:, None]).clip(0, width - 1)]


def _printed(depth: UInt8[np.ndarray, "24 72"], rng: np.random.Generator) -> UInt8[np.ndarray, "24 72"]:
    """In a dark and a light shade, with specks and noise."""
    share = depth / 255
    specks = rng.integers(4)
    share[rng.integers(HEIGHT, size=specks), rng.integers(WIDTH, size=specks)] = 1.0
    light, dark = rng.uniform(215, 255), rng.uniform(0, 80)
    image = light + (dark - light) * share + rng.normal(0, rng.uniform(2, 10), share.shape)
    return image.round().clip(0, 255).astype(np.uint8)
