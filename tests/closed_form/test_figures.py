"""Figures show what they are given: each is drawn, and what lies on it is compared with what is known."""

from __future__ import annotations

import io
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import matplotlib
import matplotlib.style
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from PIL import Image
from scipy.special import expit

from ganbench.figures import style
from ganbench.figures.animation import HOLD, animate, png_bytes, save_png
from ganbench.figures.curves import loss_curves, metric_curves, ranking_figure, study_curves
from ganbench.figures.film import SHOWN, Film
from ganbench.figures.scatter import scatter
from ganbench.figures.surface import LABELS, colours, grid, limits, surface_from_scores
from ganbench.figures.weights import weight_histograms
from ganbench.types import UsageError

pytestmark = pytest.mark.filterwarnings("error")

UNIT = (0.0, 1.0, 0.0, 1.0)
KINDS = list(LABELS)


def pixels(figure: Figure) -> np.ndarray:
    with Image.open(io.BytesIO(png_bytes(figure))) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def texts(figure: Figure) -> str:
    """All that a figure says."""
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def cloud(count: int, dimension: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, dimension)) @ rng.standard_normal((dimension, dimension))


def real_and_fake(figure: Figure) -> tuple[np.ndarray, np.ndarray]:
    """The points in a plane; the real ones are drawn in two halves, below and above the others."""
    below, fake, above = (line.get_xydata() for line in figure.axes[0].lines)
    real = np.empty((len(below) + len(above), 2))
    real[::2], real[1::2] = below, above
    return real, fake


# Colours


