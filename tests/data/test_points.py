"""The built-in sets have the moments of their definitions, and a point set keeps its promises."""

from pathlib import Path

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import Float
from scipy import stats

from ganbench.data import BUILT_IN, Modes, PointSet, Standardiser, load_points

WITH_MODES = ["letter-m", "ring8", "grid25"]


def _assert_moments(points: Float[np.ndarray, "n d"], mean: np.ndarray, covariance: np.ndarray) -> None:
    """Mean and covariance within five of their standard errors (those of a Gaussian for the covariance)."""
    variance = np.diag(covariance)
    mean_error = np.sqrt(variance / len(points))
    covariance_error = np.sqrt((np.outer(variance, variance) + covariance**2) / len(points))
    assert (np.abs(points.mean(axis=0) - mean) < 5 * mean_error).all()
    assert (np.abs(np.cov(points.T) - covariance) < 5 * covariance_error).all()


def _known_modes(name: str) -> tuple[PointSet, Modes]:
    drawn = load_points(name)
    assert drawn.modes is not None
    return drawn, drawn.modes


@pytest.mark.parametrize(
    ("name", "count", "modes"),
    [
        ("letter-m", 8192, 4),
        ("ring8", 100_000, 8),
        ("grid25", 100_000, 25),
        ("spiral", 8192, 0),
        ("moons", 8192, 0),
    ],
)
def test_a_name_is_always_the_same_set(name: str, count: int, modes: int) -> None:
    first, second = load_points(name), load_points(name)
    assert first.fingerprint == second.fingerprint
    assert (first.name, first.points.shape) == (name, (count, 2))
    assert (0 if first.modes is None else len(first.modes.means)) == modes


@pytest.mark.parametrize("name", BUILT_IN)
def test_another_seed_draws_other_points_of_the_same_density(name: str) -> None:
    _, draw = BUILT_IN[name]
    one, same, other = draw(count=3001, seed=1), draw(count=3001, seed=1), draw(count=3001, seed=2)
    assert len(one) == 3001
    assert one.fingerprint == same.fingerprint
    assert len(np.unique(np.concatenate([one.points, other.points]), axis=0)) == 2 * 3001
    for coordinate in range(2):
        assert stats.ks_2samp(one.points[:, coordinate], other.points[:, coordinate]).pvalue > 1e-4


@pytest.mark.parametrize("name", WITH_MODES)
def test_the_whole_has_the_moments_of_its_mixture(name: str) -> None:
    drawn, modes = _known_modes(name)
    between = np.cov(modes.means.T, bias=True)
    _assert_moments(drawn.points, modes.means.mean(axis=0), modes.covariances.mean(axis=0) + between)


@pytest.mark.parametrize(("name", "count", "sigma"), [("ring8", 8, 0.01), ("grid25", 25, 0.05)])
def test_every_mode_has_its_centre_its_width_and_its_share(name: str, count: int, sigma: float) -> None:
    drawn, modes = _known_modes(name)
    nearest = np.linalg.norm(drawn.points[:, None] - modes.means, axis=2).argmin(axis=1)
    for mode in range(count):
        _assert_moments(drawn.points[nearest == mode], modes.means[mode], sigma**2 * np.eye(2))
    # Drawn uniformly: neither far from equal shares nor, as stratified counts would be, exactly equal.
    assert 1e-4 < stats.chisquare(np.bincount(nearest, minlength=count)).pvalue < 1 - 1e-4


def test_the_rings_centres_are_eight_on_the_unit_circle() -> None:
    means = _known_modes("ring8")[1].means
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1)
    neighbours = np.linalg.norm(means - np.roll(means, 1, axis=0), axis=1)
    np.testing.assert_allclose(neighbours, 2 * np.sin(np.pi / 8))


def test_the_grids_centres_are_all_pairs_of_its_ticks() -> None:
    means = _known_modes("grid25")[1].means
    assert {tuple(mean) for mean in means} == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}


def test_the_letter_has_the_strokes_of_the_labs_file(shared_data: Path) -> None:
    modes = _known_modes("letter-m")[1]
    strokes = load_points(shared_data / "points_m" / "points.mat").points.reshape(4, 2048, 2)
    for stroke, mean, covariance in zip(strokes, modes.means, modes.covariances, strict=True):
        # The parameters are the file's own to two digits, and its points have been scaled by 0.04.
        np.testing.assert_allclose(stroke.mean(axis=0), mean, atol=0.04 * 0.006)
        np.testing.assert_allclose(np.cov(stroke.T), covariance, rtol=0.01)


