"""From a captcha's image to its characters: threshold, cut and fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ganbench.data.cells import CUTS, Cells, equal_parts, ink_of, otsu
from ganbench.settings import from_tree
from ganbench.types import UsageError

IMAGES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(2, 8)), elements=st.integers(0, 255))


def between_variance(image: np.ndarray, level: int) -> float:
    """By definition, w0 w1 (m0 - m1)^2; 0 where a class is empty."""
    dark, light = image[image <= level].astype(float), image[image > level].astype(float)
    if not (dark.size and light.size):
        return 0.0
    return dark.size * light.size / image.size**2 * (dark.mean() - light.mean()) ** 2


@given(IMAGES)
def test_otsus_level_parts_the_two_classes_that_differ_most(image: np.ndarray) -> None:
    if image.min() == image.max():
        with pytest.raises(UsageError, match="of one shade"):
            otsu(image)
        return
    best = max(between_variance(image, level) for level in range(256))
    assert between_variance(image, otsu(image)) == pytest.approx(best, rel=1e-9)


def blocks(widths: list[int], gaps: list[int], height: int = 12) -> np.ndarray:
    """Rectangles, dark on light, the i-th `widths[i]` wide and i + 4 high, after `gaps[i]` free columns."""
    image = np.full((height, sum(widths) + sum(gaps) + 3), 230, np.uint8)
    left = 0
    for i, (width, gap) in enumerate(zip(widths, gaps, strict=True)):
        left += gap
        image[2 : 6 + i, left : left + width] = 20
        left += width
    return image


def proportions(cell: np.ndarray) -> float:
    """Width over height of what is inked."""
    rows, columns = np.nonzero(cell > 127)
    return float((np.ptp(columns) + 1) / (np.ptp(rows) + 1))


@given(st.lists(st.integers(3, 7), min_size=4, max_size=4), st.lists(st.integers(1, 4), min_size=4, max_size=4))
def test_connected_characters_come_out_whole_and_in_their_order(widths: list[int], gaps: list[int]) -> None:
    image = blocks(widths, gaps)
    cells = Cells(size=42).of(image)
    assert cells.shape == (4, 42, 42)
    for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        assert proportions(cell) == pytest.approx(width / (i + 4), rel=0.06)
        filled = 40 * round(40 * min(width, i + 4) / max(width, i + 4))
        assert np.count_nonzero(cell == 255) == pytest.approx(filled, abs=4)
        assert not any(edge.any() for edge in (cell[0], cell[-1], cell[:, 0], cell[:, -1]))


@given(st.lists(st.integers(3, 7), min_size=4, max_size=4), st.sampled_from(["components", "equal"]))
def test_light_on_dark_and_margins_make_no_difference(widths: list[int], cut: str) -> None:
    image, how = blocks(widths, [1, 2, 1, 2]), from_tree(Cells, {"cut": cut})
    expected = how.of(image)
    np.testing.assert_array_equal(how.of(255 - image), expected)
    np.testing.assert_array_equal(how.of(np.pad(image, ((1, 2), (9, 4)), constant_values=230)), expected)


@given(arrays.arrays(bool, st.tuples(st.integers(3, 10), st.integers(8, 24))), st.integers(1, 5))
def test_a_cut_neither_makes_ink_nor_uses_it_twice(ink: np.ndarray, count: int) -> None:
    """Whatever the image: so many parts, each with ink, apart from each other; or a sentence."""
    if not ink.any():
        return
    try:
        parts = CUTS["components"](ink, count)
    except UsageError:
        return
    assert len(parts) == count
    assert all(part.any() for part in parts)
    total = np.sum(parts, axis=0)
    assert total.max() == 1
    assert not (total.astype(bool) & ~ink).any()


def test_what_touches_is_parted_where_the_next_character_should_begin() -> None:
    """Characters begin at 2, 12, 22 and 32; a wide one touches its neighbour, by two pixels of its own foot."""
    image = np.full((12, 44), 255, np.uint8)
    for left, width in ((2, 6), (12, 9), (22, 6), (32, 8)):
        image[2:10, left : left + width] = 0
    image[8:10, 21] = 0
    widths = [part.any(axis=0).sum() for part in CUTS["components"](ink_of(image), 4)]
    assert widths == [6, 10, 6, 8] or widths == [6, 9, 7, 8]


def test_characters_are_parted_where_few_begin_unevenly() -> None:
    """Three touch and begin at 2, 10 and 18; after the last one, far away, the pitch would have them begin beyond."""
    image = np.full((12, 60), 255, np.uint8)
    for left in (2, 10, 18, 50):
        image[2:10, left : left + 7] = 0
    image[8:10, 2:25] = 0  # a line that they stand on
    widths = [part.any(axis=0).sum() for part in CUTS["components"](ink_of(image), 4)]
    assert widths[3] == 7
    assert sum(widths[:3]) == 23
    assert all(7 <= width <= 9 for width in widths[:3])


def test_what_fell_apart_is_joined_and_specks_are_not_characters() -> None:
    whole = blocks([6, 6, 6, 6], [1, 3, 3, 3])
    broken = whole.copy()
    broken[4] = 230  # through all of them
    broken[:, 12] = 230  # and down through the second
    cells = Cells().of(broken)
    assert [round(proportions(cell), 1) for cell in cells] == [round(proportions(c), 1) for c in Cells().of(whole)]
    speckled = np.pad(whole, ((6, 0), (0, 6)), constant_values=230)
    speckled[0, 3] = speckled[1, -1] = speckled[3, 20] = 0
    np.testing.assert_array_equal(Cells().of(speckled), Cells().of(whole))


def test_a_given_level_decides_what_is_dark() -> None:
    image = blocks([5, 5, 5, 5], [1, 2, 2, 2])
    image[image == 20] = 180
    image[0, ::7] = 100  # specks that are darker than the characters
    np.testing.assert_array_equal(Cells(threshold=180).of(image), Cells(threshold=200).of(image))
    np.testing.assert_array_equal(ink_of(image, 180), image <= 180)
    assert ink_of(image, 100).sum() == len(image[0, ::7])


@pytest.mark.parametrize(
    ("cut", "image", "threshold", "fragment"),
    [
        ("components", np.full((24, 72), 255, np.uint8), "otsu", "all of the image is of one shade"),
        ("components", np.full((24, 72), 255, np.uint8), 255, "all of the image is dark at level 255"),
        ("equal", np.full((24, 72), 9, np.uint8), 8, "all of the image is light at level 8"),
        ("components", blocks([6] * 5, [3] * 5), "otsu", "5 pieces of ink are more than 4 characters"),
        ("components", blocks([3], [4]), "otsu", "one piece of ink is too narrow to be 4 characters"),
        ("equal", blocks([6, 6], [3, 30]), "otsu", "part 2 of 4 equal ones has no ink"),
    ],
)
def test_what_cannot_be_cut_gets_its_sentence(cut: str, image: np.ndarray, threshold: object, fragment: str) -> None:
    with pytest.raises(UsageError, match=fragment):
        from_tree(Cells, {"cut": cut, "threshold": threshold}).of(image)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("lines", [2, 3, 5])
def test_several_lines_are_no_row(cut: str, lines: int) -> None:
    line = blocks([6, 6, 6, 6], [1, 3, 3, 3])
    with pytest.raises(UsageError, match="its ink is in several lines, where 4 characters in a row are read"):
        from_tree(Cells, {"cut": cut}).of(np.concatenate([line] * lines))


def test_a_row_may_be_higher_than_wide_and_have_specks_above_and_below() -> None:
    narrow = blocks([2, 2, 2, 2], [1, 1, 1, 1]).repeat(3, axis=0)
    assert len(Cells().of(narrow)) == 4
    speckled = np.pad(blocks([6, 6, 6, 6], [1, 3, 3, 3]), ((9, 9), (0, 0)), constant_values=230)
    speckled[0, 3] = speckled[-1, 20] = 20
    assert len(Cells().of(speckled)) == 4


def test_equal_parts_are_equal() -> None:
    parts = equal_parts(np.ones((3, 40), bool), 4)
    assert [part.shape for part in parts] == [(3, 10)] * 4


@pytest.mark.parametrize("wrong", [{"size": 3}, {"cut": "some"}, {"threshold": 256}, {"characters": 0}])
def test_settings_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        from_tree(Cells, wrong)
