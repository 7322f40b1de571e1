"""The ruler of images: which metrics a set has, between which images, beside which floor, and what it survives."""

import math

import numpy as np
import pytest

from ganbench.data import ImageSet
from ganbench.data.digits import digits
from ganbench.data.stacked import stacked
from ganbench.metrics import METRICS, Embedded, ImageRuler, features_for, fid, kid, sliced_w
from ganbench.metrics.random_conv import RandomConv
from ganbench.types import UsageError

DISTANCES = {
    "fid", "fid_spread", "kid", "kid_spread", "precision", "recall", "density", "coverage", "nearest_train", "copies",
}  # fmt: skip
CLASSES = {"label_kl", "modes", "label_entropy", "readable", "legible", "confidence"}


@pytest.fixture(scope="module")
def data() -> ImageSet:
    return digits(1200)


@pytest.fixture(scope="module")
def ruler(data: ImageSet) -> ImageRuler:
    return ImageRuler(data, 500, features_for(data))


def test_each_set_has_its_metrics(data: ImageSet, ruler: ImageRuler) -> None:
    unlabelled = ImageSet("plain", data.pixels)
    plain = ImageRuler(unlabelled, 200, features_for(unlabelled))
    generated = digits(500, seed=1)
    assert set(ruler.measure(generated.pixels)) == DISTANCES | CLASSES
    assert set(ruler.measure(generated.pixels, generated.labels)) == DISTANCES | CLASSES | {"label_accuracy"}
    assert set(ruler.floor) == set(ruler.floor_spread) == DISTANCES | CLASSES | {"label_accuracy"}
    assert set(plain.measure(generated.pixels)) == set(plain.floor) == DISTANCES | {"sliced_w"}
    assert {*ruler.floor, *plain.floor} <= set(METRICS)


def test_figures_are_those_of_the_functions(data: ImageSet, ruler: ImageRuler) -> None:
    generated = digits(500, seed=1)
    real, fake = (ruler.features(pixels).features for pixels in (ruler.reference, generated.pixels))
    figures = ruler.measure(generated.pixels, generated.labels)
    assert figures["fid"] == pytest.approx(fid(real, fake), rel=1e-4)
    halves = kid(real, fake, size=250)
    assert figures["kid"] == pytest.approx(halves.mean, rel=1e-3, abs=1e-5)
    assert figures["kid_spread"] == pytest.approx(halves.spread, rel=1e-3)
    assert figures["kid_spread"] > 0
    assert figures["modes"] == 10
    assert figures["label_accuracy"] >= 0.99
    seen = ruler.features(generated.pixels)
    assert figures["readable"] == np.count_nonzero(np.asarray(seen.confidence) > 0.9) / 500
    shares = np.unique(np.asarray(seen.labels), return_counts=True)[1] / 500
    assert figures["label_entropy"] == pytest.approx(-(shares * np.log(shares)).sum())
    plain = ImageRuler(data, 50, RandomConv())
    flat = [pixels.reshape(50, -1).astype(float) for pixels in (plain.reference, generated.pixels[:50])]
    assert plain.measure(generated.pixels)["sliced_w"] == sliced_w(*flat)


def test_a_perfect_generator_is_near_the_floor_and_worse_ones_are_not(ruler: ImageRuler) -> None:
    fresh = digits(500, seed=1).pixels
    perfect, floor, spread = ruler.measure(fresh), ruler.floor, ruler.floor_spread
    assert abs(perfect["fid"] - floor["fid"]) < max(5 * spread["fid"], floor["fid"])
    halved = ruler.measure(digits(2000, seed=1).take(np.flatnonzero(digits(2000, seed=1).labels < 5)).pixels)  # type: ignore[operator]
    assert halved["modes"] == 5
    assert halved["label_kl"] == pytest.approx(math.log(2), rel=0.05)
    assert halved["recall"] < 0.7 < perfect["recall"]
    assert halved["fid"] > 5 * perfect["fid"]


def test_a_copying_generator_is_below_the_floor_of_nearest_train(data: ImageSet, ruler: ImageRuler) -> None:
    assert ruler.floor["nearest_train"] > 0.1
    assert ruler.measure(data.pixels[:500])["nearest_train"] < 1e-4
    assert ruler.measure(digits(500, seed=1).pixels)["nearest_train"] == pytest.approx(
        ruler.floor["nearest_train"], rel=0.3
    )


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_copies_are_counted_beside_as_many_as_the_data_have(data: ImageSet, ruler: ImageRuler, share: float) -> None:
    """One in a hundred real images is as near to another by the measure's own definition."""
    copied = round(500 * share)
    generated = np.concatenate([data.pixels[:copied], digits(500, seed=1).pixels[copied:]])
    assert ruler.measure(generated)["copies"] == pytest.approx(share, abs=0.03)
    assert 0 < ruler.floor["copies"] < 0.03


