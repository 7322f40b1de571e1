"""SeFa, PCA and regression find what is known to be there."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganbench.data import ImageSet
from ganbench.explore import Subject, explore
from ganbench.explore.directions import random_directions
from ganbench.explore.layers import first_layer, heard, noise_weight
from ganbench.explore.pca import components, pca, regressed
from ganbench.explore.probes import ridge
from ganbench.explore.sefa import factorise, sefa
from ganbench.explore.supervised import supervised
from ganbench.networks import DCGAN, MLP, Fourier, Network, Residual
from ganbench.priors import Coded, Noise
from ganbench.types import Latent, Prior, Sizes, UsageError
from tests.explore.made import ATTRIBUTES, NOISE, stroke, turned

SHAPES = [(3, 50), (8, 8), (20, 5)]


def weight(noise: int, out: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(noise, out)))


@pytest.mark.parametrize(("noise", "out"), SHAPES)
def test_sefa_is_the_singular_value_decomposition_of_the_unit_columns(noise: int, out: int) -> None:
    a = weight(noise, out).numpy()
    a = a / np.sqrt((a**2).sum(axis=0))
    left, singular, _ = np.linalg.svd(a)
    values, vectors = factorise(weight(noise, out))
    rank = min(noise, out)
    np.testing.assert_allclose(values[:rank], singular**2, rtol=1e-10)
    np.testing.assert_allclose(values[rank:], 0, atol=1e-10)
    np.testing.assert_allclose(np.abs(np.diag(vectors[:rank] @ left[:, :rank])), 1, rtol=1e-9)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(noise), atol=1e-10)
    assert values.sum() == pytest.approx(out)  # the trace: each column has the length 1


def test_sefa_finds_known_singular_vectors() -> None:
    axes = turned(3)
    a = np.zeros((NOISE, 6 * 4))
    for axis in range(NOISE):  # axis i is seen by 6 - i outputs, each with a scale and sign of its own
        for column in range(6 - axis):
            a[:, 4 * axis + column % 4] = axes[:, axis] * (-1) ** column * (1 + column)
    counts = [min(4, 6 - axis) for axis in range(NOISE)]
    values, vectors = factorise(torch.from_numpy(a))
    np.testing.assert_allclose(values, counts, atol=1e-12)
    for axis in (3, 4, 5):  # whose eigenvalues, 3, 2 and 1, are their own
        assert abs(vectors[axis] @ axes[:, axis]) == pytest.approx(1)


def test_sefa_does_not_see_scale_sign_or_order_of_the_outputs() -> None:
    a, rng = weight(7, 30), np.random.default_rng(1)
    changed = a[:, rng.permutation(30)] * torch.from_numpy(rng.choice([-1, 1], 30) * rng.uniform(0.1, 50, 30))
    for one, other in zip(factorise(a), factorise(changed), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_sefa_turns_with_the_noise() -> None:
    a, turn = weight(6, 40), turned(2)
    (values, vectors), (again, moved) = factorise(a), factorise(torch.from_numpy(turn) @ a)
    np.testing.assert_allclose(values, again)
    np.testing.assert_allclose(np.abs(np.diag(moved @ turn @ vectors.T)), 1, rtol=1e-9)


def test_outputs_without_weights_say_nothing() -> None:
    a = weight(4, 10)
    padded = torch.cat((a, torch.zeros(4, 3, dtype=torch.float64)), dim=1)
    for one, other in zip(factorise(a), factorise(padded), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize(("n", "features"), [(40, 6), (40, 300), (40, 9000)])
def test_components_are_those_of_a_decomposition_within_each_label(n: int, features: int, labels: bool) -> None:
    y = np.arange(n) % 4 if labels else np.zeros(n, int)
    x = weight(n, features).numpy() + 5 + 3 * y[:, None]
    held = np.linalg.qr(np.eye(4)[y] if labels else np.ones((n, 1)))[0]
    variances, coordinates = components(torch.from_numpy(x), torch.from_numpy(held), 4)
    rest = x - np.stack([x[y == label].mean(axis=0) for label in y])
    u, s, _ = np.linalg.svd(rest, full_matrices=False)
    np.testing.assert_allclose(variances, s[:4] ** 2 / (n - held.shape[1]), rtol=1e-8)
    np.testing.assert_allclose(np.abs(coordinates.numpy()), np.abs(u[:, :4] * s[:4]), atol=1e-8)


@pytest.mark.parametrize("code", [0, 2])
@pytest.mark.parametrize("labels", [False, True])
def test_what_is_asked_for_is_spanned_by_labels_and_codes(labels: bool, code: int) -> None:
    subject = of(MLP((12, 9)), "concat" if labels else "none", code)
    latent = subject.latents(60, seed=0)
    held = subject.asked(latent)
    parts = [torch.ones(60, 1)]
    if latent.y is not None:
        parts.append(torch.eye(3)[latent.y])
    if latent.code is not None:
        parts.append(latent.code)
    asked = torch.cat(parts, dim=1).double()
    torch.testing.assert_close(held.T @ held, torch.eye((3 if labels else 1) + code, dtype=torch.float64))
    torch.testing.assert_close(held @ (held.T @ asked), asked)


class Asked(nn.Module):
    """A layer that a label moves ten times as far as the noise, of which it sees the last axis most."""

    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(3, 8)
        self.first = nn.Linear(8, 16, bias=False)
        torch.manual_seed(0)
        scales = torch.tensor([0.1, 0.1, 0.1, 0.1, 1.0, 10.0, 10.0, 10.0])
        self.first.weight.data = torch.linalg.qr(torch.randn(16, 8))[0] * scales

    def forward(self, latent: Latent) -> Tensor:
        assert latent.y is not None
        return self.first(torch.cat((latent.z, torch.eye(3)[latent.y]), dim=1)).tanh().view(-1, 1, 4, 4)


def test_pca_takes_no_label_for_a_direction_of_the_noise() -> None:
    subject = Subject("made", Asked(), Noise(dimension=5), ("a", "b", "c"), np.arange(30) % 3)
    found = pca(subject, 1)
    assert abs(found.vectors[0, 4]) > 0.99
    assert found.strengths[0] == pytest.approx(1, rel=0.1)


def test_a_layer_of_the_label_alone_has_no_directions() -> None:
    subject = of(*NETWORKS["residual, learnt labels"])
    with pytest.raises(UsageError, match="varies with the noise in 0 ways only"):
        pca(subject, 1, "label")


def test_regression_recovers_the_map_that_made_the_noise() -> None:
    coordinates, back = weight(50, 3), weight(3, 7, seed=1)
    coordinates = coordinates - coordinates.mean(dim=0)
    np.testing.assert_allclose(regressed(coordinates @ back + 2, coordinates), back, atol=1e-10)


def test_ridge_makes_its_objective_least() -> None:
    z, scores = weight(60, 4).numpy(), weight(60, 2, seed=1).numpy()
    w = ridge(z, scores, 0.3)
    gradient = 2 * z.T @ (z @ w - scores) / 60 + 2 * 0.3 * w
    np.testing.assert_allclose(gradient, 0, atol=1e-12)


@pytest.mark.parametrize("turn", [None, 5])
def test_each_method_finds_the_axis_that_changes_brightness(turn: int | None) -> None:
    axes = np.eye(NOISE) if turn is None else turned(turn)
    subject = stroke(axes)
    found = {"sefa": sefa(subject, 3), "pca": pca(subject, 3), "supervised": supervised(subject, 3, ATTRIBUTES)}
    assert found["sefa"].strengths == pytest.approx([4, 1, 1], abs=1e-5)
    assert abs(found["sefa"].vectors[0] @ axes[:, 0]) == pytest.approx(1, abs=1e-5)
    assert abs(found["pca"].vectors[0] @ axes[:, 0]) > 0.99
    by_attribute = dict(zip(found["supervised"].found_in.split(", "), found["supervised"].vectors, strict=True))
    assert by_attribute["brightness"] @ axes[:, 0] > 0.99
    assert by_attribute["slant"] @ axes[:, 1] > 0.99
    for directions in found.values():
        np.testing.assert_allclose(np.linalg.norm(directions.vectors, axis=1), 1)


PAIR = {"channels": 4, "dense": 16}
NETWORKS: dict[str, tuple[Network, str, int]] = {
    "mlp": (MLP((12, 9)), "none", 0),
    "mlp, labels": (MLP((12, 9)), "concat", 0),
    "mlp, labels inside": (MLP((12, 9)), "inside", 0),
    "dcgan, codes": (DCGAN(**PAIR), "none", 3),
    "dcgan, labels and codes": (DCGAN(channels=4), "concat", 3),
    "residual, learnt labels": (Residual(channels=4), "embedding", 0),
}


def of(network: Network, labels: str, code: int) -> Subject:
    sizes = Sizes((1, 16, 16), noise=5, classes=3, code=code, labels=labels)  # type: ignore[arg-type]
    noise = Noise(dimension=5)
    prior: Prior = Coded(noise, categories=0, continuous=code) if code else noise
    torch.manual_seed(0)
    asked = None if labels == "none" else np.arange(30) % 3
    return Subject("made", network.generator(sizes).eval(), prior, ("a", "b", "c") if labels != "none" else (), asked)


@pytest.mark.parametrize("case", NETWORKS)
def test_the_weight_is_what_a_step_of_the_noise_does_to_the_layer(case: str) -> None:
    subject = of(*NETWORKS[case])
    name, rows = noise_weight(subject)
    latent = subject.latents(4, seed=1)
    module = first_layer(subject.network)[1]
    _, before = heard(subject, module, name, latent)
    assert rows.shape == (5, before.shape[1])
    for axis in range(5):
        moved = Latent(latent.z + torch.eye(5)[axis], latent.y, latent.code, latent.choices)
        _, after = heard(subject, module, name, moved)
        np.testing.assert_allclose(after - before, rows[axis].expand_as(after), atol=1e-5)


@pytest.mark.parametrize("case", NETWORKS)
def test_every_generator_of_ours_is_explored_by_pca(case: str) -> None:
    assert pca(of(*NETWORKS[case]), 4).vectors.shape == (4, 5)


class OfRows(nn.Sequential):
    """A generator that makes maps of rows of noise itself; as usual, one is given maps of 1 x 1."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z[:, :, None, None] if z.dim() == 2 else z)