def linear_rgb(colour: str) -> np.ndarray:
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* under D65 of linear RGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(to_xyz @ rgb, 0) / to_xyz.sum(axis=1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# Machado, Oliveira and Fernandes 2009: what is seen of linear RGB where one kind of cone is missing.
SIGHT = {
    "all cones": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def seen(colour: str, sight: str) -> np.ndarray:
    return lab(np.clip(np.array(SIGHT[sight]) @ linear_rgb(colour), 0, 1))


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_differ_for_every_sight(sight: str) -> None:
    pairs = [(style.REAL, style.FAKE), *combinations(style.CATEGORIES, 2)]
    distances = {pair: np.linalg.norm(seen(pair[0], sight) - seen(pair[1], sight)) for pair in pairs}
    assert min(distances.values()) > 10, min(distances, key=distances.__getitem__)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("kind", KINDS)
def test_a_surface_darkens_towards_real_and_points_stand_out(kind: str, sight: str) -> None:
    steps = np.linspace(0, 1, 11)[:: -1 if kind == "energy" else 1]
    steps = [matplotlib.colors.to_hex(colours(kind)(step)) for step in steps]
    lightness = np.array([seen(step, sight)[0] for step in steps])
    assert (np.diff(lightness) < 0).all()
    assert lightness[0] - lightness[-1] > 12
    assert lightness[-1] - max(seen(point, sight)[0] for point in (style.REAL, style.FAKE)) > 12


def test_styles_repeat_late_and_do_not_depend_on_order() -> None:
    names = [f"cell {i}" for i in range(100)]
    styles = style.category_styles(names)
    assert len({(s.colour, s.marker, s.line) for s in styles.values()}) == 100
    assert style.category_styles(reversed(names)) == styles


# Nothing global


def test_another_style_changes_nothing_and_is_not_changed() -> None:
    def draw() -> list[bytes]:
        surface = surface_from_scores(grid(UNIT), grid(UNIT)[:, 0], "value")
        figures = [
            scatter(cloud(9, 2), cloud(9, 2, 1), surface, title="a"),
            scatter(cloud(9, 1), cloud(9, 1, 1)),
            loss_curves([1, 2, 3], {"critic": [1.0, 2.0, np.nan], "generator": [0.0, 1.0, 0.5]}, "b"),
            metric_curves([{"seconds": 1, "w1": 1.0}, {"seconds": 2, "w1": 0.1}], floor={"w1": 0.05}),
            weight_histograms({"layer": cloud(9, 2)}, 0.5),
            ranking_figure([("a", 1.0, 0.5, 2.0, [0.9, 1.1])], "w1", 0.4),
        ]
        return [png_bytes(figure) for figure in figures]

    plain = draw()
    with matplotlib.style.context("dark_background"):
        before = dict(matplotlib.rcParams)
        assert draw() == plain
        assert dict(matplotlib.rcParams) == before


def test_figures_do_without_pyplot() -> None:
    modules = "animation, curves, film, scatter, surface, weights"
    check = f"import sys; from ganbench.figures import {modules}; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_figure_shows_itself_in_a_notebook() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    shown, _ = formatters.DisplayFormatter().format(scatter(cloud(5, 2), cloud(5, 2)))
    assert shown["image/png"].startswith(b"\x89PNG")


# Points


@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [1, 2, 5000])
def test_every_dimension_is_drawn(dimension: int, count: int) -> None:
    figure = scatter(cloud(count, dimension), cloud(count, dimension, 1), title="a title")
    drawn = pixels(figure)
    assert (drawn[0, 0] == 255).all()
    assert (drawn != 255).any()
    assert all(word in texts(figure) for word in ("a title", "real", "generated"))
    assert ("principal component 2 of" in texts(figure)) == (dimension > 2)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_odd_points_are_drawn(dimension: int) -> None:
    same = np.full((20, dimension), 1e6)
    lost = np.full((4, dimension), np.nan)
    pixels(scatter(same, same))
    pixels(scatter(same, lost))
    pixels(scatter(cloud(20, dimension), np.empty((0, dimension))))
    pixels(scatter(np.arange(4 * dimension).reshape(4, dimension), lost))


def test_names_are_shown_as_they_are() -> None:
    figure = scatter(cloud(3, 2), cloud(3, 2), title="$\\frac{1}$", columns=("price $ per $unit_1", "_y"))
    pixels(figure)
    assert "price $ per $unit_1" in texts(figure)
    rows = [{"seconds": 1.0, "w1": 2.0}]
    assert "_hidden $a_$ (1" in texts(study_curves({"_hidden $a_$": [rows]}, "w1"))


def test_wrong_shapes_are_refused() -> None:
    surface = surface_from_scores(grid(UNIT), grid(UNIT)[:, 0], "value")
    for real, fake, under in (
        (cloud(3, 2), cloud(3, 3), None),
        (np.empty((0, 2)), cloud(3, 2), None),
        (np.zeros(3), np.zeros(3), None),
        (cloud(3, 3), cloud(3, 3), surface),
    ):
        with pytest.raises(UsageError):
            scatter(real, fake, under)
    with pytest.raises(UsageError):
        surface_from_scores(grid(UNIT)[:-1], np.zeros(96 * 96 - 1), "value")


def test_components_are_those_of_the_correlations() -> None:
    real = cloud(1000, 5)
    shown, fake = real_and_fake(scatter(real, real[:3]))
    spread = np.cov(shown.T, bias=True)
    largest = np.linalg.eigvalsh(np.corrcoef(real.T))[:-3:-1]
    np.testing.assert_allclose(spread, np.diag(largest), atol=1e-9)
    np.testing.assert_allclose(fake, shown[:3])


def test_components_do_not_depend_on_units() -> None:
    real, units = cloud(500, 4), np.array([1e-3, 1.0, 50.0, 1e6])
    first, second = (real_and_fake(scatter(x, x))[0] for x in (real, 7 + real * units))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_histograms_hold_shares() -> None:
    real = cloud(4000, 1)
    fake = np.concatenate((real[:3000], np.full((1000, 1), 1e3)))
    figure = scatter(real, fake)
    areas = [np.sum(patch.get_data().values * np.diff(patch.get_data().edges)) for patch in figure.axes[0].patches]
    np.testing.assert_allclose(areas, (1, 0.75))
    assert "generated (25 % outside)" in texts(figure)


def test_sorted_points_are_thinned_evenly() -> None:
    strokes = np.repeat(np.arange(4.0), 4000)
    points = np.stack((strokes, strokes), axis=1)
    shown = real_and_fake(scatter(points, points))[0][:, 0]
    assert len(shown) == SHOWN
    counts = np.bincount(shown.astype(int), minlength=4)
    assert (np.abs(counts - SHOWN / 4) < 5 * np.sqrt(SHOWN * 3 / 16)).all()


# Surfaces


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-1e9, 1e9)))
@settings(max_examples=200, deadline=None)
def test_limits_hold_all_points_strictly(points: np.ndarray) -> None:
    x0, x1, y0, y1 = limits(points)
    assert ((points > (x0, y0)) & (points < (x1, y1))).all()


def test_limits_keep_a_ring_round_and_use_the_room() -> None:
    angle = np.linspace(0, 7, 100)
    x0, x1, y0, y1 = limits(np.stack((np.cos(angle), 1.2 * np.sin(angle)), axis=1))
    assert x1 - x0 == pytest.approx(y1 - y0)
    x0, x1, y0, y1 = limits(np.array([[0.0, 0.0], [1.0, 100.0]]))
    assert (y1 - y0) / (x1 - x0) == pytest.approx(100)


