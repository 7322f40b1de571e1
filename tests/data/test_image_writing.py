"""Written images are read again as they were."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.data import ImageSet, load
from ganbench.data.writing import tiled, write_images
from ganbench.types import UsageError, WorkError
from tests.data.hostile_images import IMAGES, LABELS

COLOURED = np.random.default_rng(1).integers(0, 256, (20, 6, 5, 3)).astype(np.uint8)


@pytest.mark.parametrize("pixels", [IMAGES, COLOURED])
@pytest.mark.parametrize("labels", [None, LABELS, LABELS * 5])
@pytest.mark.parametrize("name", ["new/images.npy", "new/images.npz", "new/images"])
def test_what_is_written_is_read(name: str, labels: np.ndarray | None, pixels: np.ndarray, tmp_path: Path) -> None:
    write_images(pixels, tmp_path / name, labels)
    found = load(tmp_path / name)
    assert isinstance(found, ImageSet)
    labelled = labels is not None and not name.endswith(".npy")
    order = np.argsort(labels, kind="stable") if labelled and name == "new/images" else np.arange(20)
    np.testing.assert_array_equal(found.pixels, pixels[order])
    if labelled:
        assert labels is not None
        np.testing.assert_array_equal([int(found.classes[k]) for k in np.asarray(found.labels)], labels[order])
    else:
        assert found.labels is None


@pytest.mark.parametrize("pixels", [IMAGES, COLOURED])
def test_a_sheet_holds_every_image_at_its_place(pixels: np.ndarray, tmp_path: Path) -> None:
    write_images(pixels, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[:2] == (4 * 7 - 1, 5 * 6 - 1)
    for i, image in enumerate(pixels):
        row, column = divmod(i, 5)
        np.testing.assert_array_equal(sheet[7 * row : 7 * row + 6, 6 * column : 6 * column + 5], image)


def test_a_sheet_of_labelled_images_has_a_column_a_label(tmp_path: Path) -> None:
    labels = np.array([2] * 3 + [0] * 17)
    write_images(IMAGES, tmp_path / "sheet.png", labels)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (17 * 7 - 1, 2 * 6 - 1)
    np.testing.assert_array_equal(sheet[:6, :5], IMAGES[3])
    np.testing.assert_array_equal(sheet[7:13, 6:], IMAGES[1])
    assert (sheet[21:, 6:] == 0).all()


def test_one_image_is_a_sheet_of_itself() -> None:
    np.testing.assert_array_equal(tiled(IMAGES[:1], 1), IMAGES[0])


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is not empty"):
        write_images(IMAGES, tmp_path / "full")
    with pytest.raises(UsageError, match="is a file"):
        write_images(IMAGES, tmp_path / "full" / "file")
    write_images(IMAGES, tmp_path / "empty")
    assert len(list((tmp_path / "empty").iterdir())) == 20


def test_other_suffixes_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.npy, \.npz, \.png or, without a suffix, a folder"):
        write_images(IMAGES, tmp_path / "images.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="cannot be written"):
        write_images(IMAGES, tmp_path / "file" / "images.npy")
