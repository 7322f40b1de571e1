"""The ruler: which metrics a data set has, between which points, and beside which floor."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from ganbench.data import BUILT_IN, Modes, PointSet, load_points
from ganbench.metrics import METRICS, PointRuler, energy, js, kl, sliced_w, w1, w2
from ganbench.types import UsageError

DISTANCES = ("w1", "w2", "sliced_w", "energy")
DIVERGENCES = ("js", "kl")
MODES = ("modes", "high_quality", "reverse_kl", "reverse_kl_off")


def _normal(count: int, dimension: int, modes: bool = False) -> PointSet:
    points = np.random.default_rng(0).normal(size=(count, dimension))
    known = Modes(np.zeros((1, dimension)), np.eye(dimension)[None]) if modes else None
    return PointSet("normal", points, known)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (_normal(40, 1), DISTANCES + DIVERGENCES),
        (_normal(40, 3), DISTANCES + DIVERGENCES),
        (_normal(40, 4), DISTANCES),
        (_normal(40, 4, modes=True), DISTANCES + MODES),
        (load_points("ring8"), DISTANCES + DIVERGENCES + MODES),
    ],
    ids=lambda value: value.name if isinstance(value, PointSet) else None,
)
def test_each_data_set_has_its_metrics_in_the_order_of_their_table(data: PointSet, names: tuple[str, ...]) -> None:
    ruler = PointRuler(data, count=20, mode_count=30)
    measured = ruler.measure(np.zeros((30, data.dimension)))
    assert tuple(measured) == tuple(ruler.floor) == tuple(ruler.floor_spread) == names
    assert [name for name in METRICS if name in measured] == list(names)
    for figures in (measured, ruler.floor, ruler.floor_spread):
        assert all(type(value) is float and math.isfinite(value) for value in figures.values())


def test_distances_are_between_the_reference_and_the_first_points() -> None:
    data = load_points("grid25")
    ruler = PointRuler(data, count=100, mode_count=300)
    rng = np.random.default_rng(0)
    generated = np.concatenate([rng.normal(size=(100, 2)), rng.permutation(data.points)[:400]])
    measured = ruler.measure(generated)
    exact = {"w1": w1, "w2": w2, "sliced_w": sliced_w, "energy": energy, "js": js, "kl": kl}
    for name, distance in exact.items():
        assert measured[name] == distance(ruler.reference, generated[:100])
    assert measured["high_quality"] > 0.5  # of the 300 points, 200 are real
    assert ruler.measure(generated[: ruler.draws]) == measured


@pytest.mark.parametrize(("count", "modes", "draws"), [(1024, True, 2500), (4096, True, 4096), (64, False, 64)])
def test_draws(count: int, modes: bool, draws: int) -> None:
    assert PointRuler(_normal(10_000, 2, modes), count).draws == draws


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_floor_is_near_fresh_points_and_far_from_shifted_ones(name: str) -> None:
    data, draw = load_points(name), BUILT_IN[name][1]
    ruler = PointRuler(data, count=512)
    fresh = np.random.default_rng(0).permutation(draw(seed=7).points)[: ruler.draws]
    floor, good, bad = ruler.floor, ruler.measure(fresh), ruler.measure(fresh + data.points.std(axis=0))
    for metric, value in good.items():
        sign = 1 if METRICS[metric].better == "lower" else -1
        assert sign * floor[metric] < sign * bad[metric]
        assert abs(value - floor[metric]) < 0.25 * abs(bad[metric] - floor[metric])


def test_the_floor_of_a_known_density_is_its_theory() -> None:
    """Between two samples of n points of N(0, 1) on the line.

    F_n - G_n at x is nearly Gaussian with variance 2 F (1 - F) / n, and W1 the integral of its absolute value.
    Pairs of a point with itself are all that is left of the energy distance: E = 2 E|X - X'| / n.
    """
    ruler = PointRuler(_normal(40_000, 1), count=1000)
    deviation = quad(lambda x: math.sqrt(norm.cdf(x) * norm.sf(x)), -10, 10)[0]
    theory = {"w1": math.sqrt(4 / (math.pi * 1000)) * deviation, "energy": 4 / math.sqrt(math.pi) / 1000}
    for name, expected in theory.items():
        standard_error = ruler.floor_spread[name] / 2  # of the mean over four splits
        assert ruler.floor[name] == pytest.approx(expected, abs=4 * standard_error)


def test_a_ruler_is_its_data_and_its_seed() -> None:
    data = load_points("moons")
    points = data.points[:200] + 0.1
    one, same, other = (PointRuler(data, 200, seed) for seed in (0, 0, 1))
    assert one.measure(points) == same.measure(points) != other.measure(points)
    assert one.floor == same.floor != other.floor


@pytest.mark.parametrize("size", [2, 3, 17])
def test_small_sets_are_measured_with_half_of_their_points(size: int) -> None:
    data = _normal(size, 2, modes=True)
    ruler = PointRuler(data)
    assert ruler.count == len(ruler.reference) == size // 2
    assert ruler.measure(np.full((2500, 2), 3.0))["w1"] == pytest.approx(
        np.linalg.norm(ruler.reference - 3.0, axis=1).mean()
    )
    assert ruler.floor["w1"] > 0


def test_one_value_that_is_not_finite_fails_the_set() -> None:
    data = load_points("ring8")
    ruler = PointRuler(data, count=50)
    generated = data.points[: ruler.draws].copy()
    generated[2000, 1] = np.nan
    measured = ruler.measure(generated)
    assert [measured[name] for name in DISTANCES] == [math.inf] * 4
    assert measured["js"] == pytest.approx(math.log(2))
    assert measured["kl"] == ruler.measure(np.full((2500, 2), 1e9))["kl"]
    assert (measured["modes"], measured["high_quality"]) == (0, 0)


@pytest.mark.parametrize("shape", [(2499, 2), (2500, 3), (2500,), (0, 2)])
def test_points_too_few_or_of_another_dimension_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="ring8: metrics need 2500 generated points of 2 coordinates"):
        PointRuler(load_points("ring8")).measure(np.zeros(shape))


@pytest.mark.parametrize(("size", "count"), [(1, 1024), (40, 0), (40, -3)])
def test_a_ruler_without_points_is_refused(size: int, count: int) -> None:
    with pytest.raises(UsageError, match="at least one point"):
        PointRuler(_normal(size, 2), count)
