"""Transport distances agree with closed forms, with the axioms of a metric, and with POT and SciPy."""

import math
from collections.abc import Callable

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from ganbench.metrics import energy, sliced_w, w1, w2
from ganbench.types import UsageError

Distance = Callable[[np.ndarray, np.ndarray], float]

DISTANCES = [w1, w2, sliced_w]

coordinates = st.floats(-100, 100).map(lambda value: round(value, 3))


@st.composite
def point_sets(draw: st.DrawFn, sets: int) -> list[np.ndarray]:
    """Several sets of one shape; the hand-made ones hold repeated points, the others are large."""
    dimension = draw(st.integers(1, 3))
    if draw(st.booleans()):
        shape = (draw(st.integers(1, 8)), dimension)
        return [draw(arrays(float, shape, elements=coordinates)) for _ in range(sets)]
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return [
        rng.normal(rng.normal(0, 3), rng.uniform(0.1, 3), (300, dimension)) @ rng.normal(size=(dimension,) * 2)
        for _ in range(sets)
    ]


@pytest.mark.parametrize("size", [1, 50, 1100])
@pytest.mark.parametrize("shift", [[0.3], [3.0, -4.0], [0.01, 0.02, 0.0, -0.02]])
def test_distance_of_a_shifted_set_is_the_shift(size: int, shift: list[float]) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(size, len(shift)))
    shifted = rng.permutation(points) + shift
    assert w1(points, shifted) == pytest.approx(np.linalg.norm(shift))
    assert w2(points, shifted) == pytest.approx(np.linalg.norm(shift))


@settings(max_examples=30, deadline=None)
@given(point_sets(1), st.integers(0, 1000))
def test_w2_of_the_gradient_of_a_convex_function_is_its_displacement(sets: list[np.ndarray], seed: int) -> None:
    """Brenier: x -> A x + b with A symmetric and positive is the optimal map, whatever the points."""
    points, rng = sets[0], np.random.default_rng(seed)
    factor = rng.normal(size=(points.shape[1],) * 2)
    image = points @ (factor @ factor.T) + rng.normal(size=points.shape[1])
    displacement = math.sqrt(((points - image) ** 2).sum(axis=1).mean())
    assert w2(points, rng.permutation(image)) == pytest.approx(displacement, abs=1e-9)


def test_w2_of_gaussian_samples_is_that_of_the_gaussians_up_to_the_samples_own_noise() -> None:
    """|W2(Pn, Qn) - W2(P, Q)| <= W2(Pn, P) + W2(Qn, Q), and each is at most that between two samples."""
    rng = np.random.default_rng(0)
    means = np.array([0.0, 0.0]), np.array([2.0, -1.0])
    covariances = np.array([[1.0, 0.6], [0.6, 2.0]]), np.array([[0.5, -0.2], [-0.2, 0.3]])
    p, q, p_again, q_again = (
        rng.multivariate_normal(mean, covariance, 1000)
        for mean, covariance in [*zip(means, covariances, strict=True)] * 2
    )
    exact = float(ot.gaussian.bures_wasserstein_distance(*means, *covariances))
    assert abs(w2(p, q) - exact) <= w2(p, p_again) + w2(q, q_again)


def _laws(rng: np.random.Generator, size: int, dimension: int) -> dict[str, np.ndarray]:
    normal = rng.normal(size=(size, dimension))
    return {
        "another sample": rng.normal(size=(size, dimension)),
        "far off": normal + 30,
        "half collapsed": np.where(np.arange(size)[:, None] % 2, normal, 0.5),
        "collapsed": np.full((size, dimension), 0.5),
        "on a lattice": rng.integers(-2, 3, size=(size, dimension)).astype(float),
        "too wide": 5 * normal,
        "sorted": np.sort(normal, axis=0) + 1,
    }


@pytest.mark.parametrize("law", _laws(np.random.default_rng(0), 1, 1))
@pytest.mark.parametrize(("size", "dimension"), [(40, 3), (600, 2)])
def test_transport_is_that_of_pot(law: str, size: int, dimension: int) -> None:
    rng = np.random.default_rng(size)
    x, y = rng.normal(size=(size, dimension)), _laws(rng, size, dimension)[law]
    assert w1(x, y) == pytest.approx(ot.emd2([], [], ot.dist(x, y, "euclidean"), numItermax=10**6))
    assert w2(x, y) ** 2 == pytest.approx(ot.emd2([], [], ot.dist(x, y), numItermax=10**6))


