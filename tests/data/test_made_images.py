"""The images that we make: the built-in digits and stacked sets."""

import numpy as np
import pytest

from ganbench.data import ImageSet, load
from ganbench.data.digits import digits
from ganbench.data.stacked import stacked


def test_the_seed_decides_every_digit() -> None:
    assert digits(200).fingerprint == digits(200).fingerprint
    assert digits(200, seed=1).fingerprint != digits(200).fingerprint


def test_digits_are_like_mnists() -> None:
    found = digits(500)
    assert found.shape == (1, 28, 28)
    assert np.bincount(np.asarray(found.labels)).tolist() == [50] * 10
    x = found.pixels / 255
    assert max(x[:, edge].max() for edge in (0, -1)) < 0.2  # nothing is cut off at the edges
    assert max(x[:, :, edge].max() for edge in (0, -1)) < 0.2
    assert (x.max(axis=(1, 2)) > 0.5).all()  # and ink in each
    assert 0.08 < x.mean() < 0.2  # MNIST: 0.13
    middle = np.einsum("nhw,h->n", x, np.arange(28)) / x.sum(axis=(1, 2))
    assert abs(middle.mean() - 13.5) < 0.5
    assert len({image.tobytes() for image in found.pixels}) == 500


def test_digits_can_be_told_apart() -> None:
    """The nearest of other digits has the same label far more often than by chance (0.1)."""
    known, asked = digits(2000, seed=1), digits(300, seed=2)
    a, b = (images.pixels.reshape(len(images), -1) / 255.0 for images in (asked, known))
    nearest = ((a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)).argmin(axis=1)
    assert known.labels is not None
    assert (known.labels[nearest] == asked.labels).mean() > 0.8


@pytest.mark.parametrize("kinds", [3, 10])
def test_stacked_images_are_triples_and_labels_are_read_from_them(kinds: int) -> None:
    pixels = np.arange(40, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)  # each image tells its place
    base = ImageSet("numbers", pixels, np.arange(40) % kinds)
    found = stacked(base, count=5000, seed=3)
    assert (found.name, found.title, found.shape) == ("stacked:numbers", "stacked:numbers", (3, 2, 2))
    a, b, c = (found.pixels[:, 0, 0, channel] % kinds for channel in range(3))
    assert [found.classes[label] for label in np.asarray(found.labels)] == [
        f"{r}{g}{b}" for r, g, b in zip(a, b, c, strict=True)
    ]
    assert len(found.classes) == kinds**3
    if kinds == 10:
        np.testing.assert_array_equal(found.labels, [int(found.classes[label]) for label in np.asarray(found.labels)])


def test_stacked_channels_are_drawn_uniformly_and_apart() -> None:
    base = ImageSet("bits", np.array([0, 255], np.uint8)[:, None, None], np.array([0, 1]))
    found = stacked(base, count=8000)
    assert found.labels is not None
    counts = np.bincount(found.labels, minlength=8)
    assert ((counts - 1000) ** 2 / 1000).sum() < 24.3  # chi-squared of 7 degrees of freedom at 0.001
    assert stacked(base, count=8000).fingerprint == found.fingerprint
    assert stacked(base, count=8000, seed=1).fingerprint != found.fingerprint


def test_the_protocols_count_is_the_default() -> None:
    base = ImageSet("bits", np.array([0, 255], np.uint8)[:, None, None].repeat(8, axis=0), np.arange(16) // 8)
    found = load(base)
    assert isinstance(found, ImageSet)
    assert len(stacked(found)) == 128_000


def test_names_of_many_letters_are_kept_apart() -> None:
    base = ImageSet("pets", np.zeros((2, 1, 1), np.uint8), np.array([0, 1]), ("cat", "dog"))
    assert stacked(base, count=1).classes[1] == "cat-cat-dog"
