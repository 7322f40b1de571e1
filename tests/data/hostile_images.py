"""What people hand over as images by mistake, each with a part of the sentence that it earns."""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 6, 5)).astype(np.uint8)
LABELS = np.arange(20) % 4


class Hostile(NamedTuple):
    """`make(folder)` writes what it needs into an empty folder and returns the argument as it is typed."""

    name: str
    make: Callable[[Path], str]
    fragment: str


def write_idx(path: Path, array: np.ndarray, code: int = 8) -> None:
    """An IDX file, compressed where its name ends in .gz."""
    content = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_idx_folder(folder: Path, pixels: np.ndarray = IMAGES, labels: np.ndarray = LABELS, end: str = ".gz") -> Path:
    """The train part of the four files."""
    write_idx(folder / f"train-images-idx3-ubyte{end}", pixels)
    write_idx(folder / f"train-labels-idx1-ubyte{end}", labels.astype(np.uint8))
    return folder


def write_pictures(folder: Path, *names: str, pixels: np.ndarray = IMAGES) -> Path:
    """One picture a name, in folders that are made."""
    for name, image in zip(names, pixels, strict=False):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name)
    return folder


def _named(text: str) -> Callable[[Path], str]:
    return lambda folder: text


def _npy(array: Any) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        np.save(folder / "images.npy", array)
        return str(folder / "images.npy")

    return make


def _npz(variable: str = "", **arrays: Any) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        np.savez(folder / "images.npz", **arrays)
        return str(folder / "images.npz") + variable

    return make


def _idx(change: Callable[[Path], object]) -> Callable[[Path], str]:
    """A folder of IDX files to which something happened."""

    def make(folder: Path) -> str:
        change(write_idx_folder(folder))
        return str(folder)

    return make


def _pictures(*names: str) -> Callable[[Path], str]:
    return lambda folder: str(write_pictures(folder, *names))


def _files(**contents: bytes) -> Callable[[Path], str]:
    """A folder of files, whose dots are written __."""

    def make(folder: Path) -> str:
        for name, content in contents.items():
            (folder / name.replace("__", ".")).write_bytes(content)
        return str(folder)

    return make


def _zip(content: bytes | None = None, **members: bytes) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        path = folder / "images.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, member in members.items():
                archive.writestr(name.replace("__", "."), member)
        if content is not None:
            path.write_bytes(content)
        return str(path)

    return make


def _altered_zip(old: bytes, new: bytes) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        path = Path(_zip(ä__png=b"hello")(folder))
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new))
        return str(path)

    return make


def _stacked(make: Callable[[Path], str]) -> Callable[[Path], str]:
    return lambda folder: f"stacked:{make(folder)}"


def _swap(folder: Path) -> None:
    images, labels = folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz"
    images.rename(folder / "other")
    labels.rename(images)
    (folder / "other").rename(labels)


def _rename_to_test(folder: Path) -> None:
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace("train", "t10k"))


def _cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-9])


