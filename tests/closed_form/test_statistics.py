"""Intervals, paired tests, corrections and rankings against theorems, simulation and scipy."""

import json
import math
from dataclasses import asdict, astuple
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ganbench.studies.statistics import (
    bootstrap_interval,
    holm,
    paired_comparison,
    rank,
    reached,
    time_to,
)
from ganbench.types import UsageError

STUDIES = 500
values = st.lists(st.floats(0.01, 100), min_size=2, max_size=12)
pairs = st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=2, max_size=12).map(np.array)
spread_pairs = pairs.filter(lambda pair: np.std(np.log(pair[:, 0] / pair[:, 1])) > 1e-3)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)
cells = st.dictionaries(
    st.sampled_from("abcdefg"),
    st.dictionaries(st.integers(0, 5), st.floats(0.1, 10), max_size=6),
    max_size=7,
)


def binomial_error(share: float) -> float:
    """Four standard errors of a share seen in STUDIES simulated studies."""
    return 4 * math.sqrt(share * (1 - share) / STUDIES)


@pytest.mark.parametrize(("n", "nominal"), [(2, 0.93), (3, 0.95), (5, 0.95)])
def test_normal_values_are_covered_as_the_docstring_says(n: int, nominal: float) -> None:
    studies = np.random.default_rng(n).normal(3.0, 2.0, (STUDIES, n))
    intervals = [bootstrap_interval(study) for study in studies]
    share = np.mean([i.low <= 3.0 <= i.high for i in intervals])
    assert share == pytest.approx(nominal, abs=binomial_error(nominal))


@pytest.mark.parametrize(("sigma", "n", "nominal"), [(0.5, 3, 0.93), (0.5, 5, 0.91), (1.0, 3, 0.85)])
def test_skewed_values_are_covered_as_the_docstring_says(sigma: float, n: int, nominal: float) -> None:
    studies = np.random.default_rng(n).lognormal(0.0, sigma, (STUDIES, n))
    intervals = [bootstrap_interval(study) for study in studies]
    share = np.mean([i.low <= math.exp(sigma**2 / 2) <= i.high for i in intervals])
    assert share == pytest.approx(nominal, abs=binomial_error(nominal))


def test_the_interval_of_many_values_is_students() -> None:
    sample = np.random.default_rng(0).normal(size=400)
    low, high = stats.t.interval(0.9, 399, sample.mean(), stats.sem(sample))
    interval = bootstrap_interval(sample, level=0.9)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.05 * (high - low))


@given(values, st.randoms(use_true_random=False), st.floats(0.1, 10), st.floats(-5, 5))
@settings(max_examples=25, deadline=None)
def test_the_interval_ignores_order_and_follows_units(sample, random, factor, shift) -> None:
    interval = bootstrap_interval(sample)
    assert interval.low <= interval.mean <= interval.high
    shuffled = random.sample(sample, len(sample))
    moved = bootstrap_interval([factor * value + shift for value in shuffled])
    expected = [factor * end + shift for end in (interval.mean, interval.low, interval.high)]
    assert [moved.mean, moved.low, moved.high] == pytest.approx(expected, abs=1e-8 * (1 + abs(expected[2])))


@given(st.floats(-1e6, 1e6), st.integers(2, 12))
@settings(max_examples=25, deadline=None)
def test_equal_values_are_their_own_interval(value, n) -> None:
    assert astuple(bootstrap_interval([value] * n)) == (value, value, value, n)


def test_one_value_has_no_interval_and_is_json() -> None:
    interval = bootstrap_interval([2.5])
    assert json.loads(json.dumps(asdict(interval))) == {"mean": 2.5, "low": None, "high": None, "n": 1}


