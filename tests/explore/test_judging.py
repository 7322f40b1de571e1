"""What images are judged by, and what directions are said to change."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from torch import Tensor, nn

from ganbench.data.digits import digits
from ganbench.explore import Attributes, Subject, explore
from ganbench.explore.attributes import COLOUR_STATISTICS, STATISTICS, statistics
from ganbench.explore.judge import UNNAMED, judge
from ganbench.explore.strips import moved
from ganbench.explore.subject import with_noise
from ganbench.networks import MLP
from ganbench.priors import Noise
from ganbench.seeds import derive
from ganbench.types import Sizes, UsageError
from tests.explore.made import ATTRIBUTES, NOISE, stroke, turned

LEVEL = {name: place for place, name in enumerate(STATISTICS)}


def image(shear: float = 0.0, thick: int = 3, high: int = 24, side: int = 40) -> np.ndarray:
    """A smooth upright bar, whose upper end is moved right by the shear."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    across = np.clip(thick / 2 + 0.5 - np.abs(x + shear * y), 0, 1) * (np.abs(y) < high / 2)
    return (255 * across).round().astype(np.uint8)


@pytest.mark.parametrize("shear", [-0.5, -0.1, 0.0, 0.3])
def test_slant_is_the_tangent_of_the_lean_to_the_right(shear: float) -> None:
    measured = statistics(image(shear)[None])[0]
    assert measured[LEVEL["slant"]] == pytest.approx(shear, abs=0.01)
    assert statistics(image(shear)[None, :, ::-1])[0][LEVEL["slant"]] == pytest.approx(-shear, abs=0.01)


@pytest.mark.parametrize("thick", [1, 3, 6])
def test_thickness_is_the_area_over_half_the_outline(thick: int) -> None:
    pixels = np.zeros((1, 40, 40), np.uint8)
    pixels[0, 8:32, 10 : 10 + thick] = 255
    expected = thick * 24 / (thick + 24)
    assert statistics(pixels)[0][LEVEL["thickness"]] == pytest.approx(expected, rel=0.03)


def test_the_box_and_the_brightness_of_a_rectangle() -> None:
    pixels = np.zeros((1, 30, 20), np.uint8)
    pixels[0, 4:20, 3:8] = 255
    brightness, _, _, width, height = statistics(pixels)[0]
    assert (brightness, width, height) == (16 * 5 / 600, 5, 16)


def test_ink_may_be_dark_and_only_brightness_tells() -> None:
    light = np.stack([image(0.2), image(-0.3, 5)])
    one, other = statistics(light), statistics(255 - light)
    np.testing.assert_allclose(one[:, 1:], other[:, 1:], atol=1e-9)
    np.testing.assert_allclose(one[:, 0], 1 - other[:, 0])


@pytest.mark.parametrize("grey", [0, 77, 255])
def test_an_image_without_ink_has_none_of_its_measures(grey: int) -> None:
    np.testing.assert_array_equal(statistics(np.full((2, 9, 9), grey, np.uint8))[:, 1:], 0)


def photograph() -> np.ndarray:
    """Its left half is red and its right half nearly white, with an edge between."""
    pixels = np.zeros((1, 8, 12, 3), np.uint8)
    pixels[:, :, :6, 0], pixels[:, :, 6:] = 153, (255, 255, 204)
    return pixels


def test_light_and_colours_of_a_photograph() -> None:
    measured = dict(zip(COLOUR_STATISTICS, statistics(photograph())[0], strict=True))
    dark, light = 0.6 / 3, 2.8 / 3
    assert measured == pytest.approx(
        {
            "brightness": (dark + light) / 2,
            "contrast": (light - dark) / 2,
            "sharpness": 2 / 11,  # one edge among eleven places, of two standard deviations
            "light from the right": light - dark,
            "saturation": (0.6 + 0.2) / 2,
            "warmth": (0.6 + 0.2) / 2,
        }
    )
    assert ATTRIBUTES.names(colour=True) == COLOUR_STATISTICS


def test_contrast_takes_no_part_in_sharpness_and_blur_does() -> None:
    rng = np.random.default_rng(0)
    sharp = rng.integers(100, 156, (1, 32, 32, 3)).astype(np.uint8)
    faint = (128 + (sharp.astype(float) - 128) / 2).round().astype(np.uint8)
    blurred = np.asarray(Image.fromarray(sharp[0]).filter(ImageFilter.GaussianBlur(2)))[None]
    place = COLOUR_STATISTICS.index("sharpness")
    one, other, third = (statistics(pixels)[0, place] for pixels in (sharp, faint, blurred))
    assert other == pytest.approx(one, rel=0.02)
    assert third < one / 2


def test_a_classifier_of_the_data_adds_its_classes() -> None:
    data = digits(60)
    attributes = Attributes.of_data(data, "digits-cnn")
    measured = attributes(data.pixels)
    names = attributes.names(colour=False)
    assert names[len(STATISTICS) :] == tuple(f"reads as {digit}" for digit in range(10))
    assert measured.values.shape == (60, len(names))
    read = measured.values[:, len(STATISTICS) :]
    np.testing.assert_allclose(read.sum(axis=1), 1)
    assert (read.argmax(axis=1) == data.labels).mean() > 0.9


