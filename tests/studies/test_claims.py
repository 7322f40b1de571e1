"""What seeds say of a claim: planted truths are found, and no interval is believed that is none."""

import math
from collections.abc import Callable
from functools import partial
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
from ganbench.studies.claims import Claim, Part, arrivals, find
from ganbench.studies.measures import Decline, End, Near, Reaches, Spread, TimeTo, at_the_ends, bimodality
from ganbench.studies.study import Done

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
    # Of four parts each has a quarter of the error, for which six equal values are too few and eight are enough.
    four = [part(above=2), *[part(below=9)] * 3]
    assert verdict(four, a=[1.0] * 6) == "undecided"
    assert verdict(four, a=[1.0] * 8) == "refuted"
    assert verdict([shares(above=0.02)], a=[1.0]) == "undecided"


def test_an_interval_over_seeds_is_students() -> None:
    """Of ratios on the logarithms; scipy's t-tests are asked."""
    a, b = [1.0, 1.3, 0.8, 1.1], [2.0, 1.9, 2.2, 2.4]
    two = stats.ttest_rel(np.log(a), np.log(b)).confidence_interval(0.95)
    one = stats.ttest_1samp(np.log(a), 0).confidence_interval(0.95)
    for against, expected in ((("b",), two), ((), one)):
        claim = Claim("", (part(against=against, below=1),))
        estimate = find("P0", claim, {"": runs(a=a, b=b)}).evidence[0].estimate
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


def test_a_run_that_diverged_counts_and_one_that_failed_is_lost() -> None:
    study = runs(a=[1.0])
    study["a"] += [SimpleNamespace(seed=1, status="failed", summary={}, folder=None), _run("a", 2, 1.0, "diverged")]
    assert Near().values(study)["a"] == {0: 1.0, 2: 0.0}
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


def _supported_and_refuted(asked: Part, count: int, draw: Callable[[], dict[str, list[float]]]) -> tuple[int, int]:
    verdicts = [verdict([asked], **draw()) for _ in range(count)]
    return verdicts.count("supported"), verdicts.count("refuted")


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("alone", [True, False])
def test_at_the_edge_of_its_region_a_claim_is_seldom_decided(n: int, alone: bool) -> None:
    """A true value on the edge is neither in nor out: each of the two is said in 2.5 % of studies at most."""
    rng = np.random.default_rng(n)
    count = 400

    def draw() -> dict[str, list[float]]:
        return {cell: rng.lognormal(0, 0.5, n).tolist() for cell in "ab"}

    asked = part(below=1) if alone else part(against=("b",), below=1)
    most = stats.binom.ppf(0.999, count, 0.025)
    assert max(_supported_and_refuted(asked, count, draw)) <= most


@pytest.mark.parametrize("n", [5, 6, 10])
@pytest.mark.parametrize("share", [0.5, 0.75, 0.95])
def test_shares_at_the_edge_are_seldom_decided(n: int, share: float) -> None:
    """Summed over all outcomes: of one cell 2.5 % at most each way, of two that are alike within a difference, too."""
    one = {k: verdict([shares(above=share)], a=_so_many(k, n)) for k in range(n + 1)}
    probability = {k: stats.binom.pmf(k, n, share) for k in one}
    for said in ("supported", "refuted"):
        assert sum(p for k, p in probability.items() if one[k] == said) <= 0.025
    lower = share - 0.25
    wrong = 0.0
    for k in range(n + 1):
        for j in range(n + 1):
            alike = shares(against=("b",), within=(-0.25, 0.25))
            if verdict([alike], a=_so_many(k, n), b=_so_many(j, n)) == "supported":
                wrong += stats.binom.pmf(k, n, share) * stats.binom.pmf(j, n, lower)
    assert wrong <= 0.025


def _so_many(count: int, n: int) -> list[float]:
    """Runs of which so many reach 1."""
    return [1.0] * count + [0.5] * (n - count)


@pytest.mark.parametrize("effect", [1.0, 2.0])
def test_the_power_of_a_verdict_is_that_of_students_test(effect: float) -> None:
    """Of a true difference of so many standard deviations of the pairs, with five seeds: scipy's noncentral t."""
    rng = np.random.default_rng(0)
    n, count = 5, 600

    def draw() -> dict[str, list[float]]:
        a, b = rng.normal(0, 0.1, n), rng.normal(0, 0.1, n)
        return {"a": np.exp(a).tolist(), "b": np.exp(b + effect * 0.1 * math.sqrt(2)).tolist()}

    found, _ = _supported_and_refuted(part(against=("b",), below=1), count, draw)
    power = stats.nct.sf(stats.t.ppf(0.975, n - 1), n - 1, effect * math.sqrt(n))
    assert stats.binom.ppf(0.001, count, power) <= found <= stats.binom.ppf(0.999, count, power)