def _over(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def _idx_over(name: str, array: np.ndarray, code: int = 8) -> Callable[[Path], object]:
    return lambda folder: write_idx(folder / name, array, code)


def _uncompressed_cut(folder: Path) -> None:
    write_idx_folder(folder, end="")
    _cut("train-images-idx3-ubyte")(folder)


_TRAIN_IMAGES, _TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
_REAL = IMAGES / 255.0
_COLOURED = np.random.default_rng(1).integers(0, 256, (20, 6, 5, 3)).astype(np.uint8)
_NAMES = tuple(f"{i:02}.png" for i in range(20))

HOSTILE_IMAGES = [
    # Arrays.
    Hostile("one image", _npy(np.zeros((64, 64, 3), np.uint8)), "(64, 64, 3) is one image, where a set"),
    Hostile("one image, channels first", _npy(np.zeros((3, 64, 64), np.uint8)), "train and measure, 3 where"),
    Hostile("one image in a batch", _npy(np.zeros((1, 28, 28, 1))), "too few images to train and measure, 1 where"),
    Hostile("fifteen images", _npy(IMAGES[:15]), "too few images to train and measure, 15 where"),
    Hostile("no images", _npy(np.zeros((0, 28, 28))), "the array is empty, with shape (0, 28, 28)"),
    Hostile("four channels", _npy(np.zeros((20, 8, 8, 4), np.uint8)), "(20, 8, 8, 4) where images are needed"),
    Hostile("two channels first", _npy(np.zeros((20, 2, 8, 8))), "(images, 1 or 3, height, width)"),
    Hostile("videos", _npy(np.zeros((20, 4, 8, 8, 3))), "(20, 4, 8, 8, 3) where images are needed"),
    Hostile("all the same", _npy(np.full((20, 8, 8), 7, np.uint8)), "all 20 images are the same"),
    Hostile("floats to 255", _npy(IMAGES.astype(float)), "values from 0 to 255 belong in uint8"),
    Hostile("standardised floats", _npy(_REAL * 4 - 2), "floats from -2 to 2, where [0, 1] or [-1, 1] is needed"),
    Hostile("NaN", _npy(np.where(IMAGES > 250, np.nan, _REAL)), "values are NaN or infinite"),
    Hostile("infinity", _npy(np.where(IMAGES > 250, np.inf, _REAL)), "values are NaN or infinite"),
    Hostile("16-bit whole numbers", _npy(IMAGES.astype(np.uint16) * 257), "where pixels from 0 to 255 are needed"),
    Hostile("negative whole numbers", _npy(IMAGES.astype(int) - 1), "whole numbers from -1 to 254"),
    Hostile("complex", _npy(_REAL + 1j), "complex numbers where real numbers are needed"),
    # Files of several arrays.
    Hostile("two sets", _npz(x_train=IMAGES, x_test=IMAGES), "several arrays could be the data, x_train (20 x 6 x 5)"),
    Hostile("images and points", _npz(a=IMAGES, b=_REAL[0].T @ _REAL[0], c=_REAL[:, 0]), "images.npz:a"),
    Hostile("misspelt variable", _npz(":image", images=IMAGES), "did you mean 'images'?"),
    Hostile("fewer labels", _npz(x=IMAGES, y=LABELS[:-1]), "labels of shape 19 for 20 images"),
    Hostile("one-hot labels", _npz(images=IMAGES, labels=np.eye(4)[LABELS]), "labels of shape 20 x 4 for 20 images"),
    Hostile("one label for all", _npz(images=IMAGES, labels=3), "labels of shape one number for 20 images"),
    Hostile("fractions as labels", _npz(images=IMAGES, labels=LABELS + 0.5), "labels that are no whole numbers"),
    Hostile("NaN as labels", _npz(images=IMAGES, labels=LABELS * np.nan), "labels that are no whole numbers"),
    Hostile("objects as labels", _npz(images=IMAGES, labels=LABELS.astype("M8[D]")), "labels of type datetime64[D]"),
    # IDX folders.
    Hostile("no labels", _idx(lambda f: (f / _TRAIN_LABELS).unlink()), "lacks train-labels-idx1-ubyte or"),
    Hostile("only the test part", _idx(_rename_to_test),
            "lacks train-images-idx3-ubyte or train-images-idx3-ubyte.gz"),
    Hostile("swapped files", _idx(_swap), "1 dimensions in the place of images (3 dimensions); are two files swapped?"),
    Hostile("labels twice", _idx(_idx_over(_TRAIN_LABELS, IMAGES)), "in the place of labels (1 dimension)"),
    Hostile("cut .gz", _idx(_cut(_TRAIN_IMAGES)), "no readable .gz file; it is damaged or cut short"),
    Hostile("cut plain file", _idx(_uncompressed_cut), "20 x 6 x 5 bytes are announced and 591 are there"),
    Hostile("text in its place", _idx(_over(_TRAIN_IMAGES, b"<html>404</html>")), "no readable .gz file"),
    Hostile("compressed text", _idx(_over(_TRAIN_IMAGES, gzip.compress(b"<html>404</html>"))), "this is no IDX file"),
    Hostile("empty file", _idx(_over(_TRAIN_LABELS, b"")), "this is no IDX file"),
    Hostile("counts differ", _idx(_idx_over(_TRAIN_LABELS, LABELS[:9].astype(np.uint8))), "shape 9 for 20 images"),
    Hostile("floats in IDX", _idx(_idx_over(_TRAIN_IMAGES, IMAGES, 13)), "type 0x0d, where bytes (0x08) are needed"),
    Hostile("enormous announcement", _idx(_over(_TRAIN_LABELS, gzip.compress(b"\0\0\x08\1\xff\xff\xff\xff"))),
            "4294967295 bytes are announced and 0 are there"),
    # Folders and zip files of images.
    Hostile("empty folder", str, "has no images (.png, .jpg"),
    Hostile("folder of points", _files(points__npy=b"x"), "is no folder of IDX files; it holds points.npy"),
    Hostile("one picture", _pictures("a.png"), "too few images to train and measure, 1 where"),
    Hostile("none can be read", _files(a__png=b"\x89PNG", b__jpg=b"JFIF"), "none of its 2 image files can be read, "
            "such as a.png"),
    Hostile("beside and inside", _pictures(*_NAMES[:10], *(f"cat/{n}" for n in _NAMES[10:])), "at several depths"),
    Hostile("train and test", _pictures(*(f"{p}/{c}/0.png" for p in ("test", "train") for c in "ab")),
            "name a folder inside, such as train"),
    Hostile("damaged zip", _zip(b"PK\3\4 and then nothing"), "no readable .zip file"),
    Hostile("zip of a later version", _altered_zip(b"PK\1\2\x14\3\x14", b"PK\1\2\x14\3\x63"), "no readable .zip file"),
    Hostile("zip with a name in no encoding", _altered_zip("ä".encode(), b"\xff\xff"), "no readable .zip file"),
    Hostile("empty zip", _zip(), "has no images"),
    Hostile("zip of text", _zip(readme__txt=b"hello"), "it holds readme.txt"),
    Hostile("zip of nonsense", _zip(a__png=b"hello"), "none of its 1 image files can be read, such as a.png"),
    Hostile("no such zip", lambda folder: str(folder / "faces.zip"), "is no file or folder and no built-in set"),
    # Stacked sets.
    Hostile("stacked points", _named("stacked:moons"), "moons is a set of points, and grey images with labels"),
    Hostile("stacked nothing", _named("stacked:"), "the name of the data is empty"),
    Hostile("stacked without labels", _stacked(_npy(IMAGES)), "has no labels, and grey images with labels"),
    Hostile("stacked colours", _stacked(_npz(images=_COLOURED, labels=LABELS)), "has colours, and grey images"),
    Hostile(
        "stacked of many classes",
        _stacked(_npz(images=np.arange(101 * 64).astype(np.uint8).reshape(101, 8, 8), labels=np.arange(101))),
        "101 classes, of which 100 can be stacked",
    ),
    Hostile("stacked and misspelt", _named("stacked:minst"), "did you mean 'mnist'?"),
]  # fmt: skip
