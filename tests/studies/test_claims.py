"""What seeds say of a claim: planted truths are found, and no interval is believed that is none."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ganbench.errors import UsageError
from ganbench.settings import from_tree
from ganbench.studies.claims import Claim, Part, find
from ganbench.studies.measures import End, Near, Spread, at_the_ends, bimodality

numbers = st.floats(-100, 100)


def part(**settings: Any) -> Part:
    return Part(**{"says": "so", "measure": "end", "of": "a", **settings})


def runs(**cells: list[float]) -> dict[str, Any]:
    """Runs that ended with these distances."""
    return {cell: [_run(cell, seed, value) for seed, value in enumerate(values)] for cell, values in cells.items()}


def _run(cell: str, seed: int, value: float) -> Any:
    summary = {"metrics": {"final": {"w1": value}, "floor": {"w1": 1.0}}, "seconds": 1.0, "snapshot_floor": {"w1": 1.0}}
    rows = [{"round": 1, "seconds": 1.0, "w1": value}]
    return SimpleNamespace(
        cell=cell, seed=seed, status="finished", summary=summary, folder=SimpleNamespace(rows=lambda name: rows)
    )


def verdict(claim_parts: list[Part], **cells: list[float]) -> str:
    return find("P0", Claim("so it is", tuple(claim_parts)), {"only": runs(**cells)}).verdict


@given(numbers, numbers, numbers, numbers)
def test_an_interval_is_judged_as_each_of_its_points_would_be(a: float, b: float, c: float, d: float) -> None:
    """Supported: every point holds; refuted: none does; and the outside of a span is the opposite of its inside."""
    low, high = sorted((a, b))
    span = tuple(sorted((c, d)))
    points = np.linspace(low, high, 50)
    inside = part(within=span).judge(low, high)
    holds = (points >= span[0]) & (points <= span[1])
    if inside == "supported":
        assert holds.all()
    if inside == "refuted":
        assert not holds.any()
    opposite = {"supported": "refuted", "refuted": "supported", "undecided": "undecided"}
    if not {low, high} & set(span):  # at the very edge both hold
        assert part(outside=span).judge(low, high) == opposite[inside]
        assert part(above=c).judge(low, high) == opposite[part(below=c).judge(low, high)]


def test_planted_truths_are_found() -> None:
    rng = np.random.default_rng(0)
    near, far = np.exp(rng.normal(0, 0.1, 8)).tolist(), np.exp(rng.normal(1, 0.1, 8)).tolist()
    closer = part(against=("b",), below=1)
    assert verdict([closer], a=near, b=far) == "supported"
    assert verdict([closer], a=far, b=near) == "refuted"
    middle = math.exp(np.mean(np.log(near)) - np.mean(np.log(far)))
    assert verdict([part(against=("b",), below=middle)], a=near, b=far) == "undecided"
    assert verdict([part(below=2)], a=near, b=far) == "supported"


def test_all_parts_must_hold_and_one_is_enough_to_refute() -> None:
    cells = {"a": [1.0, 1.1, 0.9, 1.0], "b": [3.0, 3.1, 2.9, 3.2]}
    holds, fails, open_ = part(against=("b",), below=1), part(above=2), part(above=1)
    assert verdict([holds, holds], **cells) == "supported"
    assert verdict([holds, fails], **cells) == "refuted"
    assert verdict([holds, open_], **cells) == "undecided"


def test_few_seeds_decide_nothing() -> None:
    assert verdict([part(below=2)], a=[1.0]) == "undecided"
    assert verdict([part(below=2)], a=[1.0, 1.0]) == "undecided"  # no spread in two
    assert verdict([part(below=2)], a=[1.0, 1.0, 1.0]) == "supported"
    assert verdict([part(against=("b",), below=1)], a=[1.0, 1.1, 1.2], b=[]) == "undecided"


def test_an_interval_over_seeds_is_students() -> None:
    """Of ratios on the logarithms; scipy's t-test is asked."""
    a, b = [1.0, 1.3, 0.8, 1.1], [2.0, 1.9, 2.2, 2.4]
    estimate = find("P0", Claim("", (part(against=("b",), below=1),)), {"": runs(a=a, b=b)}).evidence[0].estimate
    expected = stats.ttest_rel(np.log(a), np.log(b)).confidence_interval(0.95)
    assert [math.log(x) for x in (estimate.low or 0, estimate.high or 0)] == pytest.approx(list(expected))


def test_a_refutation_is_corrected_for_the_number_of_parts() -> None:
    """An interval that just misses the region refutes a single part, not one of twenty."""
    values = {"a": [1.0, 1.2, 1.1, 0.9, 1.3]}
    high = find("P0", Claim("", (part(below=9),)), {"": runs(**values)}).evidence[0].estimate.high
    beyond = part(above=(high or 0) * 1.001)
    assert verdict([beyond], **values) == "refuted"
    assert verdict([beyond, *[part(below=9)] * 19], **values) == "undecided"


def test_stability_is_a_share_and_a_spread() -> None:
    study = runs(best=[1.0, 1.1, 0.9, 1.0], wild=[1.0, 5.0, 1.2, 9.0])
    assert Near(2).values(study) == {
        "best": dict.fromkeys(range(4), 1.0),
        "wild": {0: 1.0, 1: 0.0, 2: 1.0, 3: 0.0},
    }
    spread = Spread().values(study)
    assert np.mean(list(spread["wild"].values())) > 5 * np.mean(list(spread["best"].values()))
    scaled = Spread().values(runs(best=[10.0, 11.0, 9.0, 10.0]))["best"]
    assert list(scaled.values()) == pytest.approx(list(spread["best"].values()))  # of the unit it knows nothing


def test_a_run_that_was_not_done_is_not_near() -> None:
    study = runs(a=[1.0])
    study["a"].append(SimpleNamespace(seed=1, status="failed", summary={}, folder=None))
    assert Near().values(study)["a"] == {1: 0.0, 0: 1.0}
    assert End().values(study)["a"] == {0: 1.0}


def test_statistics_of_weights() -> None:
    rng = np.random.default_rng(0)
    assert bimodality(rng.normal(size=100_000)) == pytest.approx(1 / 3, abs=0.01)
    assert bimodality(rng.uniform(-1, 1, 100_000)) == pytest.approx(5 / 9, abs=0.01)
    clipped = np.clip(rng.normal(size=100_000), -0.5, 0.5)
    assert at_the_ends(clipped) == pytest.approx(2 * stats.norm.sf(0.475), abs=0.01)  # within 5 % of the bound


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "one of below, above, within and outside"),
        ({"below": 1, "above": 2}, "one of below, above, within and outside"),
        ({"below": 1, "measure": "ending"}, "did you mean 'end'"),
        ({"below": "low"}, "below"),
        ({"below": 1, "measure": {"kind": "after"}}, "either rounds or seconds"),
    ],
)
def test_a_part_that_says_nothing_is_no_part(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        from_tree(Part, {"says": "so", "measure": "end", "of": "a", **settings})
