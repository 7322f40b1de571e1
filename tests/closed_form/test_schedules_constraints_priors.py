"""Who moves when, what curves do, what constraints hold, and what noise looks like."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from ganbench.constraints import Clip, SpectralNorm
from ganbench.networks import DCGAN, MLP
from ganbench.priors import Noise
from ganbench.schedules import CURVES, Falling, Phase, Turns
from ganbench.types import Sizes, UsageError

counts = st.integers(0, 6)


@given(counts, counts, st.integers(0, 100), st.sampled_from(["critic", "generator"]))
def test_a_ratio_is_kept_in_every_round(critic: int, generator: int, number: int, first: str) -> None:
    if critic + generator == 0:
        with pytest.raises(ValueError, match="a turn of one player"):
            Turns(critic=0, generator=0)
        return
    turns = Turns(critic=critic, generator=generator, first=first).of_round(number)  # type: ignore[arg-type]
    assert (turns.count("critic"), turns.count("generator")) == (critic, generator)
    if critic and generator:
        assert turns[0] == first


def test_wgans_own_schedule() -> None:
    turns = Turns(critic=5, opening=(Phase(25, critic=100),), every=Phase(500, critic=100))
    critic = [turns.of_round(i).count("critic") for i in range(1001)]
    assert critic[:25] == [100] * 25
    assert [i for i, count in enumerate(critic) if count == 100 and i >= 25] == [500, 1000]
    assert set(critic) == {5, 100}


def turned_after(gaps: Sequence[float], window: int, windows: int) -> int | None:
    """The windows after which a scripted gap, one critic turn a round, has turned the ratio; None if it never does."""
    falling = Falling(window=window, windows=windows)
    memory = falling.init()
    for number in range(len(gaps) // window):
        for gap in gaps[number * window : (number + 1) * window]:
            memory = falling.add(torch.tensor(float(gap)), memory)
        memory = falling.judge(memory)
        if falling.fallen(memory):
            return number + 1
    return None


@given(st.lists(st.integers(-5, 5), max_size=24), st.integers(1, 3), st.integers(3, 6))
def test_the_ratio_turns_when_the_regression_of_the_windows_falls_clearly(
    gaps: list[int], window: int, windows: int
) -> None:
    means = np.array(gaps[: len(gaps) // window * window], dtype=float).reshape(-1, window).mean(1)
    expected = None
    for last in range(windows, len(means) + 1):
        line = stats.linregress(np.arange(windows), means[last - windows : last])
        assume(abs(line.slope + 5 * line.stderr) > 1e-5)  # rounding decides there
        if expected is None and line.slope < -5 * line.stderr:
            expected = last
    assert turned_after(gaps, window, windows) == expected


def test_a_gap_that_only_scatters_seldom_turns_the_ratio_and_one_that_falls_does() -> None:
    scatter = np.random.default_rng(0).normal(0.0, 0.8, (60, 20 * 40))
    flat, falling = 4 + scatter, 4 + scatter[:20] - np.linspace(0, 4, 20 * 40)
    assert sum(turned_after(gaps.tolist(), 20, 10) is not None for gaps in flat) <= 0.1 * len(flat)
    assert all(turned_after(gaps.tolist(), 20, 10) for gaps in falling)


def test_the_ratio_turns_after_a_rise_and_a_steady_fall_only() -> None:
    assert turned_after([1, 2, 3, 4, 5], 1, 3) is None
    assert turned_after([1, 5, 4, 9, 8, 7], 1, 3) == 6  # a rise between begins anew
    assert turned_after([-1, -2, -3], 1, 3) == 3
    assert turned_after([math.nan, 3, 2, 1], 1, 3) == 4  # what is no number is no fall


def test_what_the_training_turns_to_holds_over_all_other_phases() -> None:
    turns = Turns(critic=5, opening=(Phase(3, critic=9),), every=Phase(2), then=Falling(window=4, generator=7))
    for number in range(8):
        assert turns.of_round(number, turned=True) == ("critic", *["generator"] * 7)
        assert turns.of_round(number) == Turns(critic=5, opening=turns.opening, every=turns.every).of_round(number)
    assert [played for played in range(16) if turns.ends_window(played)] == [7, 11, 15]
    assert not any(Turns().ends_window(played) for played in range(9))
    with pytest.raises(ValueError, match="a turn of one player"):
        Turns(then=Falling(critic=0, generator=0))


@pytest.mark.parametrize("name", CURVES)
@given(st.floats(0, 1), st.floats(0, 1))
def test_curves_start_at_one_and_never_rise(name: str, a: float, b: float) -> None:
    curve = CURVES[name]()
    assert curve.at(0.0) == pytest.approx(1)
    assert curve.at(max(a, b)) <= curve.at(min(a, b)) + 1e-12
    assert curve.at(1.5) == curve.at(1.0)


@given(st.floats(0.001, 1))
def test_clipping_bounds_every_weight_and_touches_no_small_one(bound: float) -> None:
    network = MLP(widths=(8, 8)).critic(Sizes((2,)))
    before = [p.detach().clone() for p in network.parameters()]
    Clip(bound).project(network)
    for p, q in zip(network.parameters(), before, strict=True):
        assert torch.equal(p.detach(), q.clamp(-bound, bound))


def test_clipping_of_chosen_layers_leaves_the_others() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 1))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    clip = Clip(1e-3, layers=("linear", "0"))
    clip.attach(network)
    clip.project(network)
    for name, p in network.named_parameters():
        clipped = name.startswith(("0.", "3."))
        assert torch.equal(p.detach(), before[name].clamp(-1e-3, 1e-3) if clipped else before[name])
    with pytest.raises(UsageError, match=r"linaer.*linear"):
        Clip(layers=("linaer",)).attach(network)


@pytest.mark.parametrize("layers", [("linear", "transposed"), "all"])
def test_clipping_without_biases_bounds_weights_alone(layers: tuple[str, ...] | Literal["all"]) -> None:
    network = DCGAN(channels=4, dense=8, smoothing=3).generator(Sizes((1, 8, 8), noise=4))
    with torch.no_grad():
        for p in network.parameters():
            p.normal_()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    Clip(0.05, layers, biases=False).project(network)
    kinds = {name: type(module) for name, module in network.named_modules()}
    for name, p in network.named_parameters():
        layer, _, field = name.rpartition(".")
        chosen = layers == "all" or kinds[layer] in (nn.Linear, nn.ConvTranspose2d)
        clipped = field == "weight" and chosen
        assert torch.equal(p.detach(), before[name].clamp(-0.05, 0.05) if clipped else before[name]), name
    assert {nn.Conv2d, nn.ConvTranspose2d, nn.Linear} <= set(kinds.values())


def test_spectral_norm_is_the_largest_singular_value() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(6, 4)
    largest = torch.linalg.matrix_norm(layer.weight.detach(), 2)
    weight = layer.weight.detach().clone()
    SpectralNorm(iterations=200).attach(layer)
    layer(torch.randn(2, 6))
    torch.testing.assert_close(layer.weight.detach(), weight / largest, rtol=1e-4, atol=1e-5)


def test_spectral_norm_of_a_weight_that_starts_at_zero_is_one() -> None:
    """As the last of a residual block's, whose norm there is nothing to divide by."""
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 4, 3)
    nn.init.zeros_(layer.weight)
    SpectralNorm(iterations=100).attach(layer)
    layer(torch.randn(2, 3, 8, 8))
    assert float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(
    ("prior", "law"),
    [
        (Noise(2), stats.norm),
        (Noise(2, distribution="uniform"), stats.uniform(-1, 2)),
        (Noise(2, distribution="uniform", low=0.0), stats.uniform(0, 1)),
    ],
)
def test_noise_has_its_distribution(prior: Noise, law) -> None:  # type: ignore[no-untyped-def]
    z = prior.draw(None, 4000, torch.Generator().manual_seed(0)).z.numpy()
    for column in z.T:
        assert stats.kstest(column, law.cdf).pvalue > 1e-3
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.06


def test_noise_on_the_sphere_has_one_length() -> None:
    z = Noise(7, distribution="sphere").draw(None, 50, torch.Generator().manual_seed(0)).z
    torch.testing.assert_close(z.norm(dim=1), torch.full((50,), 7**0.5))
