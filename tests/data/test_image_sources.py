"""Each way to hand over images gives the images that were meant."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganbench.data import Images, ImageSet, PointSet, full_name, load
from ganbench.data.downloads import DOWNLOADS
from ganbench.data.idx import read_idx, read_idx_folder
from tests.data.hostile_images import IMAGES, LABELS, write_idx, write_idx_folder, write_pictures

COLOURED = np.random.default_rng(1).integers(0, 256, (20, 6, 5, 3)).astype(np.uint8)


def images_of(source: Any, **kwargs: Any) -> ImageSet:
    found = load(source, **kwargs)
    assert isinstance(found, ImageSet)
    return found


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (IMAGES, IMAGES),
        (IMAGES[..., None], IMAGES),
        (IMAGES[:, None], IMAGES),
        (COLOURED, COLOURED),
        (COLOURED.transpose(0, 3, 1, 2), COLOURED),
        (IMAGES.astype(np.int64), IMAGES),
        (IMAGES / 255, IMAGES),
        ((IMAGES / 127.5 - 1).astype(np.float32), IMAGES),
        (torch.tensor(COLOURED.transpose(0, 3, 1, 2) / 127.5 - 1, dtype=torch.float32, requires_grad=True), COLOURED),
        (torch.tensor(IMAGES)[:, None], IMAGES),
        (torch.tensor(IMAGES > 99), (IMAGES > 99) * 255),
    ],
)
def test_arrays_and_tensors(array: Any, expected: np.ndarray, tmp_path: Path) -> None:
    np.testing.assert_array_equal(images_of(array).pixels, expected)
    path = tmp_path / "images.npy"
    np.save(path, array.detach().numpy() if isinstance(array, torch.Tensor) else array)
    found = images_of(path)
    np.testing.assert_array_equal(found.pixels, expected)
    assert found.name == str(path)


def test_classes_that_are_numbers_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    names = ("2", "3", "10", "011")
    for number, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        (tmp_path / names[label]).mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / names[label] / f"{number:02}.png")
    found = images_of(tmp_path)
    assert found.classes == names
    order = np.argsort(np.array(names)[LABELS], kind="stable")  # in which folders are read
    np.testing.assert_array_equal(found.pixels, IMAGES[order])
    np.testing.assert_array_equal(found.labels, LABELS[order])


@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_folders_of_floats(scale: float, tmp_path: Path) -> None:
    for number, image in enumerate(IMAGES):
        Image.fromarray((image / scale).astype(np.float32)).save(tmp_path / f"{number:02}.tiff")
    np.testing.assert_array_equal(images_of(tmp_path).pixels, IMAGES)


@pytest.mark.parametrize("array", [IMAGES[:, 0, 0].astype(float), IMAGES[:, 0].astype(float)])
def test_arrays_of_fewer_dimensions_stay_points(array: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "points.npy", array)
    assert isinstance(load(array), PointSet)
    assert isinstance(load(tmp_path / "points.npy"), PointSet)
    assert isinstance(load("moons"), PointSet)


@pytest.mark.parametrize(
    ("names", "variable"),
    [(("samples", "labels"), ""), (("x", "y"), ""), (("x_train", "y_train"), ":x_train"), (("images", "labels"), "")],
)
def test_labels_beside_images_are_taken(names: tuple[str, str], variable: str, tmp_path: Path) -> None:
    other = {"x_test": IMAGES, "y_test": LABELS[::-1]} if variable else {}
    np.savez(tmp_path / "some.npz", **{names[0]: IMAGES, names[1]: LABELS[:, None]}, **other)
    found = images_of(f"{tmp_path}/some.npz{variable}")
    np.testing.assert_array_equal(found.labels, LABELS)


@pytest.mark.parametrize(
    ("labels", "numbers", "classes"),
    [
        (LABELS + 1, LABELS, ("1", "2", "3", "4")),
        (LABELS.astype(float), LABELS, ("0", "1", "2", "3")),
        (np.array(["d", "a", "c", "b"])[LABELS], np.array([3, 0, 2, 1])[LABELS], ("a", "b", "c", "d")),
        (np.array([b"no", b"yes"])[LABELS // 2], LABELS // 2, ("no", "yes")),
        (LABELS > 0, LABELS > 0, ("False", "True")),
    ],
)
def test_labels_of_any_kind_count_from_zero(
    labels: np.ndarray, numbers: np.ndarray, classes: tuple[str, ...], tmp_path: Path
) -> None:
    np.savez(tmp_path / "some.npz", images=IMAGES, labels=labels)
    found = images_of(tmp_path / "some.npz")
    np.testing.assert_array_equal(found.labels, numbers)
    assert found.classes == classes


def test_labels_of_samples_keep_their_numbers(tmp_path: Path) -> None:
    np.savez(tmp_path / "samples.npz", samples=IMAGES, labels=np.full(20, 3))
    found = images_of(tmp_path / "samples.npz", to_learn=False)
    assert (set(np.asarray(found.labels)), found.classes) == ({3}, ("0", "1", "2", "3"))


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("dotted", [False, True])
def test_idx_folders(end: str, dotted: bool, tmp_path: Path) -> None:
    write_idx_folder(tmp_path, end=end)
    write_idx(tmp_path / f"t10k-images-idx3-ubyte{end}", IMAGES[::-1])
    write_idx(tmp_path / f"t10k-labels-idx1-ubyte{end}", LABELS[::-1].astype(np.uint8))
    for path in list(tmp_path.iterdir()) if dotted else []:
        path.rename(tmp_path / path.name.replace("-idx", ".idx"))
    train, test = images_of(tmp_path), read_idx_folder(tmp_path, "test")
    np.testing.assert_array_equal(train.pixels, IMAGES)
    np.testing.assert_array_equal(train.labels, LABELS)
    np.testing.assert_array_equal(test.pixels, IMAGES[::-1])
    np.testing.assert_array_equal(test.labels, LABELS[::-1])


@pytest.mark.parametrize("unpacked", [False, True])
def test_a_folder_of_fashion_mnist_has_the_names_of_its_classes(
    unpacked: bool, shared_data: Path, tmp_path: Path
) -> None:
    for part in ("train", "t10k"):
        name = f"{part}-labels-idx1-ubyte"
        packed = (shared_data / "fashion_mnist" / f"{name}.gz").read_bytes()
        content = gzip.decompress(packed)
        (tmp_path / (name if unpacked else f"{name}.gz")).write_bytes(content if unpacked else packed)
        count = len(content) - 8
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", np.zeros((count, 2, 2), dtype=np.uint8))
    for part in ("train", "test"):
        assert read_idx_folder(tmp_path, part).classes == DOWNLOADS["fashion-mnist"].classes  # type: ignore[arg-type]


def test_labels_of_no_known_set_are_numbers(shared_data: Path, tmp_path: Path) -> None:
    labels = read_idx(shared_data / "fashion_mnist" / "t10k-labels-idx1-ubyte.gz", dimensions=1)[::-1]
    write_idx(tmp_path / "train-labels-idx1-ubyte", labels)
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((len(labels), 2, 2), dtype=np.uint8))
    assert read_idx_folder(tmp_path).classes == tuple("0123456789")


def test_mnist_is_read_as_it_is(shared_data: Path) -> None:
    mnist = images_of(shared_data / "mnist")
    assert (len(mnist), mnist.shape, mnist.classes) == (60_000, (1, 28, 28), tuple("0123456789"))
    known = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(np.asarray(mnist.labels)).tolist() == known
    assert round(float(mnist.pixels.mean()) / 255, 4) == 0.1307  # the mean that everyone standardises it with
    assert mnist.labels is not None
    assert mnist.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert len(read_idx_folder(shared_data / "mnist", "test")) == 10_000


def _folder(folder: Path) -> Path:
    return folder


def _zipped(folder: Path) -> Path:
    path = folder.parent / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*"), reverse=True):
            archive.write(file, file.relative_to(folder))
    return path


@pytest.mark.parametrize("packed", [_folder, _zipped])
@pytest.mark.parametrize("above", ["", "one/", "one/two/"])
def test_subfolders_are_labels(packed: Callable[[Path], Path], above: str, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    write_pictures(folder, *(f"{above}{'abcd'[label]}/{i:02}.PNG" for i, label in enumerate(LABELS)))
    (folder / "README.md").write_text("twenty images")
    (folder / ".hidden.png").write_bytes(b"no image")
    (folder / "empty").mkdir()
    found = images_of(packed(folder))
    order = np.argsort(LABELS, kind="stable")
    np.testing.assert_array_equal(found.pixels, IMAGES[order])
    np.testing.assert_array_equal(found.labels, LABELS[order])
    assert (found.classes, found.notes) == (tuple("abcd"), ())


@pytest.mark.parametrize("packed", [_folder, _zipped])
def test_a_flat_folder_has_no_labels(packed: Callable[[Path], Path], tmp_path: Path) -> None:
    found = images_of(packed(write_pictures(tmp_path / "images", *(f"{i:02}.png" for i in range(20)))))
    np.testing.assert_array_equal(found.pixels, IMAGES)
    assert (found.labels, found.classes) == (None, ())


def test_what_cannot_be_read_is_left_out_and_noted(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{'ab'[i % 2]}/{i:02}.png" for i in range(20)))
    for name in ("a/x1.png", "a/x2.jpg", "b/x3.gif", "c/x4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"nonsense")
    found = images_of(tmp_path)
    assert (len(found), found.classes) == (20, ("a", "b"))
    assert found.notes == (f"{tmp_path}: 4 of 24 image files cannot be read: a/x1.png, a/x2.jpg, b/x3.gif, ...",)


def test_a_truncated_picture_counts_as_unreadable(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{i:02}.png" for i in range(20)))
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60)).astype(np.uint8)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:300])
    assert "1 of 21 image files cannot be read: cut.png" in images_of(tmp_path).notes[0]


def test_links_that_lead_back_up_are_not_followed_without_end(tmp_path: Path) -> None:
    write_pictures(tmp_path / "real", *(f"{i:02}.png" for i in range(20)))
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "a").symlink_to(tmp_path / "real")
    assert len(images_of(tmp_path / "linked")) == 20
    (tmp_path / "real" / "again").symlink_to(tmp_path / "real")
    with pytest.raises(Exception, match="at several depths"):
        load(tmp_path / "linked")


def test_a_set_stays_what_it_is() -> None:
    mine = ImageSet("mine", IMAGES, LABELS, tuple("abcd"))
    assert images_of(mine) is mine
    assert images_of(mine, images=Images(size=9)).shape == (1, 9, 9)


@pytest.mark.parametrize(
    "name", ["moons", "digits", "mnist", "stacked:mnist", "stacked:stacked:digits", "hub:owner/name"]
)
def test_names_are_their_own_full_names(name: str) -> None:
    assert full_name(name) == name


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert full_name("some.npz:x") == str(tmp_path / "some.npz:x")
    assert full_name("stacked:folder") == f"stacked:{tmp_path / 'folder'}"