def test_the_letter_is_as_near_the_labs_file_as_that_is_to_itself(shared_data: Path) -> None:
    real, again = load_points(shared_data / "points_m" / "points.mat").halves(seed=0)
    drawn = load_points("letter-m").halves(seed=0)[0]

    def w1(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "n d"]) -> float:
        return float(ot.emd2([], [], ot.dist(a[:1024], b[:1024], metric="euclidean")))

    assert w1(real, drawn) < 1.3 * w1(real, again)


def test_the_spiral_has_the_moments_of_its_curve() -> None:
    # With density 2r on [0, 1]: the integrals of 2 r^2 cos(4 pi r) and of 2 r^2 sin(4 pi r); E r^2 = 1/2.
    points = load_points("spiral").points
    error = 5 * points.std(axis=0) / np.sqrt(len(points))
    assert (np.abs(points.mean(axis=0) - [1 / (4 * np.pi**2), -1 / (2 * np.pi)]) < error).all()
    assert abs((points**2).sum(axis=1).mean() - (0.5 + 2 * 0.02**2)) < 5 * 0.29 / np.sqrt(len(points))


def test_the_moons_have_the_moments_of_their_half_circles() -> None:
    points = load_points("moons").points
    covariance = np.diag([3 / 4, 9 / 16 - 1 / np.pi]) + 0.05**2 * np.eye(2)
    covariance[0, 1] = covariance[1, 0] = 1 / 8 - 1 / np.pi
    _assert_moments(points, np.array([0.5, 0.25]), covariance)


@given(arrays(np.int64, st.tuples(st.integers(2, 30), st.integers(1, 4)), elements=st.integers(-(10**6), 10**6)))
def test_standardised_points_have_mean_0_and_deviation_1_and_come_back(numbers: np.ndarray) -> None:
    points = numbers / 1000
    standardiser = Standardiser.of(points)
    standard = standardiser.forward(points)
    constant = (points == points[0]).all(axis=0)
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(standard.std(axis=0), np.where(constant, 0, 1), atol=1e-6)
    np.testing.assert_array_equal(standardiser.scale[constant], 1)
    np.testing.assert_allclose(standardiser.inverse(standard), points, atol=1e-9)


@pytest.mark.parametrize("unit", [1e-300, 1e-200, 1.0, 1e99])
def test_standardising_knows_no_units(unit: float) -> None:
    points = np.array([[0.0], [1.0], [2.0], [5.0]])
    standard = Standardiser.of(unit * points).forward(unit * points)
    np.testing.assert_allclose(standard, Standardiser.of(points).forward(points), rtol=1e-12)


@given(count=st.integers(2, 100), seed=st.integers(0, 2**32))
@settings(deadline=None)
def test_halves_are_disjoint_and_of_equal_size(count: int, seed: int) -> None:
    one, other = PointSet("line", np.arange(float(count))[:, None]).halves(seed)
    assert len(one) == len(other) == count // 2
    assert len({*one[:, 0], *other[:, 0]}) == 2 * (count // 2)


def test_halves_depend_on_the_seed_alone() -> None:
    drawn = load_points("moons")
    np.testing.assert_array_equal(drawn.halves(3)[0], drawn.halves(3)[0])
    assert not np.array_equal(drawn.halves(3)[0], drawn.halves(4)[0])


def test_a_point_set_is_a_read_only_copy() -> None:
    mine = np.zeros((20, 2))
    points = PointSet("mine", mine)
    mine[0, 0] = 7
    assert points.points[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        points.points[0, 0] = 7


def test_a_fingerprint_is_of_the_shape_and_the_numbers_alone() -> None:
    numbers = np.arange(40.0).reshape(20, 2)
    prints = [PointSet("a", array).fingerprint for array in (numbers, numbers.reshape(40, 1), numbers[::-1])]
    assert len({*prints}) == 3
    for same in (np.asfortranarray(numbers), numbers.astype(np.float32), numbers.astype(">f8")):
        assert PointSet("b", same).fingerprint == prints[0]