def test_the_nearest_training_images_of_a_copy_begin_with_its_original(data: ImageSet, ruler: ImageRuler) -> None:
    images, distances = ruler.nearest(data.pixels[[3, 999]], 4)
    assert images.shape == (2, 4, 28, 28)
    assert np.array_equal(images[:, 0], data.pixels[[3, 999]])
    assert distances.shape == (2, 4)
    assert (np.diff(distances, axis=1) >= 0).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_generator_of_one_image_is_measured(ruler: ImageRuler, level: int) -> None:
    figures = ruler.measure(np.full((500, 28, 28), level, dtype=np.uint8))
    assert all(math.isfinite(value) for value in figures.values())
    assert figures["modes"] == 1
    assert figures["recall"] <= 0.01
    assert figures["fid"] > 20 * ruler.floor["fid"]


def test_measuring_is_repeatable_and_looks_at_no_more_than_its_draws(data: ImageSet, ruler: ImageRuler) -> None:
    generated = digits(700, seed=1).pixels
    assert ruler.measure(generated) == ruler.measure(generated[: ruler.draws])
    assert np.array_equal(ruler.reference, ImageRuler(data, 500, ruler.features).reference)
    assert not np.array_equal(ruler.reference, ImageRuler(data, 500, ruler.features, seed=1).reference)


def test_the_count_is_at_most_half_the_data(data: ImageSet) -> None:
    ruler = ImageRuler(data, 10_000, RandomConv())
    assert ruler.count == ruler.draws == len(ruler.reference) == 600


def test_small_sets_are_measured_too() -> None:
    rng = np.random.default_rng(0)
    ruler = ImageRuler(ImageSet("few", rng.integers(0, 256, (16, 8, 8, 3), dtype=np.uint8)), 2000, RandomConv())
    figures = ruler.measure(rng.integers(0, 256, (8, 8, 8, 3), dtype=np.uint8))
    assert all(map(math.isfinite, figures.values()))
    assert figures.keys() == ruler.floor.keys()
    with pytest.raises(UsageError, match="more than 5 images"):
        ImageRuler(ImageSet("two", np.zeros((10, 8, 8), dtype=np.uint8)), 2000, RandomConv())


def test_wrong_samples_are_refused_in_a_sentence(ruler: ImageRuler) -> None:
    for wrong in (
        np.zeros((499, 28, 28), dtype=np.uint8),
        np.zeros((500, 28, 28, 3), dtype=np.uint8),
        np.zeros((500, 28, 27), dtype=np.uint8),
        np.zeros((500, 28, 28)),
    ):
        with pytest.raises(UsageError, match="500 generated images"):
            ruler.measure(wrong)


def test_modes_of_stacked_sets_are_counted_in_more_images_than_the_rest() -> None:
    base = digits(1000)
    data = stacked(base, count=3000)
    ruler = ImageRuler(data, 300, features_for(data), mode_count=900)
    assert ruler.draws == 900
    few = ruler.measure(data.pixels[:900])
    assert few["modes"] == len(np.unique(features_for(data)(data.pixels[:900]).labels))  # type: ignore[arg-type]
    assert 500 < few["modes"] < 700  # 1000 (1 - e^-0.9) of 1,000 in 900 draws
    one_digit = np.repeat(base.take(base.labels == 3).pixels[:90], 10, axis=0)  # type: ignore[arg-type]
    collapsed = ruler.measure(np.stack([one_digit] * 3, axis=-1))
    assert collapsed["modes"] < 10
    assert collapsed["label_kl"] > 5


def test_of_large_sets_only_a_part_is_embedded(monkeypatch: pytest.MonkeyPatch, data: ImageSet) -> None:
    seen: list[int] = []

    class Counting(RandomConv):
        def __call__(self, pixels: np.ndarray) -> Embedded:
            seen.append(len(pixels))
            return super().__call__(pixels)

    monkeypatch.setattr("ganbench.metrics.images.WHOLE", 1000)
    ruler = ImageRuler(data, 100, Counting())
    assert "nearest_train" not in ruler.floor
    assert "nearest_train" not in ruler.measure(ruler.reference)
    assert seen == [400, 100]


def test_a_large_set_in_pieces_is_measured_as_in_one(monkeypatch: pytest.MonkeyPatch, data: ImageSet) -> None:
    monkeypatch.setattr("ganbench.metrics.images.WHOLE", 1000)
    whole = ImageRuler(data, 100, RandomConv())
    generated = data.pixels[-100:]
    floor, measured = whole.floor, whole.measure(generated)
    monkeypatch.setattr("ganbench.metrics.images.PIECE", 70)
    pieces = ImageRuler(data, 100, RandomConv())
    assert pieces.measure(generated) == pytest.approx(measured, rel=1e-4)
    assert pieces.floor == pytest.approx(floor, rel=1e-4)
    near, _ = pieces.nearest(pieces.reference[:5], 1)
    np.testing.assert_array_equal(near[:, 0], pieces.reference[:5])
