"""Whatever is handed over by mistake, the answer is one sentence that says what is wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import savemat

from ganbench.data import ImageSet, PointSet, load, load_points
from ganbench.types import UsageError
from tests.data.hostile import HOSTILE, POINTS, Hostile


def test_the_table_has_no_name_twice() -> None:
    assert len({hostile.name for hostile in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
@pytest.mark.filterwarnings("error")
def test_a_mistake_gets_its_sentence(hostile: Hostile, tmp_path: Path) -> None:
    argument = hostile.make(tmp_path)
    for read in (load_points, load):
        with pytest.raises(UsageError) as caught:
            read(argument)
        sentence = str(caught.value)
        assert hostile.fragment in sentence
        assert "\n" not in sentence


def test_a_folder_is_no_set_of_points(tmp_path: Path) -> None:
    np.save(tmp_path / "points.npy", POINTS)
    with pytest.raises(UsageError, match=r"is a folder, which holds points.npy, where points are needed"):
        load_points(tmp_path)


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (None, "but this is a NoneType"),
        (POINTS.tolist(), "but this is a list"),
        (POINTS + 1j, "the array: complex numbers"),
        (np.array([["a", "b"]]), "the array: text"),
        (np.ones((30, 2)), "the array: all 30 points are the same"),
        (torch.zeros(4, 1, 28, 28), "the array: an array of shape (4, 1, 28, 28)"),
        (torch.full((30, 2), torch.nan), "60 of 60 numbers are NaN or infinite"),
        (PointSet("mine", POINTS[:3]), "mine: 3 points of 2 coordinates are too few"),
        (ImageSet("mine", np.zeros((20, 8, 8), np.uint8)), "mine is a set of images, where points are needed"),
        (np.zeros((20, 8, 8)), "an array of shape (20, 8, 8) where (points, coordinates) is needed"),
        ("mnist", "mnist is a set of images, where points are needed: letter-m"),
        ("stacked:mnist", "stacked:mnist is a set of images"),
        ("hub:ylecun/mnist", "hub:ylecun/mnist is a set of images"),
    ],
)
def test_a_wrong_array_gets_its_sentence(data: Any, fragment: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_points(data)
    assert fragment in str(caught.value)


@pytest.mark.parametrize("name", ["points.mat", "points.npy", "points.npz"])
def test_a_file_cut_anywhere_is_refused_or_whole(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    save = {".mat": lambda: savemat(path, {"xx": POINTS}, do_compression=True)}
    save |= {".npy": lambda: np.save(path, POINTS), ".npz": lambda: np.savez_compressed(path, xx=POINTS)}
    save[path.suffix]()
    content = path.read_bytes()
    refused = 0
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        try:
            # The end of a .mat file may be padding, without which nothing is lost.
            np.testing.assert_array_equal(load_points(path).points, POINTS)
        except UsageError:
            refused += 1
    assert refused > 0.95 * len(content) / 3