def test_directions_are_named_by_what_they_change() -> None:
    axes = turned(1)
    judged = judge(stroke(axes), axes.T, ATTRIBUTES)
    assert judged.names == ["brightness", "slant", *[UNNAMED] * 4]
    assert judged.ranking[:2].tolist() in ([0, 1], [1, 0])
    brightness, slant = LEVEL["brightness"], LEVEL["slant"]
    assert judged.found.steadiness[0, brightness] == judged.found.steadiness[1, slant] == 1
    assert judged.found.change[0, slant] < 0.1 * judged.found.change[0, brightness]
    assert judged.found.change[1, brightness] < 0.1 * judged.found.change[1, slant]
    np.testing.assert_array_equal(judged.found.change[2:], 0)  # axes that the generator does not read
    np.testing.assert_array_equal(judged.found.identity[2:], 0)
    np.testing.assert_array_equal(judged.found.path[2:], 0)
    np.testing.assert_array_equal(judged.found.sign[2:], 0)
    assert (judged.found.identity[:2] > 0.3).all()
    assert (judged.found.path[:2] > 0).all()


class Grey(nn.Module):
    """A picture of one grey, linear in the noise, so that all is known in closed form."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(NOISE, 1, bias=False)
        self.layer.weight.data = torch.tensor([[0.05, 0.02, 0.0, 0.0, 0.0, 0.0]])

    def forward(self, z: Tensor) -> Tensor:
        return self.layer(z)[:, :, None, None].expand(-1, 1, 8, 8)


@pytest.mark.parametrize("reach", [1.0, 3.0])
def test_a_change_is_twice_the_reach_in_standard_deviations(reach: float) -> None:
    """Grey is 0.05 z1 + 0.02 z2, of variance 0.05^2 + 0.02^2."""
    subject = Subject.of_module("grey", Grey(), NOISE)
    judged = judge(subject, np.eye(NOISE)[:2], ATTRIBUTES, reach=reach, count=2000, random=2)
    expected = 2 * reach * np.array([0.05, 0.02]) / np.hypot(0.05, 0.02)
    np.testing.assert_allclose(judged.found.change[:, 0], expected, rtol=0.06)
    np.testing.assert_array_equal(judged.found.change[:, 1:], 0)
    assert judged.found.sign[:, 0].tolist() == [1, 1]


def test_probabilities_change_in_units_of_no_less_than_one_image() -> None:
    data = digits(60)
    attributes = Attributes.of_data(data, "digits-cnn")
    torch.manual_seed(0)
    generator = MLP((32,)).generator(Sizes((1, 28, 28), noise=4))
    subject, axis = Subject("made", generator, Noise(dimension=4)), np.eye(4)[:1]
    judged = judge(subject, axis, attributes, count=16, random=2)
    latent = subject.latents(16, derive(0, "judged"))
    ends = [subject.images(with_noise(latent, moved(latent, axis, np.array([step])))) for step in (3.0, -3.0)]
    start, up, down = (attributes(pixels).values for pixels in (subject.images(latent), *ends))
    spread = start.std(axis=0)
    assert (spread[len(STATISTICS) :] < 0.25).any()
    assert (spread[: len(STATISTICS)] < 0.25).any()
    spread[len(STATISTICS) :] = np.maximum(spread[len(STATISTICS) :], 0.25)
    there = spread > 1e-6
    expected = np.abs(up - down).mean(axis=0)[there] / spread[there]
    np.testing.assert_allclose(judged.found.change[0, there], expected)


def test_random_directions_are_random_when_the_axis_is_hidden_among_them() -> None:
    """Of unit vectors in d dimensions the mean |first coordinate| is Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2))."""
    subject = Subject.of_module("grey", Grey(), NOISE)
    judged = judge(subject, np.eye(NOISE)[:1], ATTRIBUTES, count=64, random=400)
    along = np.hypot(0.05, 0.02) / 0.05 * (2 / (np.sqrt(np.pi) * 3.3234 / 1))  # Gamma(3) = 2, Gamma(3.5) = 3.3234
    assert judged.random.change[:, 0].mean() / judged.found.change[0, 0] == pytest.approx(along, rel=0.1)


def test_an_exploration_follows_from_its_seed() -> None:
    one, same, other = (explore(stroke(turned(4)), ATTRIBUTES, "pca", 3, seed) for seed in (1, 1, 2))
    np.testing.assert_allclose(one.directions.vectors, same.directions.vectors, rtol=1e-9)
    np.testing.assert_array_equal(one.judgement.random.change, same.judgement.random.change)
    assert not np.array_equal(one.judgement.random.change, other.judgement.random.change)
    assert not np.array_equal(one.directions.vectors, other.directions.vectors)


@pytest.mark.parametrize("method", ["sefa", "pca", "supervised"])
def test_what_a_direction_is_named_by_grows_along_it(method: str) -> None:
    found = explore(stroke(turned(6)), ATTRIBUTES, method, 2)
    assert found.judgement.names[0] == "brightness" or method == "supervised"
    assert "brightness" in found.judgement.names
    again = judge(found.subject, found.directions.vectors, ATTRIBUTES)
    np.testing.assert_array_equal(again.found.sign[np.arange(2), again.most], 1)
    np.testing.assert_array_equal(again.found.sign, found.judgement.found.sign)


@pytest.mark.parametrize(
    ("module", "noise", "sentence"),
    [
        (nn.Linear(6, 4), 6, r"gives finite images .* this one makes \(2, 4\)"),
        (nn.Linear(6, 4), 5, "does not take noise"),
        (nn.Sequential(nn.Linear(6, 16), nn.Unflatten(1, (4, 2, 2))), 6, "1 or 3"),
        (nn.Sequential(nn.Linear(6, 16), nn.Threshold(1e9, torch.nan), nn.Unflatten(1, (1, 4, 4))), 6, "finite"),
        (nn.Linear(6, 4), 0, "a whole number above 0"),
    ],
    ids=["vectors", "other noise", "channels", "not finite", "no noise"],
)
def test_modules_that_make_no_images_are_refused(module: nn.Module, noise: int, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Subject.of_module("own", module, noise)
