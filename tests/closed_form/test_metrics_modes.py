"""Figures of modes: what a perfect, a collapsed, a narrow and a missing sampler must show."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import chi

from ganbench.data import Modes, load_points
from ganbench.metrics.modes import count_modes, covered, high_quality, reverse_kl, reverse_kl_off

DRAWS, REPEATS = 2500, 80


def _modes(name: str) -> Modes:
    modes = load_points(name).modes
    assert modes is not None
    return modes


def _sample(modes: Modes, count: int, rng: np.random.Generator, spread: float = 1.0) -> np.ndarray:
    """A perfect sampler of Gaussians of equal weight, its deviations scaled by `spread`."""
    chosen = rng.integers(len(modes.means), size=count)
    noise = rng.standard_normal((count, modes.means.shape[1]))
    factors = spread * np.linalg.cholesky(modes.covariances)
    return modes.means[chosen] + (factors[chosen] @ noise[:, :, None])[:, :, 0]


def _spaced(count: int, dimension: int) -> Modes:
    means = np.zeros((count, dimension))
    means[:, 0] = 100.0 * np.arange(count)
    return Modes(means, np.tile(np.eye(dimension), (count, 1, 1)))


@pytest.mark.parametrize(("name", "published"), [("ring8", 0.0014), ("grid25", 0.0048)])
def test_a_perfect_sampler_has_the_published_figures(name: str, published: float) -> None:
    """2 n KL is chi-squared, with as many degrees as bins less one; tolerances are four standard errors.

    The next term of its mean is of order 1 / (n^2 times the least share), far less than the tolerance.
    """
    modes, rng = _modes(name), np.random.default_rng(0)
    k, quality = len(modes.means), chi.cdf(3, 2)
    counts = [count_modes(_sample(modes, DRAWS, rng), modes) for _ in range(REPEATS)]
    assert all(covered(each) == k for each in counts)

    error = math.sqrt(quality * (1 - quality) / (DRAWS * REPEATS))
    assert np.mean([high_quality(each) for each in counts]) == pytest.approx(quality, abs=4 * error)

    for divergences, n, degrees in (
        ([reverse_kl(each) for each in counts], quality * DRAWS, k - 1),
        ([reverse_kl_off(each, 2) for each in counts], DRAWS, k),
    ):
        error = math.sqrt(2 * degrees) / (2 * n) / math.sqrt(REPEATS)
        assert np.mean(divergences) == pytest.approx(degrees / (2 * n), abs=4 * error)
    assert (k - 1) / (2 * quality * DRAWS) == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize("dimension", [1, 2, 3, 7])
def test_high_quality_of_the_density_itself_is_the_chi_probability(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    modes, share, count = _spaced(5, dimension), chi.cdf(3, dimension), 40_000
    counts = count_modes(_sample(modes, count, rng), modes)
    assert high_quality(counts) == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / count))


@pytest.mark.parametrize("name", ["letter-m", "ring8", "grid25"])
def test_a_collapsed_sampler(name: str) -> None:
    modes = _modes(name)
    k = len(modes.means)
    counts = count_modes(np.tile(modes.means[2], (DRAWS, 1)), modes)
    assert (covered(counts), high_quality(counts)) == (1, 1)
    assert reverse_kl(counts) == pytest.approx(math.log(k))
    assert reverse_kl_off(counts, 2) == pytest.approx(math.log(k / chi.cdf(3, 2)))


def test_a_sampler_of_narrow_modes_is_told_by_the_bin_for_points_off_them() -> None:
    modes, rng = _modes("grid25"), np.random.default_rng(0)
    chosen = np.repeat(np.arange(25), 100)
    counts = count_modes(modes.means[chosen] + 0.01 * rng.standard_normal((2500, 2)), modes)
    assert (covered(counts), high_quality(counts), reverse_kl(counts)) == (25, 1, pytest.approx(0, abs=1e-12))
    assert reverse_kl_off(counts, 2) == pytest.approx(-math.log(chi.cdf(3, 2)))


def test_covering_all_modes_with_a_tenth_of_the_mass_is_told_by_the_bin_for_points_off_them() -> None:
    modes = _modes("ring8")
    points = np.concatenate([np.repeat(modes.means, 25, axis=0), np.zeros((1800, 2))])
    counts = count_modes(points, modes)
    assert (covered(counts), high_quality(counts), reverse_kl(counts)) == (8, 0.1, pytest.approx(0, abs=1e-12))
    inside = chi.cdf(3, 2)
    exact = 0.1 * math.log(0.1 / inside) + 0.9 * math.log(0.9 / (1 - inside))
    assert reverse_kl_off(counts, 2) == pytest.approx(exact)


@pytest.mark.parametrize("where", [0.0, 1e200, np.nan, np.inf])
def test_points_near_no_mode(where: float) -> None:
    counts = count_modes(np.full((10, 2), where), _modes("ring8"))
    assert (covered(counts), high_quality(counts)) == (0, 0)
    assert reverse_kl(counts) == pytest.approx(math.log(8))
    assert reverse_kl_off(counts, 2) == pytest.approx(-math.log(chi.sf(3, 2)))


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_around_equal_discs_the_rule_is_euclidean(name: str) -> None:
    modes, rng = _modes(name), np.random.default_rng(0)
    points = _sample(modes, DRAWS, rng, spread=3.0)
    distances = cdist(points, modes.means)
    near = distances.min(axis=1) <= 3 * math.sqrt(modes.covariances[0, 0, 0])
    expected = np.bincount(distances.argmin(axis=1)[near], minlength=len(modes.means))
    counts = count_modes(points, modes)
    np.testing.assert_array_equal(counts[:-1], expected)
    assert counts.sum() == DRAWS


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_counts_follow_the_modes_order_and_every_affine_change_of_coordinates(seed: int) -> None:
    modes, rng = _modes("letter-m"), np.random.default_rng(seed)
    points = _sample(modes, 300, rng, spread=2.0)
    counts = count_modes(points, modes)

    order = rng.permutation(4)
    reordered = Modes(modes.means[order], modes.covariances[order])
    np.testing.assert_array_equal(count_modes(rng.permutation(points), reordered)[:-1], counts[:-1][order])

    change, shift = rng.normal(size=(2, 2)) + 3 * np.eye(2), rng.normal(size=2)
    moved = Modes(modes.means @ change.T + shift, change @ modes.covariances @ change.T)
    np.testing.assert_array_equal(count_modes(points @ change.T + shift, moved), counts)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=2, max_size=30).filter(any), st.randoms())
def test_the_figures_do_not_depend_on_the_modes_order_and_keep_their_bounds(numbers: list[int], random: Random) -> None:
    counts = np.array(numbers)
    shuffled = [*numbers[:-1]]
    random.shuffle(shuffled)
    reordered = np.array([*shuffled, numbers[-1]])
    k = len(counts) - 1
    assert covered(counts) == covered(reordered) <= k
    assert 0 <= high_quality(counts) == high_quality(reordered) <= 1
    assert 0 <= reverse_kl(counts) <= math.log(k) + 1e-12
    assert reverse_kl(counts) == pytest.approx(reverse_kl(reordered))
    assert 0 <= reverse_kl_off(counts, 2) == pytest.approx(reverse_kl_off(reordered, 2))
