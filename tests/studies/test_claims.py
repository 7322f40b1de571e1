"""What seeds say of a claim: planted truths are found, and no interval is believed that is none."""

import math
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from ganbench.errors import UsageError
from ganbench.settings import from_tree
from ganbench.studies.claims import Claim, Part, find
from ganbench.studies.measures import Decline, End, Near, Reaches, Spread, TimeTo, at_the_ends, bimodality

numbers = st.floats(-100, 100)


def part(**settings: Any) -> Part:
    return Part(**{"says": "so", "measure": "end", "of": "a", **settings})


def runs(**cells: list[float]) -> dict[str, Any]:
    """Runs that ended with these distances."""
    return {cell: [_run(cell, seed, value) for seed, value in enumerate(values)] for cell, values in cells.items()}


def _run(cell: str, seed: int, value: float, status: str = "finished") -> Any:
    summary = {"metrics": {"final": {"w1": value}, "floor": {"w1": 1.0}}, "seconds": 1.0, "snapshot_floor": {"w1": 1.0}}
    rows = [{"round": 0, "seconds": 0.0, "w1": 50.0}, {"round": 1, "seconds": 1.0, "w1": value}]
    return SimpleNamespace(
        cell=cell, seed=seed, status=status, summary=summary, folder=SimpleNamespace(rows=lambda name: rows)
    )


def verdict(claim_parts: list[Part], **cells: list[float]) -> str:
    return find("P0", Claim("so it is", tuple(claim_parts)), {"only": runs(**cells)}).verdict


@given(numbers, numbers, numbers, numbers)
def test_an_interval_is_judged_as_each_of_its_points_would_be(a: float, b: float, c: float, d: float) -> None:
    """Supported: every point holds; refuted: none does; and the outside of a span is the opposite of its inside."""
    low, high = sorted((a, b))
    assume(c != d)
    span = tuple(sorted((c, d)))
    points = np.linspace(low, high, 50)
    inside = part(within=span).judge(low, high)
    holds = (points >= span[0]) & (points <= span[1])
    if inside == "supported":
        assert holds.all()
    if inside == "refuted":
        assert not holds.any()
    opposite = {"supported": "refuted", "refuted": "supported", "undecided": "undecided"}
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
    assert verdict([part(below=2)], a=[1.0] * 5) == "undecided"  # five heads in a row are not 95 %
    assert verdict([part(below=2)], a=[1.0] * 6) == "supported"
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
    study["a"] += [SimpleNamespace(seed=1, status="failed", summary={}, folder=None), _run("a", 2, 1.0, "diverged")]
    assert Near().values(study)["a"] == {0: 1.0, 1: 0.0, 2: 0.0}
    assert End().values(study)["a"] == {0: 1.0, 2: 50.0}  # one that diverged is as good as untrained


def test_nothing_is_decided_while_a_run_is_lost() -> None:
    study = runs(a=[1.0, 1.1, 0.9, 1.0])
    claim = Claim("", (part(below=2),))
    assert find("P0", claim, {"": study}).verdict == "supported"
    study["a"].append(SimpleNamespace(seed=4, status="unfinished", summary={}, folder=None))
    finding = find("P0", claim, {"": study})
    assert (finding.verdict, finding.evidence[0].lost) == ("undecided", 1)


def test_a_tie_supports_nothing() -> None:
    same = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    for region in ({"below": 1}, {"above": 1}, {"outside": (0.5, 1.0)}):
        assert verdict([part(against=("b",), **region)], a=same, b=same) == "undecided"
    assert verdict([part(against=("b",), within=(0.9, 1.1))], a=same, b=same) == "supported"


LAWS = {
    "ratio": lambda rng: rng.lognormal(0, 0.3, 5),
    "quantised": lambda rng: np.ceil(rng.lognormal(1, 0.3, 5)),
    "binary": lambda rng: rng.integers(1, 3, 5).astype(float),
}


