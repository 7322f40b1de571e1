"""Whatever is handed over as images by mistake, the answer is one sentence that says what is wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganbench.data import Images, ImageSet, load
from ganbench.types import UsageError
from tests.data.hostile_images import HOSTILE_IMAGES, IMAGES, Hostile, write_idx_folder, write_pictures


def test_the_table_has_no_name_twice() -> None:
    assert len({hostile.name for hostile in HOSTILE_IMAGES}) == len(HOSTILE_IMAGES)


@pytest.mark.parametrize("hostile", HOSTILE_IMAGES, ids=lambda hostile: hostile.name)
@pytest.mark.filterwarnings("error")
def test_a_mistake_gets_its_sentence(hostile: Hostile, tmp_path: Path) -> None:
    argument = hostile.make(tmp_path)
    with pytest.raises(UsageError) as caught:
        load(argument)
    sentence = str(caught.value)
    assert hostile.fragment in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (None, "but this is a NoneType"),
        (torch.zeros(4, 1, 28, 28), "array: too few images to train and measure, 4 where"),
        (torch.full((20, 1, 8, 8), torch.nan), "the array: 1280 of 1280 values are NaN or infinite"),
        (torch.randn(20, 3, 8, 8), "the array: floats from"),
        (torch.zeros(20, 4, 8, 8), "the array: an array of shape (20, 4, 8, 8) where images are needed"),
        (np.full((20, 8, 8), "a"), "the array: text where images are needed"),
        (ImageSet("mine", IMAGES[:3]), "mine: too few images"),
    ],
)
def test_a_wrong_array_gets_its_sentence(data: Any, fragment: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(data)
    assert fragment in str(caught.value)


def test_photos_that_would_not_fit_in_memory_need_a_size(tmp_path: Path) -> None:
    names = [f"{i}.png" for i in range(300)]
    write_pictures(tmp_path, names[0], pixels=np.zeros((1, 4000, 2500), np.uint8))
    for name in names[1:]:
        (tmp_path / name).hardlink_to(tmp_path / names[0])
    with pytest.raises(UsageError, match=r"300 images of 2500 x 4000 take 8 GiB as they are; ask for a size"):
        load(tmp_path)


def test_an_idx_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(UsageError):
            load(tmp_path)


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 1.5}, {"colour": "gray"}, {"colors": "rgb"}])
def test_preparations_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Images(**wrong)
