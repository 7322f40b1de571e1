"""Image sets, their way to the networks and back, and pictures of every mode and size."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ganbench.data import Images, ImageSet, load, to_pixels
from ganbench.data.pictures import fitted, plain
from tests.data.hostile_images import IMAGES, LABELS, write_pictures

COLOURED = np.random.default_rng(1).integers(0, 256, (20, 6, 5, 3)).astype(np.uint8)
some_pixels = st.sampled_from([(3, 4, 5), (2, 1, 3, 3)]).flatmap(lambda shape: arrays(np.uint8, shape))


@given(pixels=some_pixels)
def test_pixels_go_to_the_networks_and_back(pixels: np.ndarray) -> None:
    images = ImageSet("some", pixels)
    things = images.things()
    assert things.shape == (len(images), *images.shape)
    np.testing.assert_array_equal(to_pixels(things / 127.5 - 1), pixels)
    np.testing.assert_array_equal(to_pixels((things / 127.5 - 1).bfloat16()), pixels)


def test_what_the_networks_overshoot_is_clamped_and_no_number_is_grey() -> None:
    x = torch.tensor([-3.0, 3.0, torch.nan, -torch.inf]).reshape(1, 1, 2, 2)
    assert to_pixels(x).tolist() == [[[0, 255], [128, 0]]]


def test_a_set_keeps_what_it_was_given() -> None:
    pixels, labels = IMAGES.copy(), LABELS.copy()
    images = ImageSet("folder/some", pixels, labels)
    pixels[:], labels[:] = 0, 0
    np.testing.assert_array_equal(images.pixels, IMAGES)
    np.testing.assert_array_equal(images.labels, LABELS)
    assert (images.title, images.classes, images.shape) == ("some", ("0", "1", "2", "3"), (1, 6, 5))
    with pytest.raises(ValueError, match="read-only"):
        images.pixels[:] = 0
    images.things()[:] = 0  # a tensor of its own
    np.testing.assert_array_equal(images.pixels, IMAGES)


def test_a_fingerprint_tells_pixels_shape_and_labels_apart() -> None:
    sets = [
        ImageSet("a", IMAGES),
        ImageSet("a", IMAGES, LABELS),
        ImageSet("a", IMAGES, LABELS[::-1]),
        ImageSet("a", IMAGES[::-1], LABELS),
        ImageSet("a", IMAGES.reshape(20, 5, 6)),
    ]
    assert len({images.fingerprint for images in sets}) == len(sets)
    content = b"(20, 6, 5)" + IMAGES.tobytes() + LABELS.astype("<i8").tobytes()
    assert sets[1].fingerprint == hashlib.sha256(content).hexdigest()
    assert ImageSet("b", np.asfortranarray(IMAGES)).fingerprint == sets[0].fingerprint


@given(count=st.integers(2, 20), seed=st.integers(0, 9))
def test_halves_are_disjoint_and_carry_their_labels(count: int, seed: int) -> None:
    pixels = np.arange(count, dtype=np.uint8)[:, None, None]
    images = ImageSet("numbers", pixels, np.arange(count))
    first, second = images.halves(seed)
    assert len(first) == len(second) == count // 2
    assert not set(first.pixels.ravel()) & set(second.pixels.ravel())
    for half in (first, second):
        np.testing.assert_array_equal(half.pixels.ravel(), half.labels)
        assert half.classes == images.classes


@given(
    value=st.integers(0, 255),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    size=st.integers(1, 40),
    mode=st.sampled_from(["L", "RGB"]),
)
def test_a_constant_picture_stays_constant(value: int, width: int, height: int, size: int, mode: str) -> None:
    colour = value if mode == "L" else (value, 255 - value, 0)
    resized = fitted(Image.new(mode, (width, height), colour), size)
    assert resized.size == (size, size)
    assert resized.getcolors() == [(size * size, colour)]


def test_the_middle_is_kept_and_small_detail_averaged() -> None:
    wide = np.zeros((8, 24), np.uint8)
    wide[:, 8:16] = 200
    assert (np.asarray(fitted(Image.fromarray(wide), 8)) == 200).all()
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    inner = np.asarray(fitted(Image.fromarray(board), 8))[1:-1, 1:-1]
    assert np.abs(inner.astype(int) - 128).max() < 8  # without antialiasing 0 or 255


def _rgba() -> Image.Image:
    picture = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 2, 4))
    return picture


@pytest.mark.parametrize(
    ("picture", "left", "right"),
    [
        (_rgba(), (0, 0, 255), (255, 255, 255)),
        (_rgba().convert("LA"), (29, 29, 29), (255, 255, 255)),
        (_rgba().quantize(), (0, 0, 255), (255, 255, 255)),
        (Image.new("CMYK", (4, 4), (0, 255, 255, 0)), (255, 0, 0), (255, 0, 0)),
        (Image.new("1", (4, 4), 1), 255, 255),
        (Image.new("P", (4, 4)), (0, 0, 0), (0, 0, 0)),
        (Image.fromarray(np.full((4, 4), 257 * 200, np.uint16)), 200, 200),
        (Image.fromarray(np.full((4, 4), 257 * 200, np.int32)), 200, 200),
        (Image.new("HSV", (4, 4), (0, 255, 255)), (255, 0, 0), (255, 0, 0)),
    ],
    ids=["RGBA", "LA", "P", "CMYK", "1", "grey P", "I;16", "I", "HSV"],
)
def test_every_mode_becomes_grey_or_rgb_on_white(picture: Image.Image, left: object, right: object) -> None:
    found = plain(picture)
    assert found.mode in ("L", "RGB")
    assert (found.getpixel((0, 1)), found.getpixel((3, 1))) == (left, right)


def test_a_photo_taken_on_its_side_is_turned(tmp_path: Path) -> None:
    upright = np.zeros((6, 4), np.uint8)
    upright[0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the viewer turns it by 90 degrees clockwise
    Image.fromarray(np.rot90(upright)).save(tmp_path / "side.png", exif=exif)
    with Image.open(tmp_path / "side.png") as picture:
        np.testing.assert_array_equal(np.asarray(plain(picture)), upright)


def _mixture(folder: Path) -> Path:
    """Twenty pictures of twelve sizes, in six modes and kinds of file."""
    modes = {"L": "png", "RGB": "jpg", "P": "gif", "RGBA": "webp", "CMYK": "tif", "1": "bmp"}
    folder.mkdir()
    for i in range(20):
        mode, kind = list(modes.items())[i % len(modes)]
        Image.new(mode, (20 + i % 4, 20 + i % 3), 99 if len(mode) == 1 else (0, 99, 255, 255)[: len(mode)]).save(
            folder / f"{i:02}.{kind if i % 2 else kind.upper()}"
        )
    return folder


def test_a_mixture_of_sizes_and_modes_becomes_one_set(tmp_path: Path) -> None:
    folder = _mixture(tmp_path / "mixed")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load(folder, to_learn=False)
    assert isinstance(found, ImageSet)
    assert found.pixels.shape == (20, 64, 64, 3)
    assert "several sizes, the middle square of each resized to 64 x 64" in found.notes[0]
    grey = load(folder, Images(size=16, colour="grey"), to_learn=False)
    assert grey.shape == (1, 16, 16)


@pytest.mark.parametrize("size", [None, 3, 8])
@pytest.mark.parametrize("colour", ["auto", "grey", "rgb"])
@pytest.mark.parametrize("pixels", [IMAGES, COLOURED, np.repeat(IMAGES[..., None], 3, axis=3)])
def test_arrays_and_folders_are_prepared_alike(
    tmp_path: Path, size: int | None, colour: str, pixels: np.ndarray
) -> None:
    images = Images(size=size, colour=colour)  # type: ignore[arg-type]
    write_pictures(tmp_path, *(f"{i:02}.png" for i in range(20)), pixels=pixels)
    from_array, from_folder = load(pixels, images), load(tmp_path, images)
    assert isinstance(from_array, ImageSet)
    assert isinstance(from_folder, ImageSet)
    np.testing.assert_array_equal(from_array.pixels, from_folder.pixels)
    coloured = colour == "rgb" or (colour == "auto" and pixels is COLOURED)
    assert from_array.shape == (3 if coloured else 1, *((size, size) if size else (6, 5)))
