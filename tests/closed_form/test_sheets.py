"""Sheets hold every image pixel for pixel at its place; curves of images' metrics show what they are given."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image, ImageColor

from ganbench.figures import style
from ganbench.figures.animation import animate, png_bytes
from ganbench.figures.captioned import Row, captioned_rows, captioned_sheet
from ganbench.figures.convergence import convergence_curve
from ganbench.figures.curves import metric_curves
from ganbench.figures.labels import label_histogram
from ganbench.figures.neighbours import neighbours
from ganbench.figures.sheets import labelled_sheet, sheet, sweep
from ganbench.figures.tiles import GAP, GROUND
from ganbench.metrics import METRICS
from ganbench.types import UsageError

pytestmark = pytest.mark.filterwarnings("error")

GREY, FRAME = (np.array(ImageColor.getrgb(colour)) for colour in (GROUND, style.FAKE))


@st.composite
def image_sets(draw: st.DrawFn, least: int = 1, most: int = 12) -> np.ndarray:
    """Random images of any small size, grey or in colour."""
    n, h, w = draw(st.integers(least, most)), draw(st.integers(1, 40)), draw(st.integers(1, 40))
    channels = draw(st.sampled_from([(), (3,)]))
    return np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, (n, h, w, *channels), dtype=np.uint8)


def rgb(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB")).astype(int)


def coloured(image: np.ndarray) -> np.ndarray:
    return rgb(Image.fromarray(image))


def texts(figure: Figure) -> str:
    """All that a figure says."""
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def inked(picture: np.ndarray, axis: int) -> np.ndarray:
    """Where there are letters, which are neither ground nor a black image, along an axis of the picture."""
    return np.flatnonzero(((picture != GREY) & (picture != 0)).any(axis=(1 - axis, 2)))


def read_back(picture: np.ndarray, columns: int, h: int, w: int) -> list[np.ndarray]:
    """The cells of an untitled sheet, row by row, as small as they came; all between them is ground."""
    picture = picture.copy()
    factor = ((picture.shape[1] - GAP) // columns - GAP) // w
    rows = (picture.shape[0] - GAP) // (factor * h + GAP)
    assert picture.shape == (GAP + rows * (factor * h + GAP), GAP + columns * (factor * w + GAP), 3)
    cells = []
    for row in range(rows):
        for column in range(columns):
            y, x = GAP + row * (factor * h + GAP), GAP + column * (factor * w + GAP)
            cell = picture[y : y + factor * h, x : x + factor * w]
            small = cell[::factor, ::factor].copy()
            np.testing.assert_array_equal(cell, np.kron(small, np.ones((factor, factor, 1), int)))
            cells.append(small)
            cell[:] = GREY
    assert (picture == GREY).all()
    return cells


@settings(max_examples=40, deadline=None)
@given(image_sets(), st.none() | st.integers(1, 14))
def test_a_sheet_holds_every_image_pixel_for_pixel(pixels: np.ndarray, columns: int | None) -> None:
    picture = sheet(pixels, columns)
    n, h, w = pixels.shape[:3]
    if columns is None:
        # The least at which the sheet is at least as wide as high, were its last row full.
        columns = min(n, int(np.ceil(np.sqrt(n * h / w))))
    cells = read_back(rgb(picture), columns, h, w)
    assert len(cells) - columns < n <= len(cells)
    for cell, image in zip(cells, pixels, strict=False):
        np.testing.assert_array_equal(cell, coloured(image))
    assert all((cell == GREY).all() for cell in cells[n:])
    assert picture.mode == ("L" if pixels.ndim == 3 else "RGB")


@pytest.mark.parametrize(("n", "h", "w"), [(64, 28, 28), (100, 64, 64), (25, 32, 32), (30, 24, 72), (9, 64, 64)])
def test_a_sheet_is_near_square_and_of_a_size_to_be_looked_at(n: int, h: int, w: int) -> None:
    width, height = sheet(np.zeros((n, h, w), np.uint8)).size
    assert 600 <= width <= 900
    assert 0.7 < width / height < 1.5


@settings(max_examples=40, deadline=None)
@given(image_sets(), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=120))
def test_a_title_moves_nothing_and_is_never_cut(pixels: np.ndarray, title: str) -> None:
    bare, picture = rgb(sheet(pixels)), rgb(sheet(pixels, title=title))
    top = picture.shape[0] - bare.shape[0]
    np.testing.assert_array_equal(picture[top:, : bare.shape[1]], bare)
    assert (picture[top:, bare.shape[1] :] == GREY).all()
    written = (picture[:top] != GREY).any(axis=2)
    assert written.any()
    assert not written[0].any()
    assert not written[:, [0, -1]].any()


@pytest.mark.parametrize("letter", "Wmgil|")
def test_words_longer_than_a_line_end_within_the_picture(letter: str) -> None:
    for width in range(1, 60, 7):
        picture = rgb(sheet(np.zeros((2, width, 8), np.uint8), title=200 * letter))
        assert len(inked(picture, 1))
        assert inked(picture, 1).max() < picture.shape[1] - 1


def test_long_titles_take_more_lines_and_empty_ones_none() -> None:
    pixels = np.zeros((4, 8, 8), np.uint8)
    heights = [sheet(pixels, title=title).height for title in ("", " ", "gan", "a word " * 40, "w" * 300)]
    assert heights[0] == heights[1] < heights[2] < heights[3]
    assert heights[2] < heights[4]


@settings(max_examples=40, deadline=None)
@given(image_sets(), st.integers(1, 3))
def test_steps_of_a_sweep_lie_in_their_rows(steps: np.ndarray, rows: int) -> None:
    pixels = np.stack([steps // (i + 1) for i in range(rows)])
    cells = read_back(rgb(sweep(pixels)), *pixels.shape[1:4])
    assert len(cells) == rows * len(steps)
    for cell, image in zip(cells, pixels.reshape(-1, *steps.shape[1:]), strict=True):
        np.testing.assert_array_equal(cell, coloured(image))


def test_names_move_no_image() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 20, 17), dtype=np.uint8)
    bare = rgb(sweep(pixels.reshape(2, 3, 20, 17)))
    full = rgb(labelled_sheet(pixels, ["z 1", "z 2"], ["0", "1", "Ankle boot"], "acgan"))
    np.testing.assert_array_equal(full[-bare.shape[0] :, -bare.shape[1] :], bare)
    broken = rgb(labelled_sheet(pixels, ["z\n1", "z\t 2"], ["0", "1", "Ankle\r\nboot"], "acgan\n"))
    np.testing.assert_array_equal(broken, full)


@pytest.mark.parametrize(("rows", "columns", "h", "w"), [(2, 10, 20, 17), (1, 120, 2, 2), (120, 1, 2, 2), (1, 1, 1, 1)])
@pytest.mark.parametrize("name", ["g", "Ankle boot", "a name much wider than an image"])
def test_each_name_stays_beside_its_own_row_or_column(rows: int, columns: int, h: int, w: int, name: str) -> None:
    pixels = np.zeros((rows * columns, h, w), np.uint8)
    for i in {0, columns // 2, columns - 1}:
        picture = rgb(labelled_sheet(pixels, [], [name if i == j else "" for j in range(columns)]))
        ink, width = inked(picture, 1), (picture.shape[1] - GAP) / columns
        assert i * width < ink.min() <= ink.max() < (i + 1) * width + GAP
    for i in {0, rows // 2, rows - 1}:
        picture = rgb(sweep(pixels.reshape(rows, columns, h, w), [name if i == j else "" for j in range(rows)]))
        ink, height = inked(picture, 0), (picture.shape[0] - GAP) / rows
        assert i * height < ink.min() <= ink.max() < (i + 1) * height + GAP


def framed(picture: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of the insides of all frames, row by row."""
    frame = (picture == FRAME).all(axis=2)
    starts = frame & ~np.roll(frame, 1, axis=0) & ~np.roll(frame, 1, axis=1)
    found = []
    for y, x in np.argwhere(starts):
        right, bottom = x + np.argmin(frame[y, x:]), y + np.argmin(frame[y:, x])
        thick = int(np.argmin(frame[(y + bottom) // 2, x:]))
        found.append((x + thick, y + thick, right - thick, bottom - thick))
    return found


@settings(max_examples=40, deadline=None)
@given(image_sets(most=9), st.integers(1, 5), st.booleans())
def test_each_generated_image_is_framed_beside_its_own_neighbours(
    generated: np.ndarray, k: int, with_distances: bool
) -> None:
    # No pixel has the colour of the ground or of the frame.
    generated = generated // 2
    n, _, w = generated.shape[:3]
    rng = np.random.default_rng(k)
    nearest = rng.integers(0, 128, (n, k, *generated.shape[1:]), dtype=np.uint8)
    picture = rgb(neighbours(generated, nearest, rng.exponential(5, (n, k)) if with_distances else None))
    boxes = framed(picture)
    assert len(boxes) == n
    for i, (left, top, right, bottom) in enumerate(boxes):
        factor = (right - left) // w
        large = np.ones((factor, factor, 1), int)
        np.testing.assert_array_equal(picture[top:bottom, left:right], np.kron(coloured(generated[i]), large))
        ends = [x for x, y, *_ in boxes if x > left and y == top]
        strip = picture[top:bottom, right : min(ends, default=picture.shape[1])]
        plain = ((strip == GREY) | (strip == FRAME)).all(axis=(0, 2))
        runs = np.split(np.arange(len(plain)), np.flatnonzero(np.diff(plain)) + 1)
        images = [strip[:, run] for run in runs if not plain[run[0]]]
        assert len(images) == k
        for image, neighbour in zip(images, nearest[i], strict=True):
            np.testing.assert_array_equal(image, np.kron(coloured(neighbour), large))


IMAGES = np.zeros((4, 5, 6), np.uint8)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sheet(IMAGES[:0]), r"no image .* shape \(0, 5, 6\)"),
        (lambda: sheet(IMAGES[:, :0]), "no image"),
        (lambda: sheet(IMAGES[0]), r"uint8 array of shape \(n, h, w\) or \(n, h, w, 3\), not uint8 of shape \(5, 6\)"),
        (lambda: sheet(IMAGES / 255), r"not float64 of shape \(4, 5, 6\)"),
        (lambda: sheet(IMAGES.astype(bool)), "not bool"),
        (lambda: sheet(np.zeros((2, 3, 8, 8), np.uint8)), r"\(n, h, w, 3\), not uint8 of shape \(2, 3, 8, 8\)"),
        (lambda: sheet(IMAGES[..., None]), r"not uint8 of shape \(4, 5, 6, 1\)"),
        (lambda: sheet(IMAGES, 0), "at least 1 column, not 0"),
        (lambda: labelled_sheet(IMAGES, [], []), "4 images do not fill rows of 0"),
        (lambda: labelled_sheet(IMAGES, [], ["a", "b", "c"]), "4 images do not fill rows of 3"),
        (lambda: labelled_sheet(IMAGES, ["z"], ["a", "b"]), "2 rows needs a name for each or none, not 1"),
        (lambda: sweep(IMAGES), r"\(rows, steps, h, w\)"),
        (lambda: sweep(IMAGES[None], ["a", "b"]), "1 rows needs a name for each or none, not 2"),
        (lambda: sweep(IMAGES[None, :0]), "no image"),
        (lambda: neighbours(IMAGES, IMAGES), r"\(n, k, h, w\)"),
        (lambda: neighbours(IMAGES, IMAGES[:, None, :4]), "neighbours of its own size"),
        (lambda: neighbours(IMAGES[:3], IMAGES[:, None]), "neighbours of its own size"),
        (lambda: neighbours(IMAGES, IMAGES[:, :0, None]), "no image"),
        (lambda: neighbours(IMAGES, IMAGES[:, None], np.zeros(4)), r"shape \(4, 1\), not \(4,\)"),
        (lambda: label_histogram(np.ones(2, int), np.ones(3, int), ["a", "b"]), "2 classes"),
        (lambda: label_histogram(np.ones(0, int), np.ones(0, int), []), "0 classes"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(call, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        call()


def test_distances_that_are_no_numbers_are_drawn_all_the_same() -> None:
    bare = neighbours(IMAGES, IMAGES[:, None])
    said = neighbours(IMAGES, IMAGES[:, None], np.array([[np.nan], [np.inf], [1e30], [-0.0]]))
    assert said.height > bare.height


def png_size(picture: Image.Image) -> int:
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return buffer.tell()


@pytest.fixture(scope="module")
def digits(shared_data: Path) -> np.ndarray:
    with gzip.open(shared_data / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)


def test_sheets_are_small_files(digits: np.ndarray, shared_data: Path) -> None:
    assert png_size(sheet(digits[:64], title="gan on mnist, round 1,000")) < 60_000
    with zipfile.ZipFile(shared_data / "faces64" / "faces64_train.zip") as file:
        opened = [Image.open(io.BytesIO(file.read(name))) for name in file.namelist()[:100]]
    assert png_size(sheet(np.stack([np.asarray(face) for face in opened]))) < 1_000_000


def test_a_film_of_sheets_is_a_small_file(digits: np.ndarray, tmp_path: Path) -> None:
    """No two frames share a digit, which is the most that a film of digits can have to tell."""
    frames = [
        sheet(digits[64 * i :][:64], title=f"gan on mnist, round {4**i:,}, fid {99 / 2**i:.3g}") for i in range(12)
    ]
    animate(frames, tmp_path / "film.webp")
    assert (tmp_path / "film.webp").stat().st_size < 400_000
    with Image.open(tmp_path / "film.webp") as film:
        assert (film.n_frames, film.size) == (12, frames[0].size)


def test_began_shows_its_measure_and_its_balance() -> None:
    rows: list[dict[str, float | None]] = [
        {"round": i, "convergence": 0.5 * 0.9**i, "k": min(1.0, 0.05 * i)} for i in range(40)
    ]
    figure = convergence_curve(rows)
    measure, balance = figure.axes
    assert (measure.get_yscale(), balance.get_yscale()) == ("log", "linear")
    np.testing.assert_allclose(measure.lines[-1].get_ydata(), [0.5 * 0.9**i for i in range(40)])
    np.testing.assert_allclose(balance.lines[-1].get_ydata(), [min(1.0, 0.05 * i) for i in range(40)])
    rows[7] |= {"convergence": None, "k": np.inf}
    png_bytes(convergence_curve(rows))
    assert np.isnan(convergence_curve(rows).axes[0].lines[-1].get_ydata()[7])
    assert "no finite value" in texts(convergence_curve([]))
    png_bytes(convergence_curve([{"round": 1}]))


@pytest.mark.parametrize("count", [1, 10, 31, 1000])
def test_a_histogram_of_labels_shows_shares(count: int) -> None:
    real = np.arange(1, count + 1)
    generated = np.zeros(count, int)
    generated[0] = 5
    figure = label_histogram(real, generated, [f"${i}" for i in range(count)])
    axes = figure.axes[0]
    png_bytes(figure)
    if count <= 30:
        heights = np.array([bar.get_height() for bar in axes.patches]).reshape(2, count)
    else:
        heights = np.stack([patch.get_data().values for patch in axes.patches])
        assert (np.diff(heights) <= 0).all()
    np.testing.assert_allclose(np.sort(heights[0]), real / real.sum())
    np.testing.assert_allclose(heights[1], generated / 5)
    assert f"real ({real.sum():,})" in texts(figure)
    png_bytes(label_histogram(real, 0 * real, [""] * count))


def test_a_floor_below_zero_is_said_where_an_axis_has_no_place_for_it() -> None:
    rows = [{"seconds": float(i), "kid": 0.1**i} for i in range(1, 5)]
    figure = metric_curves(rows, ["kid"], {"kid": -1e-5})
    assert figure.axes[0].get_yscale() == "log"
    assert "floor -1e-05" in texts(figure)
    png_bytes(figure)


@pytest.mark.parametrize("name", METRICS)
def test_scores_have_a_linear_axis_whether_or_not_a_floor_is_known(name: str) -> None:
    rows = [{"seconds": float(i), name: 0.1 * i} for i in range(1, 10)]
    expected = "linear" if METRICS[name].better == "higher" else "log"
    for floor in ({}, {name: 0.08}):
        assert metric_curves(rows, [name], floor).axes[0].get_yscale() == expected


@pytest.mark.parametrize("colours", [(), (3,)])
def test_captioned_rows_hold_every_image_enlarged(colours: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 20, 20, *colours), dtype=np.uint8)
    picture = rgb(captioned_rows([Row("", pixels[:3], ["a\nb"] * 3), Row("", pixels[3:], ["c"] * 2)], "a title"))
    factor = 4  # to 80 pixels
    tops = []
    for i, image in enumerate(pixels):
        large = coloured(image).repeat(factor, axis=0).repeat(factor, axis=1)
        left = GAP + i % 3 * (20 * factor + GAP)
        strip = picture[:, left : left + 20 * factor]
        tops += [y for y in range(len(strip) - 79) if np.array_equal(strip[y : y + 80], large)]
    assert len(tops) == 5
    assert tops[0] == tops[1] == tops[2] < tops[3] == tops[4]


def test_captions_that_do_not_fit_are_refused() -> None:
    small, large = np.zeros((2, 4, 4), np.uint8), np.zeros((2, 5, 5), np.uint8)
    with pytest.raises(UsageError, match="2 images have as many captions, not 1"):
        captioned_sheet(small, ["a"])
    with pytest.raises(UsageError, match="one size"):
        captioned_rows([Row("", small, ["a", "b"]), Row("", large, ["a", "b"])])
    with pytest.raises(UsageError, match="at least one row"):
        captioned_rows([])
    with pytest.raises(UsageError, match="no image"):
        captioned_sheet(small[:0], [])
