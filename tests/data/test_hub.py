"""Sets of the hub, read by the package `datasets` itself: files on the disk stand for what it would download."""

import sys
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from ganbench.data import ImageSet, load
from ganbench.types import UsageError, WorkError
from tests.data.hostile_images import IMAGES, LABELS


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for sets, where `hub:FOLDER/NAME` finds them; without a connection and with a cache of its own."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return tmp_path


def published(folder: Path, kinds: list[int | None], part: str = "train") -> str:
    """A set of pictures with a class each, written as sets are published; its name."""
    features = {
        "id": datasets.Value("int64"),
        "picture": datasets.Image(),
        "kind": datasets.ClassLabel(names=["d", "c", "b", "a"]),
    }
    pictures = [Image.fromarray(image) for image in IMAGES[: len(kinds)]]
    columns = {"id": list(range(len(kinds))), "picture": pictures, "kind": kinds}
    folder.mkdir()
    datasets.Dataset.from_dict(columns, datasets.Features(features)).to_parquet(folder / f"{part}.parquet")
    return f"hub:{folder}"


def test_the_first_images_and_classes_are_taken(hub: Path) -> None:
    found = load(published(hub / "labelled", LABELS.tolist()))
    assert isinstance(found, ImageSet)
    np.testing.assert_array_equal(found.pixels, IMAGES)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert (found.title, found.classes) == ("labelled", ("d", "c", "b", "a"))


def test_folders_of_pictures_are_classes(hub: Path) -> None:
    for number, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        folder = hub / "pictures" / "train" / "abcd"[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number:02}.png")
    found = load(f"hub:{hub / 'pictures'}")
    assert isinstance(found, ImageSet)
    np.testing.assert_array_equal(found.pixels, IMAGES[np.argsort(LABELS, kind="stable")])
    np.testing.assert_array_equal(found.labels, np.sort(LABELS))
    assert found.classes == ("a", "b", "c", "d")


@pytest.mark.parametrize("kinds", [[-1] * 20, [None, *LABELS[1:].tolist()]], ids=["hidden", "gaps"])
def test_labels_that_are_not_told_are_none(kinds: list[int | None], hub: Path) -> None:
    found = load(published(hub / "unlabelled", kinds))
    assert isinstance(found, ImageSet)
    assert (found.labels, found.classes) == (None, ())


@pytest.mark.parametrize(
    ("kind", "told", "classes"),
    [("int64", LABELS + 5, ("5", "6", "7", "8")), ("string", np.array(list("dcba"))[3 - LABELS], ("a", "b", "c", "d"))],
)
@pytest.mark.parametrize("called", ["label", "labels", "other"])
def test_a_column_of_values_is_the_labels_by_its_name(
    kind: str, told: np.ndarray, classes: tuple[str, ...], called: str, hub: Path
) -> None:
    features = {"picture": datasets.Image(), called: datasets.Value(kind)}
    columns = {"picture": [Image.fromarray(image) for image in IMAGES], called: told.tolist()}
    (hub / "values").mkdir()
    datasets.Dataset.from_dict(columns, datasets.Features(features)).to_parquet(hub / "values" / "train.parquet")
    found = load(f"hub:{hub / 'values'}")
    assert isinstance(found, ImageSet)
    if called == "other":
        assert found.labels is None
    else:
        np.testing.assert_array_equal(found.labels, LABELS)
        assert found.classes == classes


def test_a_configuration_is_named_after_a_colon(hub: Path) -> None:
    published(hub / "two", LABELS.tolist())
    (hub / "two" / "README.md").write_text(
        "---\nconfigs:\n- config_name: one\n  data_files: train.parquet\n- config_name: none\n  data_files: x\n---\n"
    )
    found = load(f"hub:{hub / 'two'}:one")
    assert isinstance(found, ImageSet)
    np.testing.assert_array_equal(found.pixels, IMAGES)
    with pytest.raises(WorkError, match="one"):
        load(f"hub:{hub / 'two'}")


def test_a_set_without_images_is_refused(hub: Path) -> None:
    (hub / "text").mkdir()
    (hub / "text" / "train.csv").write_text("id\n1\n2\n")
    with pytest.raises(UsageError, match=r"no column of images \(columns: id\)"):
        load(f"hub:{hub / 'text'}")


def test_what_fails_is_told_in_a_sentence(hub: Path) -> None:
    with pytest.raises(WorkError, match=r"hub:owner/nothing could not be loaded: .*'owner/nothing'"):
        load("hub:owner/nothing")
    with pytest.raises(WorkError, match=r"could not be loaded: .*train"):
        load(published(hub / "tested", LABELS.tolist(), part="test"))
    with pytest.raises(WorkError, match=r"could not be loaded: .* no data"):
        load(published(hub / "empty", []))


def test_without_the_package_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match=r'pip install "ganbench\[hub\]"'):
        load("hub:owner/labelled")
