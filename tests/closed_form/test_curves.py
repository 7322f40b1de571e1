"""Curves show what they are given: what lies on them is compared with what is known."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from ganbench.figures.animation import png_bytes
from ganbench.figures.curves import (
    estimate_against_distance,
    loss_curves,
    metric_curves,
    ranking_figure,
    study_curves,
)
from ganbench.figures.weights import weight_histograms

pytestmark = pytest.mark.filterwarnings("error")


def texts(figure: Figure) -> str:
    """All that a figure says."""
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_a_spike_neither_sets_the_limits_nor_moves_the_median() -> None:
    losses = np.sin(np.arange(1000) / 100)
    losses[500] = 1e6
    figure = loss_curves(range(1000), {"critic": losses})
    low, high = figure.axes[0].get_ylim()
    assert -2 < low < -1 < 1 < high < 2
    strong = figure.axes[0].lines[1].get_xydata()
    np.testing.assert_allclose(strong[:, 1], np.sin(strong[:, 0] / 100), atol=0.11)


@pytest.mark.parametrize("values", [[np.nan] * 60, [np.inf] * 60, [1.0] * 30 + [np.nan] * 30, [2.0] * 60, [None] * 60])
def test_losses_that_stop_being_numbers(values: list[float]) -> None:
    figure = loss_curves(range(1, 61), {"critic": values, "generator": [1.0] * 60, "critic.penalty": [0.1] * 60})
    png_bytes(figure)
    assert len(figure.axes) == 2
    stops = not np.isfinite(np.array(values, float)).all()
    assert stops == ("not finite at round" in texts(figure))
    assert ("not finite at round 31" in texts(figure)) == (values[:30] == [1.0] * 30)


def test_nothing_to_draw_yet() -> None:
    png_bytes(loss_curves([], {}))
    png_bytes(loss_curves([], {"critic": []}))
    png_bytes(loss_curves([1], {"critic": [1.0]}))
    png_bytes(metric_curves([]))
    png_bytes(metric_curves([{"round": 1, "seconds": 0.0, "w1": np.nan}]))
    png_bytes(estimate_against_distance([]))
    png_bytes(estimate_against_distance([{"round": 1, "critic_estimate": -1.0, "w1_scaled": 1.0}]))
    png_bytes(study_curves({}, "w1"))
    png_bytes(study_curves({"gan": [[], []]}, "w1", 0.1))
    png_bytes(ranking_figure([], "w1"))
    png_bytes(ranking_figure([("gan", np.nan, None, None, [])], "w1", 0.1))
    png_bytes(weight_histograms({}))
    png_bytes(weight_histograms({"a": np.empty(0), "b": np.full(3, np.nan), "c": np.zeros((2, 2))}, 0.1))


def test_distances_are_logarithmic_and_scores_are_not() -> None:
    rows = [{"round": i, "seconds": float(i), "w1": 0.5**i, "modes": i, "kl": i - 3} for i in range(1, 9)]
    rows.append({"round": 9, "seconds": 9.0})
    figure = metric_curves(rows, floor={"w1": 0.003, "modes": 8.0, "kl": 0.0})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["w1", "modes", "kl"]
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear", "linear"]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [0.5**i for i in range(1, 9)])
    assert figure.axes[0].lines[1].get_ydata()[0] == 0.003
    png_bytes(figure)


def test_an_unknown_factor_is_a_constant_gap() -> None:
    rows = [{"round": i, "w1_scaled": 2.0**-i, "critic_estimate": 0.3 * 2.0**-i} for i in range(10)]
    figure = estimate_against_distance(rows)
    estimate, exact = (line.get_ydata() for line in figure.axes[0].lines)
    np.testing.assert_allclose(np.log(exact) - np.log(estimate), -np.log(0.3))
    assert figure.axes[0].get_yscale() == "log"
    assert "rank correlation 1.00" in texts(figure)
    rows[3]["critic_estimate"] = -0.1
    assert "(1 not positive)" in texts(estimate_against_distance(rows))


def test_a_study_shows_the_median_and_the_whole_range() -> None:
    # Straight on a logarithmic axis: whatever the snapshots' times, exact between them.
    def seed(factor: float, times: np.ndarray) -> list[dict[str, float]]:
        return [{"seconds": t, "w1": factor * np.exp(-t)} for t in times]

    seeds = [seed(factor, np.linspace(0.1 * factor, 8 + factor, 5)) for factor in (1.0, 2.0, 4.0)]
    axes = study_curves({"gan": seeds}, "w1", 1e-5).axes[0]
    t, median = max(axes.lines, key=lambda line: len(line.get_xdata())).get_data()
    assert (t[0], t[-1]) == pytest.approx((0.4, 9.0))
    np.testing.assert_allclose(median, 2 * np.exp(-t))
    band = axes.collections[0].get_paths()[0].vertices
    assert set(np.round(band[:, 1] / np.exp(-band[:, 0]), 6)) == {1.0, 4.0}


def test_a_seed_that_ends_early_ends_the_median_and_is_still_seen() -> None:
    long, short = ([{"seconds": t, "w1": 1 / t} for t in times] for times in ((1.0, 5.0, 9.0), (2.0, 3.0)))
    lines = study_curves({"gan": [long, short]}, "w1").axes[0].lines
    ends = sorted((line.get_xdata()[0], line.get_xdata()[-1]) for line in lines)
    assert ends == [(1.0, 9.0), (2.0, 3.0), (2.0, 3.0)]
    apart = [[{"seconds": t, "w1": 1.0}] for t in (1.0, 2.0)]
    png_bytes(study_curves({"gan": apart, "wgan": [long]}, "w1"))


def test_a_cell_looks_the_same_in_both_figures() -> None:
    cells = {name: [[{"seconds": t, "w1": i / t} for t in (1.0, 2.0)]] for i, name in enumerate("dacb", 1)}
    ranked = [(name, value, value / 2, value * 2, [value]) for value, name in enumerate("dcab", 1)]
    study, ranking = study_curves(cells, "w1"), ranking_figure(ranked, "w1")
    curves = dict(zip("dacb", [line.get_color() for line in study.axes[0].lines[::2]], strict=True))
    dots = {name: ranking.axes[0].collections[i].get_color()[0] for i, name in enumerate("dcab")}
    assert len(set(curves.values())) == 4
    for name, colour in curves.items():
        np.testing.assert_allclose(matplotlib.colors.to_rgba(colour), dots[name])


def test_a_ranking_shows_means_intervals_and_seeds() -> None:
    rows = [
        ("best", 0.02, 0.01, 0.04, [0.015, 0.025]),
        ("gan", 0.3, -0.2, 0.8, [0.3]),
        ("lost", np.nan, None, None, []),
    ]
    figure = ranking_figure(rows, "w1", 0.009)
    axes = figure.axes[0]
    png_bytes(figure)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["best", "gan", "lost"]
    np.testing.assert_allclose(axes.collections[0].get_segments()[0], [[0.01, 0], [0.04, 0]])
    assert all(
        said in texts(figure) for said in ("0.02  [0.01, 0.04]", "[-0.2, 0.8]", "no run finished", "floor 0.009")
    )
    assert axes.get_xscale() == "log"
    low, high = axes.get_xlim()
    assert 0 < low < 0.009
    assert high > 0.8


def test_clipped_weights_show_two_humps_at_the_bound() -> None:
    inside = np.random.default_rng(0).uniform(-0.009, 0.009, 500)
    weights = {"clipped": np.concatenate((inside, [-0.01] * 250, [0.01] * 250)), "free": inside[:400].reshape(20, 20)}
    figure = weight_histograms(weights, 0.01)
    assert "50 % at ±0.01" in texts(figure)
    assert "0 % at ±0.01" in texts(figure)
    for axes in figure.axes:
        heights, edges, _ = axes.patches[0].get_data()
        assert heights.sum() == pytest.approx(1)
    heights, edges, _ = figure.axes[0].patches[0].get_data()
    humps = np.sort(heights.argsort()[-2:])
    middles = (edges[1:] + edges[:-1]) / 2
    np.testing.assert_allclose(middles[humps], (-0.01, 0.01))
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
