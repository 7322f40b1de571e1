"""Divergences of grid histograms agree with closed forms and with SciPy on NumPy's histograms."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from ganbench.metrics import js, kl
from ganbench.metrics.divergences import BINS, PSEUDO_COUNT
from ganbench.types import UsageError


@st.composite
def two_sets(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    dimension, size = draw(st.integers(1, 3)), draw(st.integers(1, 400))
    real = rng.normal(size=(size, dimension))
    return real, rng.normal(draw(st.floats(-3, 3)), draw(st.floats(0, 3)), (size, dimension))


def _histograms(real: np.ndarray, generated: np.ndarray) -> list[np.ndarray]:
    edges = [np.linspace(axis.min(), axis.max(), BINS[real.shape[1]] + 1) for axis in real.T]
    inside = [np.histogramdd(points, edges)[0].ravel() for points in (real, generated)]
    return [np.append(counts, len(real) - counts.sum()) for counts in inside]


@settings(max_examples=50, deadline=None)
@given(two_sets())
def test_both_are_those_of_scipy(sets: tuple[np.ndarray, np.ndarray]) -> None:
    real, generated = sets
    if len(real) > 1:  # NumPy finds no edges around one point
        p, q = _histograms(real, generated)
        assert js(real, generated) == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-12)
        assert kl(real, generated) == pytest.approx(entropy(p + PSEUDO_COUNT, q + PSEUDO_COUNT), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(two_sets())
def test_bounds(sets: tuple[np.ndarray, np.ndarray]) -> None:
    real, generated = sets
    assert 0 <= js(real, generated) <= math.log(2) + 1e-12
    assert 0 <= kl(real, generated) < math.inf
    assert js(real, real[::-1]) == kl(real, real[::-1]) == 0


@pytest.mark.parametrize("dimension", BINS)
@pytest.mark.parametrize("elsewhere", [2.5, -1e300, np.nan, np.inf])
def test_sets_without_a_common_box_are_ln_2_apart(dimension: int, elsewhere: float) -> None:
    real = np.random.default_rng(0).random((100, dimension))
    assert js(real, np.full((30, dimension), elsewhere)) == pytest.approx(math.log(2))


def test_divergences_of_two_uniform_densities() -> None:
    """One point a box, held against its left half: P = 1/64 everywhere, Q = 1/32 on 32 boxes."""
    everywhere = np.linspace(0, 1, BINS[1])[:, None]
    left = everywhere[: BINS[1] // 2]
    assert js(everywhere, left) == pytest.approx(0.75 * math.log(4 / 3))


def test_kl_of_many_points_is_that_of_the_densities() -> None:
    """Q puts half its weight outside and the rest as P does: KL(P || Q) = ln 2."""
    real = np.tile(np.linspace(0, 1, BINS[1]), 1000)[:, None]
    generated = np.concatenate([real, real + 5])
    assert kl(real, generated) == pytest.approx(math.log(2), abs=1e-3)


def test_a_constant_coordinate_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    real, generated = np.full((200, 2), 7.0), np.full((200, 2), 7.0)
    real[:, 0], generated[:, 0] = np.repeat(np.arange(20), 10), rng.integers(20, size=200)
    counts = np.bincount(generated[:, 0].astype(int), minlength=20)
    assert js(real, generated) == pytest.approx(jensenshannon(np.full(20, 10), counts) ** 2)


@pytest.mark.parametrize("divergence", [js, kl])
def test_more_than_three_dimensions_are_refused(
    divergence: Callable[[np.ndarray, np.ndarray], float],
) -> None:
    with pytest.raises(UsageError, match="1 to 3 dimensions"):
        divergence(np.zeros((5, 4)), np.zeros((5, 4)))
