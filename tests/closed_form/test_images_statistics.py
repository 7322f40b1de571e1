"""Statistics of features: closed forms, and torchmetrics, POT and plain loops as independent implementations."""

import math

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from ganbench.data.digits import digits
from ganbench.metrics import fid, kid
from ganbench.metrics.embedding import scaled
from ganbench.metrics.features import features_for
from ganbench.metrics.frechet import Moments, fid_spread, frechet
from ganbench.metrics.labels import accuracy, covered, label_entropy, label_kl, legible, readable
from ganbench.metrics.neighbours import nearest, neighbours
from ganbench.types import UsageError


class OurFeatures(nn.Module):
    """The shipped network as torchmetrics takes one: images in, a row of features each out."""

    num_features = 64

    def __init__(self) -> None:
        super().__init__()
        self.network = features_for(digits(64), "digits-cnn").classifier.network  # type: ignore[attr-defined]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.features(images)


@pytest.fixture(scope="module")
def two_draws() -> tuple[np.ndarray, np.ndarray]:
    one, other = digits(300, seed=3).pixels, digits(300, seed=4).pixels
    return one, np.maximum(other, 20)  # a grey ground, so that they differ


@pytest.fixture(scope="module")
def their_features(two_draws: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    features = features_for(digits(64), "digits-cnn")
    return features(two_draws[0]).features, features(two_draws[1]).features


def test_fid_is_torchmetrics_over_our_features(
    two_draws: tuple[np.ndarray, np.ndarray], their_features: tuple[np.ndarray, np.ndarray]
) -> None:
    metric = FrechetInceptionDistance(feature=OurFeatures()).set_dtype(torch.float64)
    metric.inception.float()
    metric.update(scaled(two_draws[0]), real=True)
    metric.update(scaled(two_draws[1]), real=False)
    assert fid(*their_features) == pytest.approx(float(metric.compute()), rel=1e-4)


def test_kid_is_torchmetrics_over_our_features(
    two_draws: tuple[np.ndarray, np.ndarray], their_features: tuple[np.ndarray, np.ndarray]
) -> None:
    whole = KernelInceptionDistance(feature=OurFeatures(), subsets=1, subset_size=300)
    parts = KernelInceptionDistance(feature=OurFeatures(), subsets=200, subset_size=100)
    for metric in (whole, parts):
        metric.update(scaled(two_draws[0]), real=True)
        metric.update(scaled(two_draws[1]), real=False)
    assert kid(*their_features).mean == pytest.approx(float(whole.compute()[0]), rel=1e-3)
    mean, spread = (float(value) for value in parts.compute())
    ours = kid(*their_features, subsets=200, size=100)
    assert ours.mean == pytest.approx(mean, abs=5 * spread / math.sqrt(200))
    assert ours.spread == pytest.approx(spread, rel=0.25)  # a deviation over 200 subsets is known to 5 %


def test_frechet_distance_of_known_gaussians() -> None:
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((2, 5, 5))
    a, b = (Moments(rng.standard_normal(5), m @ m.T) for m in mixing)
    root = sqrtm(a.covariance @ b.covariance).real
    expected = np.sum((a.mean - b.mean) ** 2) + np.trace(a.covariance + b.covariance - 2 * root)
    assert frechet(a, b) == pytest.approx(expected, rel=1e-9)
    bures = ot.gaussian.bures_wasserstein_distance(a.mean, b.mean, a.covariance, b.covariance)
    assert frechet(a, b) == pytest.approx(float(bures) ** 2, rel=1e-9)


def test_frechet_distance_of_independent_coordinates_is_that_of_their_deviations() -> None:
    a, b = Moments(np.zeros(3), np.diag([1.0, 4.0, 0.0])), Moments(np.zeros(3), np.diag([9.0, 0.0, 0.25]))
    assert frechet(a, b) == pytest.approx((1 - 3) ** 2 + 2**2 + 0.5**2)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 12))
def test_fid_of_a_shifted_set_is_the_shift_squared_at_any_rank(seed: int, count: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    x, shift = rng.standard_normal((count, width)), rng.standard_normal(width)
    assert fid(x, x + shift) == pytest.approx(np.sum(shift**2), rel=1e-6, abs=1e-9)
    assert fid(x, x) == pytest.approx(0, abs=1e-9)


def test_fid_of_samples_falls_to_the_distance_of_their_densities() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40_000, 4)), 2 * rng.standard_normal((40_000, 4)) + 1
    assert fid(x, y) == pytest.approx(4 * 1 + 4 * (2 - 1) ** 2, rel=0.02)


