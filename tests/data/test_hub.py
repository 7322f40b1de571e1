"""The hub, played by a module that answers as the package `datasets` does."""

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganbench.data import ImageSet, load
from ganbench.types import UsageError, WorkError
from tests.data.hostile_images import IMAGES, LABELS


class Feature:
    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.names = list(names)


class ImageFeature(Feature): ...


class ClassLabel(Feature): ...


class Table:
    """Rows of columns, as `datasets.Dataset` gives them."""

    def __init__(self, features: dict[str, Feature], columns: dict[str, list[Any]]) -> None:
        self.features, self.columns = features, columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, key: int | str) -> Any:
        return (
            self.columns[key] if isinstance(key, str) else {name: column[key] for name, column in self.columns.items()}
        )

    def select_columns(self, names: list[str]) -> "Table":
        return Table(self.features, {name: self.columns[name] for name in names})


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module: Any = ModuleType("datasets")
    module.Image, module.ClassLabel = ImageFeature, ClassLabel
    pictures = [Image.fromarray(image) for image in IMAGES]
    features = {"id": Feature(), "picture": ImageFeature(), "kind": ClassLabel(("d", "c", "b", "a"))}
    columns = {"id": list(range(20)), "picture": pictures, "kind": LABELS.tolist()}
    module.tables = {"owner/labelled": Table(features, columns), "owner/text": Table({"id": Feature()}, columns)}
    module.tables["owner/hidden"] = Table(features, {**columns, "kind": [-1] * 20})
    module.tables["owner/gaps"] = Table(features, {**columns, "kind": [None, *LABELS[1:].tolist()]})
    module.tables["owner/empty"] = Table(features, {name: [] for name in columns})

    def load_dataset(name: str, split: str) -> Table:
        assert split == "train"
        return module.tables[name]

    module.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", module)
    return module


def test_the_first_images_and_classes_are_taken(hub: ModuleType) -> None:
    found = load("hub:owner/labelled")
    assert isinstance(found, ImageSet)
    np.testing.assert_array_equal(found.pixels, IMAGES)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert (found.name, found.title, found.classes) == ("hub:owner/labelled", "labelled", ("d", "c", "b", "a"))


@pytest.mark.parametrize("name", ["hidden", "gaps"])
def test_labels_that_are_not_told_are_none(name: str, hub: ModuleType) -> None:
    found = load(f"hub:owner/{name}")
    assert isinstance(found, ImageSet)
    assert (found.labels, found.classes) == (None, ())


def test_a_set_without_images_is_refused(hub: ModuleType) -> None:
    with pytest.raises(UsageError, match="hub:owner/empty has no rows"):
        load("hub:owner/empty")
    with pytest.raises(UsageError, match=r"no column of images \(columns: id\)"):
        load("hub:owner/text")


def test_what_fails_is_told_in_a_sentence(hub: ModuleType) -> None:
    with pytest.raises(WorkError, match="hub:owner/nothing could not be loaded: 'owner/nothing'"):
        load("hub:owner/nothing")


def test_without_the_package_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match=r'pip install "ganbench\[hub\]"'):
        load("hub:owner/labelled")
