"""Style-based generators: SeFa of their layers' styles, in w, and for a range of layers alone."""

import numpy as np
import pytest
import torch
from torch import nn

from ganbench.explore import Subject, explore
from ganbench.explore.layers import noise_weight
from ganbench.explore.pca import pca
from ganbench.explore.sefa import sefa
from ganbench.explore.styles import in_styles, is_styled
from ganbench.explore.subject import with_noise
from ganbench.explore.writing import _interpolation
from ganbench.networks import Residual, Style
from ganbench.networks.style import Synthesis
from ganbench.priors import Coded, Noise
from ganbench.types import Sizes, UsageError
from tests.explore.made import ATTRIBUTES, NOISE, stroke

WIDTH = 12
LABELS = np.arange(30) % 3


def styled(labels: bool = False) -> Subject:
    torch.manual_seed(0)
    use = ("a", "b", "c"), LABELS
    sizes = Sizes((3, 32, 32), noise=5, classes=3 if labels else 0, labels="concat" if labels else "none")
    network = Style(channels=4, most=8, width=WIDTH, depth=2).generator(sizes).eval()
    return Subject("made", network, Noise(dimension=5), *(use if labels else ((), None)))


def styles_of(body: Synthesis, w: torch.Tensor, layers: list[int]) -> torch.Tensor:
    return torch.cat([body.layers[n].affine(w) for n in layers], dim=1)  # type: ignore[union-attr, operator]


@pytest.mark.parametrize(("layers", "numbers"), [(None, [0, 1, 2, 3]), ("1-2", [1, 2]), ("3", [3])])
def test_sefa_is_the_decomposition_of_the_layers_stacked_affine_weights(layers: str | None, numbers: list[int]) -> None:
    subject = styled()
    body = subject.network.body
    assert isinstance(body, Synthesis)
    stacked = np.concatenate([body.layers[n].affine.weight.detach().double().numpy().T for n in numbers], axis=1)  # type: ignore[union-attr, operator]
    left, singular, _ = np.linalg.svd(stacked / np.linalg.norm(stacked, axis=0))
    found = sefa(in_styles(subject, layers), 3)
    np.testing.assert_allclose(found.strengths, singular[:3] ** 2, rtol=1e-5)
    np.testing.assert_allclose(np.abs(np.diag(found.vectors @ left[:, :3])), 1, rtol=1e-5)
    assert found.found_in == f"styles of layers {numbers[0]}-{numbers[-1]}"


def test_a_step_of_w_moves_the_styles_by_the_weights() -> None:
    subject = styled()
    moved = in_styles(subject)
    _, rows = noise_weight(moved)
    w = moved.latents(3, seed=1).z
    for axis in range(WIDTH):
        before, after = (styles_of(subject.network.body, x, [0, 1, 2, 3]) for x in (w, w + torch.eye(WIDTH)[axis]))  # type: ignore[arg-type]
        np.testing.assert_allclose((after - before).detach(), rows[axis].expand_as(after), atol=1e-5)


@pytest.mark.parametrize("labels", [False, True])
def test_w_that_was_not_moved_gives_the_images_of_the_noise(labels: bool) -> None:
    subject = styled(labels)
    for layers in (None, "0-1"):
        moved = in_styles(subject, layers)
        np.testing.assert_array_equal(subject.images(subject.rows(4)), moved.images(moved.rows(4)))
        assert moved.noise == moved.latents(2, 0).z.shape[1] == WIDTH
    assert moved.latents(4000, 1).z.var(dim=0).mean() == pytest.approx(1, abs=0.05)


def test_layers_outside_the_range_keep_what_was_drawn() -> None:
    moved = in_styles(styled(), "3")
    body = moved.network.generator.body
    given: list[torch.Tensor] = []
    for layer in body.layers:  # type: ignore[union-attr]
        layer.register_forward_hook(lambda _, inputs, output: given.append(inputs[1]))
    latent = moved.latents(2, seed=0)
    moved.images(latent)
    moved.images(with_noise(latent, (latent.z + 1)[:, None]))
    same = [torch.equal(a, b) for a, b in zip(given[:4], given[4:], strict=True)]
    assert same == [True, True, True, False]


def test_pca_is_that_of_w() -> None:
    moved = in_styles(styled(), "1-2")
    w = np.cov(moved.latents(40_000, seed=5).z.numpy().T)
    variances, vectors = np.linalg.eigh(w)
    found = pca(moved, 2)
    np.testing.assert_allclose(found.strengths / moved.network.scale**2, variances[:-3:-1], rtol=0.15)  # type: ignore[operator]
    np.testing.assert_allclose(np.abs(np.diag(found.vectors @ vectors[:, :-3:-1])), 1, atol=0.05)


