"""Written images are read again as they were."""

from pathlib import Path

import numpy as np
import pytest

from ganbench.data import ImageSet, load
from ganbench.data.writing import write_images
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
    with pytest.raises(UsageError, match=r"\.npy, \.npz or, without a suffix, a folder"):
        write_images(IMAGES, tmp_path / "images.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="cannot be written"):
        write_images(IMAGES, tmp_path / "file" / "images.npy")