def shares(**settings: Any) -> Part:
    reaches = {"kind": "reaches", "metric": "w1", "at_least": 1.0}
    return from_tree(Part, {"says": "so", "of": "a", "measure": reaches, **settings})


def test_a_share_of_runs_has_an_exact_interval() -> None:
    """Ten of ten show that it is so in more than 69 of 100, and not that it always is."""
    ten = shares(above=0.65)
    estimate = find("P0", Claim("", (ten,)), {"": runs(a=[1.0] * 10)}).evidence[0].estimate
    assert estimate.low is not None
    assert stats.binom.pmf(10, 10, estimate.low) == pytest.approx(0.025)
    assert verdict([ten], a=[1.0] * 10) == "supported"
    assert verdict([ten], a=[1.0] * 9 + [0.5]) == "undecided"


@pytest.mark.parametrize(
    ("n", "settings", "powerless"),
    [
        (5, {"above": 0.4}, False),  # five of five: above 0.48
        (5, {"above": 0.5}, True),  # none of five: below 0.52
        (6, {"above": 0.5}, False),
        (2, {"above": 0.5}, True),
        (5, {"against": ("b",), "above": 0}, True),
        (7, {"against": ("b",), "above": 0}, False),
        (10, {"against": ("b",), "within": (-0.25, 0.25)}, False),  # ten against none refute it
        (3, {"against": ("b",), "within": (-0.25, 0.25)}, True),
    ],
)
def test_shares_that_no_outcome_could_decide_are_told(n: int, settings: dict[str, Any], powerless: bool) -> None:
    claim = Claim("", (shares(**settings),))
    found = [
        find("P0", claim, {"": runs(a=_so_many(k, n), b=_so_many(j, n))}) for k in range(n + 1) for j in range(n + 1)
    ]
    assert {each.evidence[0].powerless for each in found} == {powerless}
    assert ({each.verdict for each in found} == {"undecided"}) == powerless


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
        ({"below": 1, "measure": {"kind": "after", "rounds": 1, "seconds": 1}}, "either rounds or seconds"),
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
    configuration = SimpleNamespace(plan=SimpleNamespace(rounds=200))
    folder = SimpleNamespace(rows=lambda name: rows, configuration=configuration)
    return SimpleNamespace(cell="a", seed=0, status=status, summary=summary, folder=folder)


@pytest.mark.parametrize(
    ("values", "rounds"),
    [
        ([0.0, 0.6, 0.2, 0.7, 0.8], 30),  # one lucky reading does not count
        ([0.0, 0.1, 0.2, 0.3, 0.9], 40),  # but at the last
        ([0.5, 0.5, 0.0], 1e-3),  # there from the start
        ([0.0, 0.9, 0.0, 0.1], 31),  # never: more than all that was played
    ],
)
def test_time_to_a_metric(values: list[float], rounds: float) -> None:
    run = along(values)
    never = rounds == 31
    found = TimeTo(metric="readable", at_least=0.5).values({"a": [run]})["a"][0]
    assert found == (30 if never else rounds)
    seconds = TimeTo(metric="readable", at_least=0.5, unit="seconds").values({"a": [run]})["a"][0]
    assert seconds == pytest.approx(max(found / 2, 1e-3))
    reached = Reaches("readable", 0.5, when="along").values({"a": [run]})
    assert reached == {"a": {0: float(not never)}}
    diverged = along(values, "diverged")  # it never got there, in as many rounds as it had been given
    assert TimeTo(metric="readable", at_least=0.5).values({"a": [diverged]}) == {"a": {0: 200}}
    assert Reaches("readable", 0.5, when="along").values({"a": [diverged]}) == {"a": {0: 0.0}}