def test_spread_of_fid_is_what_fresh_draws_show() -> None:
    def draws(seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        return rng.standard_normal((500, 8)), rng.standard_normal((500, 8)) + 0.5

    fresh = np.std([fid(*draws(seed)) for seed in range(200)])
    told = np.mean([fid_spread(*draws(seed)) for seed in range(40)])
    assert told == pytest.approx(fresh, rel=0.2)
    with pytest.raises(UsageError, match="four"):
        fid_spread(np.zeros((3, 2)), np.zeros((500, 2)))


def test_kid_has_no_bias_and_knows_its_kernel() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((6, 3)), rng.standard_normal((5, 3)) + 1

    def kernel(u: np.ndarray, v: np.ndarray) -> float:
        return (u @ v / 3 + 1) ** 3

    within_x = np.mean([kernel(x[i], x[j]) for i in range(6) for j in range(6) if i != j])
    within_y = np.mean([kernel(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
    between = np.mean([kernel(u, v) for u in x for v in y])
    assert kid(x, y).mean == pytest.approx(within_x + within_y - 2 * between)
    null = [kid(rng.standard_normal((30, 4)), rng.standard_normal((30, 4))).mean for _ in range(400)]
    assert abs(np.mean(null)) < 4 * np.std(null) / math.sqrt(400)


def test_kid_in_blocks_is_kid_of_each_subset() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((1300, 4)), rng.standard_normal((700, 4)) + 0.3
    for size in (650, 690):  # more rows than a block, and a remainder
        chosen = np.random.default_rng(5)
        in_x = [chosen.choice(1300, size, replace=False) for _ in range(7)]
        in_y = [chosen.choice(700, size, replace=False) for _ in range(7)]
        singly = [kid(x[i], y[j], size=size).mean for i, j in zip(in_x, in_y, strict=True)]
        both = kid(x, y, subsets=7, size=size, seed=5)
        assert both == pytest.approx((np.mean(singly), np.std(singly)))


def _plain_neighbours(real: np.ndarray, generated: np.ndarray) -> list[float]:
    """The four metrics as their papers write them, over whole distance matrices."""

    def reach(x: np.ndarray, k: int) -> np.ndarray:
        return np.sort(cdist(x, x), axis=1)[:, k]  # the first is the row itself

    between = cdist(real, generated)
    return [
        (between <= reach(real, 3)[:, None]).any(axis=0).mean(),
        (between <= reach(generated, 3)).any(axis=1).mean(),
        (between <= reach(real, 5)[:, None]).sum(axis=0).mean() / 5,
        (between <= reach(real, 5)[:, None]).any(axis=1).mean(),
    ]


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(6, 60), st.integers(6, 60), st.integers(1, 6))
def test_neighbours_are_those_of_whole_matrices(seed: int, n: int, m: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    real, generated = rng.standard_normal((n, width)), 0.8 * rng.standard_normal((m, width)) + 0.2
    assert list(neighbours(real, generated)) == pytest.approx(_plain_neighbours(real, generated))


def test_neighbours_in_blocks_are_those_of_whole_matrices() -> None:
    rng = np.random.default_rng(0)
    real, generated = rng.standard_normal((1100, 5)), rng.standard_normal((700, 5))
    assert list(neighbours(real, generated)) == pytest.approx(_plain_neighbours(real, generated))


def test_neighbours_of_one_density_in_1000_dimensions() -> None:
    """The figures of the papers' check (10,000 each), at 2,000 each within what the count changes."""
    rng = np.random.default_rng(0)
    real, generated = rng.standard_normal((2, 2000, 1000))
    figures = neighbours(real, generated, precision_k=5)
    assert figures.density == pytest.approx(1.0, abs=0.12)
    assert figures.coverage == pytest.approx(1 - 2**-5, abs=0.02)


@pytest.mark.slow
def test_neighbours_give_the_published_figures() -> None:
    # Hubs make single draws scatter: the standard deviation over five was 0.014, 0.007, 0.054 and 0.006.
    real, generated = np.random.default_rng(0).standard_normal((2, 10_000, 1000))
    precision, recall, density, coverage = neighbours(real, generated, precision_k=5)
    assert (precision, recall) == pytest.approx((0.477, 0.471), abs=0.05)
    assert density == pytest.approx(1.056, abs=0.2)
    assert coverage == pytest.approx(0.974, abs=0.024)


def test_coverage_is_blind_to_outliers_and_recall_to_nothing_missed() -> None:
    real = np.random.default_rng(0).standard_normal((200, 2))
    collapsed = np.tile(real[:1], (200, 1))
    figures = neighbours(real, collapsed)
    assert figures.precision == 1.0
    assert figures.recall == pytest.approx(1 / 200)
    assert figures.coverage < 0.1
    far = neighbours(real, real + 1000)
    assert far == (0, 0, 0, 0)


def test_a_copy_is_at_distance_0_from_its_training_image() -> None:
    training = 100 + np.random.default_rng(0).standard_normal((3000, 16)).astype(np.float32)
    found = nearest(training[[7, 2999]], training)
    assert found.places.tolist() == [[7], [2999]]
    assert found.distances.tolist() == [[0], [0]]
    others = np.random.default_rng(1).standard_normal((600, 16)) + 100
    expected = np.sort(cdist(others, training), axis=1)[:, :3]
    assert nearest(others, training, 3).distances == pytest.approx(expected, rel=1e-5)
    assert nearest(others, training[:2], 3).places.shape == (600, 2)


def test_label_kl_between_the_perfect_and_the_collapsed() -> None:
    real = np.repeat(np.arange(10), 6000)
    assert label_kl(np.arange(1000) % 10, real, 10) == pytest.approx(0, abs=1e-12)
    assert label_kl(np.arange(1000) % 5, real, 10) == pytest.approx(math.log(2))
    assert label_kl(np.zeros(3, dtype=int), real, 10) == pytest.approx(math.log(10))
    assert math.isfinite(label_kl(np.full(5, 3), np.array([0, 1]), 4))  # a class without real images
    assert covered(np.array([3, 3, 9])) == 2
    assert accuracy(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 0])) == 0.5


def test_label_entropy_between_all_classes_and_one() -> None:
    assert label_entropy(np.arange(320) % 32, 32) == pytest.approx(math.log(32))
    assert label_entropy(np.arange(320) % 8, 32) == pytest.approx(math.log(8))
    assert label_entropy(np.full(7, 5), 32) == 0
    assert label_entropy(np.array([0, 0, 0, 1]), 2) == pytest.approx(2 * math.log(2) - 0.75 * math.log(3))


def test_readable_is_the_share_above_nine_tenths() -> None:
    assert readable(np.array([1.0, 0.91, 0.9, 0.2])) == 0.5
    assert (readable(np.full(3, 0.5)), readable(np.ones(3))) == (0, 1)


def test_legible_is_what_is_readable_and_as_frequent_as_in_the_data() -> None:
    real, sure = np.arange(320) % 32, np.ones(320)
    assert legible(real, sure, real, 32) == pytest.approx(1)
    assert legible(np.full(320, 5), sure, real, 32) == pytest.approx(1 / 32)  # one character alone
    assert legible(real, np.where(real < 16, 0.95, 0.9), real, 32) == pytest.approx(0.5)
    assert legible(np.full(320, 32), sure, real, 32) == 0  # a class that the data have not
    rng = np.random.default_rng(0)
    drawn, confidence = rng.integers(8, size=500), rng.random(500)
    shares = np.bincount(drawn[confidence > 0.9], minlength=8) / 500
    told = 1 - np.abs(np.append(shares, 1 - shares.sum()) - np.append(np.full(8, 1 / 8), 0)).sum() / 2
    assert legible(drawn, confidence, np.arange(8), 8) == pytest.approx(told)  # with the unread as a class of its own


@pytest.mark.parametrize("n", [1000, 4000])
def test_legible_of_a_perfect_sampler_falls_short_by_what_is_told(n: int) -> None:
    rng = np.random.default_rng(0)
    found = [legible(rng.integers(32, size=n), np.ones(n), np.arange(32), 32) for _ in range(200)]
    assert 1 - np.mean(found) == pytest.approx(np.sqrt(32 / (2 * np.pi * n)), rel=0.05)


def test_label_kl_of_a_perfect_sampler_has_the_mean_that_is_told() -> None:
    rng = np.random.default_rng(0)
    real = np.repeat(np.arange(20), 10_000)
    values = [label_kl(rng.integers(20, size=2000), real, 20) for _ in range(300)]
    assert np.mean(values) == pytest.approx(19 / 4000, rel=0.1)


@pytest.mark.parametrize("function", [fid, kid, neighbours])
def test_what_cannot_be_compared_is_refused(function: object) -> None:
    for a, b in (
        (np.zeros((9, 3)), np.zeros((9, 4))),
        (np.zeros((1, 3)), np.zeros((9, 3))),
    ):
        with pytest.raises(UsageError, match="features"):
            function(a, b)  # type: ignore[operator]


@pytest.mark.parametrize("function", [fid, kid])
def test_features_that_are_not_finite_are_refused(function: object) -> None:
    with pytest.raises(UsageError, match="finite"):
        function(np.full((9, 3), np.nan), np.zeros((9, 3)))  # type: ignore[operator]