@pytest.mark.parametrize("law", LAWS)
def test_cells_of_one_law_are_seldom_told_apart(law: str) -> None:
    """ "a closer than b" is false where both follow one law: it must not be supported in more than 2.5 % of studies."""
    rng = np.random.default_rng(0)
    claim = Claim("", (part(against=("b",), below=1),))
    count = 400
    wrong = 0
    for _ in range(count):
        a, b = LAWS[law](rng).tolist(), LAWS[law](rng).tolist()
        wrong += find("P0", claim, {"": runs(a=a, b=b)}).verdict == "supported"
    assert wrong <= stats.binom.ppf(0.999, count, 0.025)


def test_a_share_of_runs_has_an_exact_interval() -> None:
    """Ten of ten show that it is so in more than 69 of 100, and not that it always is."""
    reaches = {"kind": "reaches", "metric": "w1", "at_least": 1.0}
    ten = part(measure=from_tree(Part, {"says": "", "of": "a", "below": 1, "measure": reaches}).measure, above=0.65)
    estimate = find("P0", Claim("", (ten,)), {"": runs(a=[1.0] * 10)}).evidence[0].estimate
    assert estimate.low is not None
    assert stats.binom.pmf(10, 10, estimate.low) == pytest.approx(0.025)
    assert verdict([ten], a=[1.0] * 10) == "supported"
    assert verdict([ten], a=[1.0] * 9 + [0.5]) == "undecided"


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
        ({"within": [2, 1]}, "the lower end comes first"),
        ({"below": 1, "against": ["a"]}, "not compared with itself"),
    ],
)
def test_a_part_that_says_nothing_is_no_part(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        from_tree(Part, {"says": "so", "measure": "end", "of": "a", **settings})


def along(values: list[float], status: str = "finished", metric: str = "readable") -> Any:
    """A run that had these values of a metric at snapshots after 0, 10, 20 ... rounds of half a second."""
    rows = [{"round": 10 * i, "seconds": 5.0 * i, metric: value} for i, value in enumerate(values)]
    summary = {"rounds": rows[-1]["round"], "seconds": rows[-1]["seconds"], "metrics": {"final": {metric: values[-1]}}}
    configuration = SimpleNamespace(plan=SimpleNamespace(rounds=100))
    folder = SimpleNamespace(rows=lambda name: rows, configuration=configuration)
    return SimpleNamespace(cell="a", seed=0, status=status, summary=summary, folder=folder)


@pytest.mark.parametrize(
    ("values", "rounds"),
    [
        ([0.0, 0.6, 0.2, 0.7, 0.8], 30),  # one lucky reading does not count
        ([0.0, 0.1, 0.2, 0.3, 0.9], 40),  # but at the last
        ([0.5, 0.5, 0.0], 1e-3),  # there from the start
        ([0.0, 0.9, 0.0, 0.1], 100),  # never: all that was planned
    ],
)
def test_time_to_a_metric(values: list[float], rounds: float) -> None:
    run = along(values)
    assert TimeTo(metric="readable", at_least=0.5).values({"a": [run]}) == {"a": {0: rounds}}
    seconds = TimeTo(metric="readable", at_least=0.5, unit="seconds").values({"a": [run]})["a"][0]
    assert seconds == pytest.approx(max(rounds / 2, 1e-3))
    reached = Reaches("readable", 0.5, when="along").values({"a": [run]})
    assert reached == {"a": {0: float(rounds != 100)}}


@given(st.lists(st.floats(0, 1), min_size=3, max_size=20))
def test_a_decline_is_from_the_best_level_to_the_last(values: list[float]) -> None:
    levels = [(a + b) / 2 for a, b in pairwise(values)]
    found = Decline("readable").values({"a": [along(values)]})["a"][0]
    assert found == pytest.approx(max(levels) - levels[-1])
    mirrored = Decline("fid").values({"a": [along([-v for v in values], metric="fid")]})["a"][0]
    assert mirrored == pytest.approx(found)  # of a distance the lowest is best
    assert Decline("readable").values({"a": [along(sorted(values))]})["a"][0] == 0


def test_a_run_that_diverged_declines_to_where_it_began() -> None:
    run = along([0.1, 0.8, 0.6, 0.6], "diverged")
    assert Decline("readable").values({"a": [run]})["a"][0] == pytest.approx(0.7 - 0.1)