@pytest.mark.parametrize("kind", [nn.Sequential, OfRows])
def test_a_transposed_convolution_of_the_noise_is_a_first_layer(kind: type[nn.Sequential]) -> None:
    module = kind(nn.ConvTranspose2d(5, 6, 4), nn.ReLU(), nn.ConvTranspose2d(6, 3, 4, 2, 1), nn.Tanh())
    subject = Subject.of_module("own", module, 5)
    name, rows = noise_weight(subject)
    assert name == "module.0"
    np.testing.assert_array_equal(rows, module[0].weight.detach().double().reshape(5, 6 * 16))
    a = rows.numpy() / np.linalg.norm(rows, axis=0)
    assert sefa(subject, 2).strengths == pytest.approx(np.linalg.svd(a, compute_uv=False)[:2] ** 2)


def test_noise_that_is_only_made_shorter_is_still_seen() -> None:
    class Unit(nn.Sequential):
        def forward(self, z: Tensor) -> Tensor:
            return super().forward(z / z.norm(dim=1, keepdim=True)).view(-1, 1, 4, 4)

    assert noise_weight(Subject.of_module("own", Unit(nn.Linear(5, 16), nn.Tanh()), 5))[1].shape == (5, 16)


def test_features_of_the_noise_are_not_the_noise() -> None:
    subject = of(MLP((12, 9), features=Fourier((1.0,), 4)), "concat", 0)
    with pytest.raises(UsageError, match="is not given the noise itself"):
        sefa(subject, 2)
    assert pca(subject, 2).vectors.shape == (2, 5)


