"""Interpolation, strips and projection."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganbench.data.digits import digits
from ganbench.explore import STEPS, Attributes, Subject, labels_for, project, strip
from ganbench.explore.projection import AT_ONCE
from ganbench.interpolation import slerp, through_noise
from ganbench.metrics.random_conv import RandomConv
from ganbench.networks import MLP
from ganbench.priors import Coded, Noise
from ganbench.types import Sizes, UsageError
from tests.explore.made import ATTRIBUTES, NOISE, Stroke, stroke

SHARES = torch.linspace(0, 1, 9, dtype=torch.float64)


def drawn(seed: int, count: int = 20, noise: int = 7) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, noise)))


def test_slerp_goes_evenly_in_angle_and_length() -> None:
    a, b = drawn(0), drawn(1)
    way = slerp(a, b, SHARES)
    torch.testing.assert_close(way[:, 0], a)
    torch.testing.assert_close(way[:, -1], b)
    lengths = way.norm(dim=2)
    torch.testing.assert_close(lengths.diff(dim=1), lengths.diff(dim=1)[:, :1].expand(-1, 8))
    unit = way / lengths[..., None]
    angles = (unit[:, 1:] * unit[:, :-1]).sum(dim=2).acos()
    torch.testing.assert_close(angles, angles[:, :1].expand(-1, 8))


def test_slerp_stays_in_the_plane_of_its_ends() -> None:
    a, b = drawn(0, 1), drawn(1, 1)
    assert torch.linalg.matrix_rank(torch.cat((a, b, slerp(a, b, SHARES)[0]))) == 2


@pytest.mark.parametrize("factor", [1.0, 2.5, -1.0, 0.0])
def test_on_one_line_slerp_is_the_straight_way(factor: float) -> None:
    a = drawn(0)
    torch.testing.assert_close(
        slerp(a, factor * a, SHARES), torch.lerp(a[:, None], factor * a[:, None], SHARES[:, None])
    )


@pytest.mark.parametrize("distribution", ["normal", "sphere", "uniform"])
@pytest.mark.parametrize("coded", [False, True])
def test_the_way_keeps_to_what_the_prior_fills(distribution: str, coded: bool) -> None:
    noise = Noise(dimension=7, distribution=distribution)
    prior = Coded(noise=noise) if coded else noise
    a, b = (prior.draw(None, 20, torch.Generator().manual_seed(seed)).z for seed in (0, 1))
    way = through_noise(prior, a, b, SHARES)
    if distribution == "uniform":
        torch.testing.assert_close(way[:, 4], (a + b) / 2)
    else:
        lengths = way.norm(dim=2)
        torch.testing.assert_close(lengths[:, 4], (lengths[:, 0] + lengths[:, -1]) / 2)


def test_strips_hold_the_steps_that_they_say() -> None:
    subject, vector = stroke(), np.eye(NOISE)[1]
    latent = subject.latents(3, seed=0)
    pixels = strip(subject, vector, latent)
    assert pixels.shape == (3, 11, 20, 20)
    assert STEPS.tolist() == pytest.approx([-3, -2.4, -1.8, -1.2, -0.6, 0, 0.6, 1.2, 1.8, 2.4, 3])
    np.testing.assert_array_equal(pixels[:, 5], subject.images(latent))
    moved = latent.z.clone()
    moved[:, 1] += 3
    with torch.no_grad():
        expected = Stroke()(moved)[:, 0].numpy()
    np.testing.assert_allclose(pixels[:, 10], (expected + 1) * 127.5, atol=0.51)


def test_an_image_that_the_generator_made_is_found_again() -> None:
    subject = stroke()
    pixels = subject.images(subject.latents(5, seed=9))
    found = project(subject, pixels, attributes=ATTRIBUTES)
    assert found.z.shape == (5, NOISE)
    assert (found.error < 0.01).all()
    np.testing.assert_array_equal(found.images, subject.images(type(subject.latents(1, 0))(torch.from_numpy(found.z))))
    wrong = (found.images.astype(float) - pixels) / 255
    np.testing.assert_allclose(found.error, np.sqrt((wrong**2).mean(axis=(1, 2))))


def test_an_image_that_it_cannot_make_has_an_error_that_says_so() -> None:
    bright = np.full((1, 20, 20), 255, np.uint8)
    assert project(stroke(), bright).error[0] > 0.5


def test_more_starts_are_never_worse() -> None:
    subject = stroke()
    pixels = subject.images(subject.latents(4, seed=9))
    few, many = (project(subject, pixels, starts=starts, steps=5).error for starts in (1, 6))
    assert many.mean() < few.mean()


def test_a_projection_follows_from_its_seed() -> None:
    subject = stroke()
    pixels = subject.images(subject.latents(2, seed=9))
    one, same, other = (project(subject, pixels, steps=5, seed=seed).z for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_what_an_image_is_projected_to_does_not_depend_on_the_others() -> None:
    data = digits(60)
    attributes = Attributes.of_data(data, "digits-cnn")
    assert attributes.reader
    torch.manual_seed(0)
    generator = MLP((32,)).generator(Sizes((1, 28, 28), noise=8)).requires_grad_(False)
    subject = Subject("made", generator, Noise(dimension=8))
    alone, among = (project(subject, data.pixels[:n], attributes=attributes, steps=20) for n in (1, 5))
    np.testing.assert_allclose(alone.z[0], among.z[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("shape", "kind"), [((20, 20), np.uint8), ((1, 20, 20), float), ((0, 20, 20), np.uint8)])
def test_what_is_no_images_is_refused(shape: tuple[int, ...], kind: type) -> None:
    with pytest.raises(UsageError, match="images are uint8"):
        project(stroke(), np.zeros(shape, kind))


def test_images_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="makes images of shape"):
        project(stroke(), np.zeros((1, 8, 8), np.uint8))
    with pytest.raises(UsageError, match="takes no labels"):
        project(stroke(), np.zeros((1, 20, 20), np.uint8), np.zeros(1, int))
    labelled = Subject("labelled", stroke().network, stroke().prior, ("a",), np.zeros(3, int))
    with pytest.raises(UsageError, match="needs the images' labels"):
        project(labelled, np.zeros((1, 20, 20), np.uint8))
    for labels in ([1], [-1], [0, 0]):
        with pytest.raises(UsageError, match="as many labels from 0 to 0"):
            project(labelled, np.zeros((1, 20, 20), np.uint8), np.array(labels))


def test_more_images_than_are_looked_for_at_once_are_found_like_fewer() -> None:
    subject = stroke()
    pixels = subject.images(subject.latents(AT_ONCE + 3, seed=9))
    shares: list[float] = []
    found = project(subject, pixels, steps=60, watch=shares.append)
    assert shares == [AT_ONCE / (AT_ONCE + 3), 1.0]
    assert found.error.shape == (AT_ONCE + 3,)
    assert np.median(found.error) < 0.3 * np.median(project(subject, pixels, steps=0).error)


def test_each_image_is_asked_for_by_its_folder_or_by_what_is_read_in_it() -> None:
    data = digits(60)
    attributes = Attributes.of_data(data, "digits-cnn")
    labelled = replace(stroke(), labels=data.labels, classes=data.classes)
    names = [f"some/{i}.png" for i in range(20)]
    read = labels_for(names, data.pixels[:20], labelled, attributes)
    np.testing.assert_array_equal(read, data.labels[:20])  # type: ignore[index]
    told = labels_for(["some/7/0.png", *names[1:]], data.pixels[:20], labelled, attributes)
    assert told is not None
    assert told.tolist() == [7, *data.labels[1:20].tolist()]  # type: ignore[index]
    unread = replace(attributes, features=RandomConv())
    assert labels_for(["7/0.png", "3/1.png"], data.pixels[:2], labelled, unread).tolist() == [7, 3]  # type: ignore[union-attr]
    with pytest.raises(UsageError, match=r"b/1\.png: stroke is asked for labels"):
        labels_for(["7/0.png", "b/1.png"], data.pixels[:2], labelled, unread)
    assert labels_for(names, data.pixels[:20], stroke(), attributes) is None