@given(spread_pairs)
@settings(max_examples=50, deadline=None)
def test_the_paired_test_is_scipys_on_logs(pairs) -> None:
    a, b = pairs.T
    comparison = paired_comparison(a, b)
    expected = stats.ttest_rel(np.log(a), np.log(b))
    ends = expected.confidence_interval(0.95)
    assert comparison.kind == "ratio"
    assert comparison.p == pytest.approx(expected.pvalue)
    assert comparison.effect == pytest.approx(stats.gmean(a) / stats.gmean(b))
    assert np.log([comparison.low, comparison.high]) == pytest.approx([ends.low, ends.high])


def test_a_metric_that_may_be_negative_is_tested_on_differences() -> None:
    a, b = [-0.1, 0.2, 0.3, 0.1], [0.4, 0.5, 0.9, 0.3]
    comparison = paired_comparison(a, b)
    expected = stats.ttest_rel(a, b)
    ends = expected.confidence_interval(0.95)
    assert comparison.kind == "difference"
    assert comparison.effect == pytest.approx(-0.4)
    assert (comparison.p, comparison.low, comparison.high) == pytest.approx((expected.pvalue, ends.low, ends.high))


@given(spread_pairs, st.floats(0.1, 10))
@settings(max_examples=50, deadline=None)
def test_a_ratio_ignores_units_and_inverts_when_the_cells_are_swapped(pairs, unit) -> None:
    a, b = pairs.T
    one, other = paired_comparison(a, b), paired_comparison(b * unit, a * unit)
    assert other.p == pytest.approx(one.p, rel=1e-6)
    assert (1 / other.effect, 1 / other.high, 1 / other.low) == pytest.approx((one.effect, one.low, one.high), rel=1e-6)


def test_differences_without_spread_have_the_p_value_of_flipped_signs() -> None:
    """A count that is 25 against 20 in all of n runs: the n signs agree with probability 2 / 2^n."""
    for n in range(2, 8):
        comparison = paired_comparison([25.0] * n, [20.0] * n)
        flipped = stats.permutation_test(
            ([5.0] * n,), lambda d, axis: d.mean(axis), permutation_type="samples", n_resamples=np.inf
        )
        assert comparison.p == pytest.approx(flipped.pvalue)
        assert (comparison.effect, comparison.low, comparison.high) == (pytest.approx(1.25), None, None)
    same = paired_comparison([3.0, 4.0, 5.0], [3.0, 4.0, 5.0])
    assert (same.p, same.effect) == (1, 1)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_seeds_decide_nothing(n: int) -> None:
    comparison = paired_comparison([1.0] * n, [9.0] * n)
    assert (comparison.p, comparison.low, comparison.high, comparison.told_apart) == (1, None, None, False)


def test_the_widest_ratio_is_still_a_number() -> None:
    comparison = paired_comparison([1e-300, 1e300], [1e300, 1e-300])
    assert 0 < comparison.low < comparison.high < math.inf