def test_scores_become_what_their_kind_says() -> None:
    points = grid((-1.0, 3.0, 10.0, 20.0), size=5)
    scores = 100 * points[:, 0] + points[:, 1]
    value, energy, probability = (
        surface_from_scores(points, scores, kind) for kind in ("value", "energy", "probability")
    )
    np.testing.assert_allclose(value.values, 100 * value.x[None, :] + value.y[:, None])
    np.testing.assert_array_equal(energy.values, -value.values)
    np.testing.assert_allclose(probability.values, expit(value.values), rtol=1e-9, atol=1e-15)
    assert value.box == (-1.0, 3.0, 10.0, 20.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axis", [0, 1])
def test_more_real_is_bluer_and_where_it_belongs(kind: str, axis: int) -> None:
    points = grid(UNIT)
    surface = surface_from_scores(points, 8 * points[:, axis] - 4, kind)
    none = np.empty((0, 2))
    drawn = np.asarray(Film(np.array([[9.0, 9.0]]), UNIT).frame(none, surface, "")).astype(int)
    blue = drawn[:, :, 2] - drawn[:, :, 0]
    left, below = blue[180:200, 90:130].mean(), blue[300:320, 200:250].mean()
    right, above = blue[180:200, 340:380].mean(), blue[50:70, 200:250].mean()
    low, high = (left, right) if axis == 0 else (below, above)
    assert high - low > 30


@pytest.mark.parametrize("kind", KINDS)
def test_the_colour_bar_says_the_kind(kind: str) -> None:
    surface = surface_from_scores(grid(UNIT), grid(UNIT)[:, 0], kind)
    figure = scatter(cloud(5, 2), cloud(5, 2), surface)
    assert figure.axes[1].get_ylabel() == LABELS[kind]
    pixels(figure)


def test_the_line_lies_where_the_probability_is_one_half() -> None:
    points = grid(UNIT)
    figure = scatter(cloud(5, 2), cloud(5, 2), surface_from_scores(points, points[:, 0] - 0.3, "probability"))
    (line,) = figure.axes[0].findobj(ContourSet)
    np.testing.assert_allclose(line.get_paths()[0].vertices[:, 0], 0.3, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("score", [0.0, 1e9, np.nan, np.inf])
def test_a_constant_surface_is_drawn(kind: str, score: float) -> None:
    scores = np.full(96 * 96, score)
    pixels(scatter(cloud(5, 2), cloud(5, 2), surface_from_scores(grid(UNIT), scores, kind)))


def test_one_far_corner_does_not_hide_a_surface() -> None:
    scores = grid(UNIT)[:, 0].copy()
    scores[0] = -1e6
    figure = scatter(cloud(5, 2), cloud(5, 2), surface_from_scores(grid(UNIT), scores, "value"))
    low, high = figure.axes[0].images[0].get_clim()
    assert 0 <= low < high <= 1


def test_frames_do_not_depend_on_those_before() -> None:
    film = Film(cloud(100, 2), UNIT)
    a, b = (surface_from_scores(grid(UNIT), grid(UNIT)[:, axis], "value") for axis in (0, 1))
    first = film.frame(cloud(50, 2, 1), a, "round 1")
    second = film.frame(cloud(50, 2, 2) + 5, b, "round 2")
    again = film.frame(cloud(50, 2, 1), a, "round 1")
    assert first.size == second.size == (480, 420)
    assert first.tobytes() == again.tobytes() != second.tobytes()


# Files


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".GIF"])
@pytest.mark.parametrize("count", [1, 5])
def test_an_animation_holds_its_frames(suffix: str, count: int, tmp_path: Path) -> None:
    film = Film(cloud(100, 2), UNIT)
    frames: list[Image.Image | Path] = [film.frame(cloud(50, 2, i), None, f"round {i}") for i in range(count)]
    frames[0].save(tmp_path / "0.png")  # type: ignore[union-attr]
    frames[0] = tmp_path / "0.png"
    path = tmp_path / f"film{suffix}"
    animate(frames, path, seconds=2.0)
    with Image.open(path) as film_read:
        assert getattr(film_read, "n_frames", 1) == count
        assert film_read.size == (480, 420)
        if count > 1:
            durations = []
            for i in range(count):
                film_read.seek(i)
                film_read.load()
                durations.append(film_read.info["duration"])
            assert durations == [400] * (count - 1) + [400 + 1000 * HOLD]


def test_an_animation_that_cannot_be_is_refused(tmp_path: Path) -> None:
    square, wide = Image.new("RGB", (8, 8)), Image.new("RGB", (9, 8))
    for frames, name, fragment in (
        ([square], "film.mp4", ".webp or a .gif"),
        ([square], "film", ".webp or a .gif"),
        ([], "film.gif", "at least one frame"),
        ([square, wide], "film.webp", "one size"),
    ):
        with pytest.raises(UsageError, match=fragment):
            animate(frames, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_figure_is_written_as_png(tmp_path: Path) -> None:
    figure = scatter(cloud(5, 2), cloud(5, 2))
    width, height = figure.get_size_inches()
    save_png(figure, tmp_path / "a.picture", dpi=50)
    with Image.open(tmp_path / "a.picture") as picture:
        assert picture.format == "PNG"
        assert picture.size == (round(50 * width), round(50 * height))