@pytest.mark.parametrize(("middle", "edge"), [(4.0, 1.0), (8.0, 1.0), (8.0, 0.5)])
def test_times_of_which_some_are_only_known_to_be_longer_are_seldom_told_apart(middle: float, edge: float) -> None:
    """Times to a goal, log-normal and cut off after ten snapshots, of a true ratio at the edge of the region."""
    rng = np.random.default_rng(round(10 * middle + edge))
    count, n = 300, 5
    timed_to = {"kind": "time-to", "metric": "readable", "at_least": 0.5}
    asked = from_tree(Part, {"says": "so", "of": "a", "against": ["b"], "below": edge, "measure": timed_to})
    verdicts = []
    for _ in range(count):
        times = {"a": rng.lognormal(math.log(middle * edge), 0.5, n), "b": rng.lognormal(math.log(middle), 0.5, n)}
        study = {cell: [_arriving(after, seed) for seed, after in enumerate(each)] for cell, each in times.items()}
        verdicts.append(find("P0", Claim("", (asked,)), {"": study}).verdict)
    most = stats.binom.ppf(0.999, count, 0.025)
    assert max(verdicts.count("supported"), verdicts.count("refuted")) <= most


def _arriving(after: float, seed: int) -> Any:
    """A run of ten snapshots that is at its goal from so many on."""
    return replace_seed(along([float(i >= after) for i in range(11)]), seed)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0.0, 0.6, 0.6], [0.0, 0.1, 0.6, 0.6], "supported"),
        ([0.0, 0.6, 0.6], [0.0, 0.1, 0.1, 0.1], "supported"),  # the other never
        ([0.0, 0.1], [0.0, 0.1, 0.1, 0.1], "undecided"),  # neither: who was given less is not the sooner for it
        ([0.0, 0.1], [0.0, 0.1, 0.6, 0.6], "undecided"),  # it may have come at any time later
        ([0.0, 0.1, 0.1, 0.1], [0.0, 0.6, 0.6], "refuted"),
    ],
)
def test_sooner_is_who_was_there_first(a: list[float], b: list[float], expected: str) -> None:
    sooner = {"kind": "time-to", "metric": "readable", "at_least": 0.5}
    asked = from_tree(Part, {"says": "so", "of": "a", "against": ["b"], "below": 1, "measure": sooner})
    cells = {cell: [replace_seed(along(values), seed) for seed in range(6)] for cell, values in (("a", a), ("b", b))}
    found = find("P0", Claim("", (asked,)), {"": cells})
    assert found.verdict == expected
    neither = max(a + b) < 0.5
    assert (found.evidence[0].unmet, found.evidence[0].lost) == (6 if neither else 0, 0)


def test_who_never_got_there_may_have_been_far_from_it() -> None:
    """So a ratio is known to one side alone, and the time of one cell to be no shorter."""
    sooner = {"kind": "time-to", "metric": "readable", "at_least": 0.5}
    came, never = [0.0, 0.1, 0.1, 0.6], [0.0, 0.1, 0.1, 0.1, 0.1]
    cells = {c: [replace_seed(along(v), seed) for seed in range(6)] for c, v in (("a", came), ("b", never))}
    for against, region, of, expected in (
        (["b"], {"below": 0.8}, "a", "supported"),  # in 30 rounds of at most 40
        (["b"], {"below": 0.5}, "a", "undecided"),
        (["a"], {"above": 1.2}, "b", "supported"),
        (["a"], {"above": 2}, "b", "undecided"),
        ([], {"below": 50}, "b", "undecided"),
        ([], {"above": 35}, "b", "supported"),
        ([], {"below": 35}, "b", "refuted"),
    ):
        asked = from_tree(Part, {"says": "so", "of": of, "against": against, "measure": sooner, **region})
        assert find("P0", Claim("", (asked,)), {"": cells}).verdict == expected, (of, region)


def test_how_long_a_cell_took_is_a_geometric_mean_over_the_seeds_that_got_there() -> None:
    """Of goals that claims name, in rounds and seconds; who never got there leaves the interval open."""
    goal = {"kind": "time-to", "metric": "readable", "at_least": 0.5}
    parts = [{"of": "a", "against": ["b"], "below": 1, "measure": goal | {"unit": u}} for u in ("rounds", "seconds")]
    claim = Claim("", tuple(from_tree(Part, {"says": "so", **each}) for each in parts))
    times = {"a": (1, 2, 4, 8, 2), "b": (2, 2, 2, 11, 2)}
    cells = {cell: [_arriving(at, seed) for seed, at in enumerate(each)] for cell, each in times.items()}
    (a, b) = arrivals([claim], {"": cells})[""]
    assert (a.cell, a.goal, a.reached, a.runs) == ("a", "readable of 0.5", 5, 5)
    logs = np.log([10, 20, 40, 80, 20])
    half = stats.t.ppf(0.975, 4) * stats.sem(logs)
    assert a.rounds.effect == pytest.approx(np.exp(logs.mean()))
    assert (a.rounds.low, a.rounds.high) == pytest.approx(tuple(np.exp([logs.mean() - half, logs.mean() + half])))
    assert a.seconds.effect == pytest.approx(a.rounds.effect / 2)
    assert (b.reached, b.rounds.high) == (4, math.inf)
    assert arrivals([Claim("", (part(below=1),))], {"": cells}) == {"": []}