class Misled(nn.Module):
    """What its layers see is not the noise, or they are not called."""

    def __init__(self) -> None:
        super().__init__()
        self.idle = nn.Linear(NOISE, 3)
        self.several = nn.GRU(NOISE, 2)
        self.deep = nn.Linear(NOISE, 16)

    def forward(self, z: Tensor) -> Tensor:
        return self.deep(z.sin() + 0 * self.several(z)[0].sum()).tanh().view(-1, 1, 4, 4)


@pytest.mark.parametrize(
    ("method", "layer", "sentence"),
    [
        ("sefa", None, "does not call this layer"),
        ("pca", "module.idle", "does not call this layer"),
        ("pca", "module.several", "from one tensor to another"),
        ("sefa", "module.deep", "is not given the noise itself"),
        ("sefa", "module", "sefa needs a linear or a transposed-convolution layer, not Misled"),
        ("sefa", "module.dep", "did you mean 'module.deep'"),
        ("supervised", "module.deep", "supervised looks at no layer"),
        ("sfea", None, "did you mean 'sefa'"),
    ],
)
def test_layers_that_a_method_cannot_use_are_refused(method: str, layer: str | None, sentence: str) -> None:
    subject = Subject.of_module("misled", Misled(), NOISE)
    with pytest.raises(UsageError, match=sentence):
        explore(subject, ATTRIBUTES, method, 2, layer=layer)


def test_a_generator_without_a_layer_to_begin_with_is_refused() -> None:
    class Bare(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return z.view(-1, 1, 2, 3).tanh()

    with pytest.raises(UsageError, match="no linear or transposed-convolution layer"):
        sefa(Subject.of_module("bare", Bare(), NOISE), 1)


@pytest.mark.parametrize("count", [0, -1, NOISE + 1])
def test_only_so_many_directions_as_there_are_dimensions(count: int) -> None:
    with pytest.raises(UsageError, match=f"from 1 to {NOISE} are allowed"):
        explore(stroke(), ATTRIBUTES, count=count)


def test_more_directions_than_attributes_vary_are_refused() -> None:
    with pytest.raises(UsageError, match="attributes of these images vary"):
        supervised(stroke(), 6, ATTRIBUTES)


def test_random_directions_are_unit_and_go_everywhere() -> None:
    drawn = random_directions(4, 4000, seed=0)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(drawn.T @ drawn / 4000, np.eye(4) / 4, atol=0.02)
    assert not np.allclose(drawn, random_directions(4, 4000, seed=1))


def test_labels_are_asked_for_in_the_shares_of_the_data() -> None:
    data = ImageSet("shades", np.zeros((100, 8, 8), np.uint8), np.repeat([0, 2], [80, 20]), ("a", "b", "c"))
    subject = of(*NETWORKS["mlp, labels"])
    subject = Subject("made", subject.network, subject.prior, data.classes, data.labels)
    drawn = subject.latents(2000, seed=0).y
    assert drawn is not None
    shares = np.bincount(drawn.numpy(), minlength=3) / 2000
    assert shares == pytest.approx([0.8, 0, 0.2], abs=0.03)
    assert subject.rows(0).y.tolist() == [0, 1, 2]  # type: ignore[union-attr]