def test_sliced_is_the_mean_over_all_directions_of_the_plane() -> None:
    """20,000 random directions against POT over evenly spaced ones; the tolerance is four standard errors."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2)), rng.normal([1.0, 0.5], [2.0, 0.3], size=(60, 2))
    angles = np.pi * np.arange(1000) / 1000
    lines = np.stack([np.cos(angles), np.sin(angles)])
    each = [ot.sliced_wasserstein_distance(x, y, projections=line[:, None], p=1) for line in lines.T]
    tolerance = 4 * np.std(each) / math.sqrt(20_000)
    assert sliced_w(x, y, directions=20_000) == pytest.approx(np.mean(each), abs=tolerance)


@settings(max_examples=30, deadline=None)
@given(point_sets(2))
def test_in_one_dimension_all_agree_with_scipy_and_with_the_line_laid_in_the_plane(
    sets: list[np.ndarray],
) -> None:
    x, y = (points[:, :1] for points in sets)
    exact = stats.wasserstein_distance(x[:, 0], y[:, 0])
    assert w1(x, y) == pytest.approx(exact, abs=1e-9)
    assert sliced_w(x, y) == pytest.approx(exact, abs=1e-9)
    assert energy(x, y) == pytest.approx(stats.energy_distance(x[:, 0], y[:, 0]) ** 2, abs=1e-9)
    for distance in (w1, w2):
        laid = distance(np.pad(x, ((0, 0), (0, 1))), np.pad(y, ((0, 0), (0, 1))))
        assert laid == pytest.approx(distance(x, y), abs=1e-9)


@pytest.mark.parametrize("distance", DISTANCES)
@settings(max_examples=25, deadline=None)
@given(sets=point_sets(3), factor=st.floats(-10, 10))
def test_axioms_of_a_metric(distance: Distance, sets: list[np.ndarray], factor: float) -> None:
    x, y, z = sets
    assert distance(x, x[::-1]) == pytest.approx(0, abs=1e-9)
    assert distance(x, y) == pytest.approx(distance(y, x), abs=1e-9)
    assert distance(x, z) <= distance(x, y) + distance(y, z) + 1e-9
    assert distance(factor * x, factor * y) == pytest.approx(abs(factor) * distance(x, y), abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(point_sets(3), st.floats(-10, 10))
def test_the_root_of_the_energy_distance_is_a_metric(sets: list[np.ndarray], factor: float) -> None:
    x, y, z = sets
    assert energy(x, x[::-1]) == pytest.approx(0, abs=1e-10)
    assert energy(x, y) == pytest.approx(energy(y, x), abs=1e-10)
    roots = [math.sqrt(energy(*pair)) for pair in ((x, z), (x, y), (y, z))]
    assert roots[0] <= roots[1] + roots[2] + 1e-5
    assert energy(factor * x, factor * y) == pytest.approx(abs(factor) * energy(x, y), abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(point_sets(2))
def test_the_distances_bound_one_another(sets: list[np.ndarray]) -> None:
    x, y = sets
    assert np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)) <= w1(x, y) + 1e-9
    assert sliced_w(x, y) <= w1(x, y) + 1e-9
    assert w1(x, y) <= w2(x, y) + 1e-9
    assert 0 <= energy(x, y) <= 2 * w1(x, y) + 1e-9


def test_energy_of_many_points_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1500, 2)), rng.normal(1, 2, size=(1500, 2))
    between, x_within, y_within = (ot.dist(*pair, "euclidean").mean() for pair in ((x, y), (x, x), (y, y)))
    assert energy(x, y) == pytest.approx(2 * between - x_within - y_within)


@pytest.mark.parametrize("distance", [*DISTANCES, energy])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
@pytest.mark.parametrize("dimension", [1, 2])
def test_a_set_that_is_not_finite_is_infinitely_far(distance: Distance, value: float, dimension: int) -> None:
    points, broken = np.zeros((5, dimension)), np.zeros((5, dimension))
    broken[3, 0] = value
    assert distance(points, broken) == distance(broken, points) == distance(broken, broken) == math.inf


@pytest.mark.parametrize("distance", [*DISTANCES, energy])
@pytest.mark.parametrize("shape", [(4, 2), (5, 3), (5,), (5, 2, 1)])
def test_shapes_that_differ_are_refused(distance: Distance, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="shapes are"):
        distance(np.zeros((5, 2)), np.zeros(shape))
