"""Sentences claim what the ranking shows and nothing more."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ganbench.studies.conclusions import CellOutcome, conclude, number
from ganbench.studies.statistics import rank

CLAIM = re.compile(r"(\w+) (ends closer to the data|ends further from the data) than (\w+):")


def concluded(metric: str, cells: dict[str, CellOutcome], floor: float | None = None) -> list[str]:
    return conclude(metric, cells, rank({name: cell.values for name, cell in cells.items()}), floor)


def outcome(*values: float, **rest) -> CellOutcome:
    return CellOutcome(dict(enumerate(values)), **rest)


def around(center: float, seed: int, n: int = 5, spread: float = 0.1) -> tuple[float, ...]:
    return tuple(center * np.exp(spread * np.random.default_rng(seed).normal(size=n)))


def test_the_sentences_of_a_study() -> None:
    cells = {
        "gan": outcome(4.0, 4.0, 1.0, diverged=1),
        "best": outcome(1.0, 2.0, 1.5, times={1.5: [8.0, None, 10.0], 0.1: [None] * 3}),
        "wgan": outcome(2.0, 4.04, 3.03, failed=2, times={1.5: [None] * 5, 0.1: [None] * 5}),
        "lost": CellOutcome({}, diverged=2, failed=1),
    }
    sentences = concluded("w1", cells, floor=1.0)
    assert sentences[0] == (
        "best ends at 1.5 times the floor: its w1 is 1.5 (95 % interval 0.156 to 2.84, 3 seeds), "
        "and two halves of the real data show 1, a value that the interval includes."
    )
    assert any(
        re.fullmatch(
            r"best ends closer to the data than wgan: its w1 is 0\.497 times as large "
            r"\(95 % interval 0\.\d+ to 0\.\d+, 3 seeds, corrected p < 0\.001\)\.",
            sentence,
        )
        for sentence in sentences
    )
    assert any(
        sentence.startswith("Among the runs that did not diverge, best and gan are not told apart by 3 seeds")
        for sentence in sentences
    )
    assert sentences[-6:] == [
        "None of 8 runs reached 0.1 times the snapshots' floor.",
        "Reached 1.5 times the snapshots' floor: best in 2 of 3 runs (median 10 s), wgan in 0 of 5 runs.",
        "Of 4 runs of gan, 1 diverged; diverging speaks against it, and its figures are of the other 3.",
        "Of 5 runs of wgan, 2 failed; its figures are of the other 3.",
        "Of 3 runs of lost, 2 diverged and 1 failed; diverging speaks against it, and it is not ranked.",
        "Caution: as few as 3 seeds a cell can hide a real difference, and cannot show the normal spread "
        "that the p-values suppose; repeat with 5 or more.",
    ]


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 7), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_difference_is_claimed_only_with_a_small_corrected_p_and_in_its_direction(
    seed, cell_count, seeds, may_be_negative
) -> None:
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 1, (cell_count, 1)) + 0.2 * rng.normal(size=(cell_count, seeds))
    values = {f"cell{i}": dict(enumerate(logs[i] if may_be_negative else np.exp(logs[i]))) for i in range(cell_count)}
    ranking = rank(values)
    sentences = concluded("kid", {name: CellOutcome(v) for name, v in values.items()}, 0.1)
    claimed = set()
    for sentence in sentences:
        if claim := CLAIM.search(sentence):
            a, verb, b = claim.groups()
            comparison = ranking.pairs[a, b]
            assert comparison.p <= 0.05
            assert f"{seeds} seed" in sentence
            smaller = comparison.effect < (1 if comparison.kind == "ratio" else 0)
            assert (verb == "ends closer to the data") == smaller
            claimed.add((a, b))
    first = ranking.rows[0].cell
    assert {b for a, b in claimed if a == first} == {
        row.cell for row in ranking.rows[1:] if row.against_first.told_apart
    }


@pytest.mark.parametrize(("p", "claimed"), [(0.049, True), (0.051, False)])
def test_the_claim_begins_at_five_percent(p: float, claimed: bool) -> None:
    """Log ratios (-1, 0, 1) + t / sqrt(3) have unit deviation, hence the paired test's statistic t."""
    logs = np.array([-1.0, 0.0, 1.0]) - stats.t.isf(p / 2, 2) / np.sqrt(3)
    sentences = concluded("w1", {"a": outcome(*np.exp(logs)), "b": outcome(1.0, 1.0, 1.0)})
    assert f"corrected p = {p})" in sentences[1]
    assert bool(CLAIM.match(sentences[1])) == claimed


def test_seeds_in_common_may_turn_the_order_of_the_means_round() -> None:
    common = around(1.0, 0, 6, 0.01)
    lucky = outcome(*(2 * value for value in common))
    lucky = CellOutcome({**lucky.values, **dict.fromkeys(range(10, 30), 0.01)})
    (claim,) = (s for s in concluded("w1", {"lucky": lucky, "plain": outcome(*common)}) if CLAIM.search(s))
    assert claim.startswith("lucky ends further from the data than plain: its w1 is 2 times as large")


def test_no_seed_in_common_is_no_comparison() -> None:
    sentences = concluded("w1", {"a": CellOutcome({0: 1.0, 1: 1.1}), "b": CellOutcome({2: 9.0, 3: 9.1})})
    assert "a and b have no seed in common, and are not compared." in sentences


def test_a_difference_is_given_where_there_is_no_ratio() -> None:
    a, b = outcome(-0.1, -0.11, -0.12, -0.09, -0.1), outcome(0.4, 0.42, 0.39, 0.41, 0.4)
    assert any("its kid less that of b is -0.508" in s for s in concluded("kid", {"a": a, "b": b}))


@pytest.mark.parametrize(
    ("floor", "sentence"),
    [
        (None, r"a ends at a w1 of 2 \(95 % interval .*, 3 seeds\)\."),
        (0.0, r"a ends at a w1 of 2 \(.*\); two halves of the real data show 0\."),
        (0.5, r"a ends at 4 times the floor: .*show 0\.5\."),
        (1.9, r"a ends at 1\.05 times the floor: .*includes\."),
    ],
)
def test_the_floor(floor, sentence) -> None:
    assert re.fullmatch(sentence, concluded("w1", {"a": outcome(1.9, 2.0, 2.1)}, floor)[0])


@pytest.mark.parametrize(("seeds", "cautious"), [(1, True), (2, True), (4, True), (5, False)])
def test_few_seeds_are_said_to_be_few(seeds: int, cautious: bool) -> None:
    sentences = concluded("w1", {"a": outcome(*around(1, 0, seeds)), "b": outcome(*around(1, 1))})
    assert any(sentence.startswith("Caution") for sentence in sentences) == cautious


def test_nothing_finished_means_nothing_concluded() -> None:
    assert concluded("w1", {"a": CellOutcome({}, diverged=1), "b": CellOutcome({})}, floor=1.0) == [
        "No run finished, so nothing is concluded.",
        "Of 1 run of a, 1 diverged; diverging speaks against it, and it is not ranked.",
        "b has no run, and is not ranked.",
    ]


@given(st.floats(-1e12, 1e12))
def test_numbers_keep_three_digits_and_no_noise(x: float) -> None:
    text = number(x)
    assert float(text) == pytest.approx(x, rel=0.5e-2, abs=0)
    mantissa = text.lstrip("-").split("e")[0]
    assert len(mantissa.replace(".", "").strip("0")) <= 3
    assert "." not in mantissa or mantissa[-1] not in "0."