def replace_seed(run: Any, seed: int) -> Any:
    return SimpleNamespace(**{**vars(run), "seed": seed})


@given(st.lists(st.floats(0, 1), min_size=3, max_size=20))
def test_a_decline_is_from_the_best_level_to_the_last(values: list[float]) -> None:
    levels = [(a + b) / 2 for a, b in pairwise(values)]
    found = Decline("readable").values({"a": [along(values)]})["a"][0]
    assert found == pytest.approx(max(levels) - levels[-1])
    if len(values) > 4:
        smooth = Decline("readable", window=4).values({"a": [along(values)]})["a"][0]
        assert smooth <= max(values) - np.mean(values[-4:]) + 1e-12
    mirrored = Decline("fid").values({"a": [along([-v for v in values], metric="fid")]})["a"][0]
    assert mirrored == pytest.approx(found)  # of a distance the lowest is best
    assert Decline("readable").values({"a": [along(sorted(values))]})["a"][0] == 0


def test_a_run_that_diverged_declines_to_where_it_began() -> None:
    run = along([0.1, 0.8, 0.6, 0.6], "diverged")
    assert Decline("readable").values({"a": [run]})["a"][0] == pytest.approx(0.7 - 0.1)


@pytest.mark.parametrize("scale", ["ratio", "difference"])
def test_at_equal_seconds_the_quicker_of_each_seed_is_at_its_end(scale: str) -> None:
    """And the other at its last snapshot by then, in the unit in which both are compared at the end."""
    quick = [timed("quick", seed, rounds=[8.0, 4.0], pace=10.0 + seed % 3) for seed in range(4)]
    slow = [timed("slow", seed, rounds=[8.0, 2.0, 1.0], pace=13.0) for seed in range(4)]
    end = {"kind": "end", "metric": "w1", "scale": scale}
    asked = from_tree(Part, {"says": "so", "of": "slow", "against": ["quick"], "below": 1, "measure": end})
    evidence = find("P0", Claim("", (asked,)), {"": {"quick": quick, "slow": slow}}).evidence[0]
    beside = evidence.by_seconds
    assert beside is not None
    effects = (evidence.estimate.effect, beside.estimate.effect)
    assert effects == pytest.approx((1 / 4, 8 / 4) if scale == "ratio" else (1 - 4, 8 - 4))


@pytest.mark.parametrize(
    ("measure", "by_rounds", "by_seconds"),
    [
        ({"kind": "after", "rounds": 1, "metric": "w1"}, 2 / 8, 50 / 8),  # by then the slower one has not begun
        ({"kind": "time-to", "floors": 30}, 1 / 2, 13 / 20),
        ({"kind": "time-to", "floors": 30, "unit": "seconds"}, 13 / 20, None),
    ],
)
def test_what_is_compared_by_rounds_is_compared_by_seconds_too(
    measure: dict[str, Any], by_rounds: float, by_seconds: float | None
) -> None:
    quick = [timed("quick", seed, rounds=[8.0, 2.0], pace=10.0) for seed in range(4)]
    slow = [timed("slow", seed, rounds=[2.0, 1.0], pace=13.0) for seed in range(4)]
    asked = from_tree(Part, {"says": "so", "of": "slow", "against": ["quick"], "below": 1, "measure": measure})
    evidence = find("P0", Claim("", (asked,)), {"": {"quick": quick, "slow": slow}}).evidence[0]
    beside = evidence.by_seconds and evidence.by_seconds.estimate.effect
    assert (evidence.estimate.effect, beside) == (pytest.approx(by_rounds), by_seconds and pytest.approx(by_seconds))


def timed(cell: str, seed: int, rounds: list[float], pace: float) -> Any:
    """A run with a snapshot every `pace` seconds, at the distances that `rounds` has."""
    rows = [{"round": i, "seconds": pace * i, "w1": w1} for i, w1 in enumerate([50.0, *rounds])]
    run = _run(cell, seed, rounds[-1])
    run.summary |= {"seconds": rows[-1]["seconds"], "snapshot_floor": {"w1": 0.1}}
    run.folder = SimpleNamespace(rows=lambda name: rows)
    run.time_to = partial(Done.time_to, run)
    return run