def test_holm_by_hand() -> None:
    """Sorted .005 .01 .03 .04 times 4 3 2 1 is .02 .03 .06 .04, and the last is raised to .06."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]).tolist() == [1, 1]
    assert holm([]).tolist() == []


@given(p_values, st.randoms(use_true_random=False))
def test_holm_lies_between_no_correction_and_bonferroni(p, random) -> None:
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(1, len(p) * np.array(p))).all()
    assert (np.diff(corrected[np.argsort(p)]) >= 0).all()
    order = random.sample(range(len(p)), len(p))
    assert holm([p[i] for i in order]).tolist() == corrected[order].tolist()


def test_holm_keeps_the_chance_of_any_false_claim() -> None:
    p = np.random.default_rng(0).uniform(size=(STUDIES, 6))
    false_claims = np.mean([(holm(row) <= 0.05).any() for row in p])
    assert false_claims <= 0.05 + binomial_error(0.05)


@given(cells, st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_a_ranking_ignores_the_order_of_the_cells(cells, lower, random) -> None:
    shuffled = dict(random.sample(list(cells.items()), len(cells)))
    ranking = rank(cells, lower)
    assert rank(shuffled, lower) == ranking
    means = [row.interval.mean for row in ranking.rows]
    assert means == sorted(means, reverse=not lower)
    assert {row.cell for row in ranking.rows} | set(ranking.unranked) == set(cells)
    assert set(ranking.unranked) == {name for name, values in cells.items() if not values}


@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(3, 6))
@settings(max_examples=40, deadline=None)
def test_cells_share_a_letter_if_and_only_if_they_are_not_told_apart(seed, cell_count, seeds) -> None:
    rng = np.random.default_rng(seed)
    levels, spreads = rng.normal(0, 2, cell_count), rng.lognormal(-4, 2, cell_count)
    logs = levels[:, None] + spreads[:, None] * rng.normal(size=(cell_count, seeds))
    ranking = rank({str(i): dict(enumerate(np.exp(row))) for i, row in enumerate(logs)})
    letters = {row.cell: set(row.letters) for row in ranking.rows}
    assert all(letters.values())
    assert "a" in ranking.rows[0].letters
    for a, b in combinations([row.cell for row in ranking.rows], 2):
        assert bool(letters[a] & letters[b]) == (not ranking.pairs[a, b].told_apart)


def test_a_ranking_corrects_over_all_its_pairs_and_pairs_by_seed() -> None:
    cells = {
        "near": {0: 1.0, 1: 1.2, 2: 0.9, 3: 1.1},
        "far": {3: 2.3, 2: 1.7, 1: 2.2, 7: 50.0},
        "same": {0: 1.1, 1: 1.3, 2: 0.8, 3: 1.2},
    }
    ranking = rank(cells)
    assert [row.cell for row in ranking.rows] == ["near", "same", "far"]
    keys = [("near", "same"), ("near", "far"), ("same", "far")]
    raw = [
        paired_comparison([cells[a][s] for s in shared], [cells[b][s] for s in shared])
        for a, b in keys
        for shared in [sorted(cells[a].keys() & cells[b].keys())]
    ]
    assert [ranking.pairs[key].n for key in keys] == [4, 3, 3]
    assert [ranking.pairs[key].p for key in keys] == pytest.approx(holm([c.p for c in raw]).tolist())
    assert ranking.rows[0].against_first is None
    assert ranking.rows[2].against_first == ranking.pairs["near", "far"]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ([9, 5, 2, 1], 30.0),
        ([9, 1, 9, 1], 40.0),  # a lucky reading, and then the last
        ([9, 1, 9, 9], None),
        ([2, 2, 9, 9], 10.0),
        ([math.nan, math.nan, 2, 2], 30.0),
        ([9, 9, 9, math.nan], None),
    ],
)
def test_time_to_a_goal(metric, expected) -> None:
    seconds = [10, 20, 30, 40]
    assert time_to(seconds, metric, threshold=2) == expected
    assert time_to(seconds, np.negative(metric), threshold=-2, lower_is_better=False) == expected


def test_no_snapshot_reaches_no_goal() -> None:
    assert time_to([], [], threshold=1) is None


def test_censored_runs_count_as_infinitely_late() -> None:
    assert astuple(reached([4.0, None, 2.0])) == (2, 3, 4.0)
    assert astuple(reached([4.0, None, 2.0, None])) == (2, 4, None)
    assert astuple(reached([None, None, 2.0])) == (1, 3, None)
    assert astuple(reached([])) == (0, 0, None)


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (lambda: bootstrap_interval([]), "at least one value"),
        (lambda: bootstrap_interval([1.0, math.nan]), "finite"),
        (lambda: bootstrap_interval([1.0, 2.0], level=95), "level is 95"),
        (lambda: paired_comparison([1.0], [1.0, 2.0]), "a has 1 values and b has 2"),
        (lambda: holm([0.5, 1.5]), "outside"),
        (lambda: rank({"gan": {3: math.inf}}), "seed 3 of gan has the value inf"),
        (lambda: time_to([1.0], [1.0, 2.0], 1.0), "both must be"),
    ],
)
def test_mistakes_are_told_in_a_sentence(mistake, sentence) -> None:
    with pytest.raises(UsageError, match=sentence):
        mistake()