@pytest.mark.parametrize("labels", [False, True])
def test_the_way_between_images_is_that_of_the_noise_whatever_layers_are_explored(labels: bool) -> None:
    subject = styled(labels)
    of_noise, *of_styles = (
        np.stack([np.asarray(frame, np.int16) for frame in _interpolation(each, 0)])
        for each in (subject, in_styles(subject), in_styles(subject, "0"))
    )
    assert np.ptp(of_noise, axis=0).max() > 20
    for way in of_styles:
        assert np.abs(way - of_noise).max() <= 1  # w is divided by its scale and multiplied again


@pytest.mark.parametrize("method", ["sefa", "pca", "supervised"])
def test_a_style_based_generator_is_explored_by_each_method(method: str) -> None:
    found = explore(styled(), ATTRIBUTES, method, 2, layers="0-2")
    assert found.directions.vectors.shape == (2, WIDTH)


@pytest.mark.parametrize("layers", ["0-4", "3-1", "-1", "x", "1-", ""])
def test_ranges_that_there_are_not_are_refused(layers: str) -> None:
    with pytest.raises(UsageError, match=r"--layers.*such as 0-3"):
        in_styles(styled(), layers)


def test_other_generators_have_no_ranges() -> None:
    residual = Residual(channels=4).generator(Sizes((3, 16, 16), noise=NOISE))
    assert not is_styled(Subject("residual", residual, Noise(dimension=NOISE)))
    with pytest.raises(UsageError, match=r"--layers 0-1.*style-based"):
        explore(stroke(), ATTRIBUTES, layers="0-1")


class Elsewhere(nn.Module):
    """A style-based generator as other packages have them; the last w is given to two matrices."""

    def __init__(self) -> None:
        super().__init__()
        self.mapped = nn.Linear(NOISE, WIDTH)
        self.affine = nn.ModuleList(nn.Linear(WIDTH, 7) for _ in range(3))
        self.to_image = nn.Linear(WIDTH, 7)
        self.out = nn.Linear(7, 3 * 8 * 8)

    def mapping(self, z: torch.Tensor) -> torch.Tensor:
        return self.mapped(z).tanh()[:, None].repeat(1, 3, 1)

    def synthesis(self, ws: torch.Tensor) -> torch.Tensor:
        h = sum(affine(ws[:, k]) for k, affine in enumerate(self.affine))
        return self.out(h + self.to_image(ws[:, 2])).tanh().view(-1, 3, 8, 8)


def test_a_style_based_generator_of_elsewhere_is_explored_by_layers() -> None:
    torch.manual_seed(0)
    module = Elsewhere()
    subject = Subject.of_module("elsewhere", module, NOISE)
    assert is_styled(subject)
    for layers, affine in (("0", [module.affine[0]]), ("1-2", [*module.affine[1:], module.to_image])):
        _, rows = noise_weight(in_styles(subject, layers))
        stacked = torch.cat([each.weight.detach().double().T for each in affine], dim=1)
        assert {tuple(column) for column in rows.T.tolist()} == {tuple(column) for column in stacked.T.tolist()}
    z = subject.latents(4, seed=3).z
    moved = in_styles(subject, "0")
    np.testing.assert_allclose(subject.images(subject.latents(4, 3)), moved.images(moved.latents(4, 3)), atol=1)
    assert moved.latents(4, 3).z.shape == (len(z), WIDTH)
    with pytest.raises(UsageError, match=r"such as 0-2"):
        in_styles(subject, "3")
    assert explore(subject, ATTRIBUTES, "sefa", 2, layers="1").directions.vectors.shape == (2, WIDTH)


def test_codes_are_held_in_w_as_in_the_noise() -> None:
    """What a code asks for is no direction of w, whatever way directions are found."""
    torch.manual_seed(0)
    prior = Coded(Noise(dimension=5), categories=0, continuous=2)
    sizes = Sizes((3, 16, 16), noise=5, code=prior.code_width)
    network = Style(channels=4, most=8, width=WIDTH, depth=2).generator(sizes).eval()
    subject = Subject("coded", network, prior)
    moved = in_styles(subject)
    of_noise, of_w = (each.asked(each.latents(50, 1)) for each in (subject, moved))
    assert of_noise.shape == of_w.shape == (50, 3)
    np.testing.assert_allclose(of_w @ of_w.T, of_noise @ of_noise.T, atol=1e-9)
    np.testing.assert_array_equal(subject.images(subject.rows(4)), moved.images(moved.rows(4)))
