"""What people hand over as data by mistake, each with a part of the sentence that it earns.

Images by mistake are in `hostile_images`; images where points are needed in `test_hostile`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

POINTS = np.random.default_rng(0).standard_normal((40, 2))


class Hostile(NamedTuple):
    """`make(folder)` writes what it needs into an empty folder and returns the argument as it is typed."""

    name: str
    make: Callable[[Path], str]
    fragment: str


def _named(text: str) -> Callable[[Path], str]:
    return lambda folder: text


def _inside(*parts: str, make: Callable[[Path], str] = str) -> Callable[[Path], str]:
    """A path in the folder, once `make` has put something there."""

    def path(folder: Path) -> str:
        make(folder)
        return str(folder.joinpath(*parts))

    return path


def _file(name: str, content: bytes | str) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return make


def _npy(array: Any) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        np.save(folder / "points.npy", array)
        return str(folder / "points.npy")

    return make


def _npz(variable: str = "", **arrays: Any) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        np.savez(folder / "points.npz", **arrays)
        return str(folder / "points.npz") + variable

    return make


def _mat(variable: str = "", **arrays: Any) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        savemat(folder / "points.mat", arrays)
        return str(folder / "points.mat") + variable

    return make


def _cut(make: Callable[[Path], str]) -> Callable[[Path], str]:
    """The same file without its second half."""

    def cut(folder: Path) -> str:
        path = Path(make(folder))
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        return str(path)

    return cut


def _renamed(make: Callable[[Path], str], name: str) -> Callable[[Path], str]:
    return lambda folder: str(Path(make(folder)).rename(folder / name))


def _locked(folder: Path) -> str:
    if os.name == "nt" or os.geteuid() == 0:
        pytest.skip("root may read every file")
    path = Path(_npy(POINTS)(folder))
    path.chmod(0)
    return str(path)


def _pipe(folder: Path) -> str:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes on this system")
    os.mkfifo(folder / "points.csv")
    return str(folder / "points.csv")


def _with(value: complex) -> np.ndarray:
    points = POINTS.astype(np.result_type(POINTS, type(value)))
    points[16, 1] = value
    return points


def _lines(*lines: str) -> str:
    return "\n".join([*lines, *(f"{x},{y}" for x, y in POINTS)])


_TABLE = np.array([(1.0, 2.0)] * 20, dtype=[("x", float), ("y", float)])
_OBJECTS = np.array([[1.0, "two"]] * 20, dtype=object)
_CELLS = np.array([[1.0, "two"]], dtype=object)
_DATES = np.array(["2022-01-01"] * 20, dtype="datetime64[D]")
_HDF5 = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n"
_FIFTEEN = POINTS[:15]

HOSTILE = [
    # Names and paths.
    Hostile("empty name", _named(""), "the name of the data is empty"),
    Hostile("misspelt built-in", _named("letterm"), "did you mean 'letter-m'?"),
    Hostile("built-in in capitals", _named("Moons"), "did you mean 'moons'?"),
    Hostile(
        "nothing like it",
        _named("qqqq"),
        "(letter-m, ring8, grid25, spiral, moons, digits, captcha, mnist, fashion-mnist)",
    ),
    Hostile("misspelt images", _named("minst"), "did you mean 'mnist'?"),
    Hostile("misspelt file", _inside("pionts.npy", make=_npy(POINTS)), "did you mean 'points.npy'?"),
    Hostile("misspelt file, with a variable", _inside("point.mat:xx", make=_mat(xx=POINTS)), "'points.mat'?"),
    Hostile("no such folder", _inside("nowhere", "points.npy"), "there is no folder"),
    Hostile("name too long for a file", _named("x" * 5000), "no file or folder and no built-in set"),
    Hostile("name with a null byte", _named("a\0b.npy"), "no file or folder and no built-in set"),
    Hostile("image", _file("face.png", "\x89PNG"), "single file of images; give the folder"),
    Hostile("text file", _file("points.txt", "1 2\n"), "the suffix '.txt' is none of"),
    Hostile("no suffix", _file("points", "1 2\n"), "the suffix '' is none of"),
    Hostile("named pipe", _pipe, "no regular file"),
    Hostile("no permission", _locked, "no permission to read"),
    Hostile("colon without a variable", _mat(":", xx=POINTS), "after the colon the name of a variable"),
    Hostile("variable of a .csv", lambda f: _file("p.csv", _lines())(f) + ":x", "a .csv file has no variables"),
    Hostile("variable of a .npy", lambda f: _npy(POINTS)(f) + ":x", "a .npy file has no variables"),
    # Any kind of file.
    Hostile("empty .mat", _file("p.mat", ""), "the file is empty"),
    Hostile("empty .csv", _file("p.csv", ""), "the file is empty"),
    Hostile("empty .npy", _file("p.npy", ""), "the file is empty"),
    Hostile("empty .npz", _file("p.npz", ""), "the file is empty"),
    Hostile("truncated .mat", _cut(_mat(xx=POINTS)), "damaged, cut short or of another format"),
    Hostile("truncated .npy", _cut(_npy(POINTS)), "damaged, cut short or of another format"),
    Hostile("truncated .npz", _cut(_npz(xx=POINTS)), "damaged, cut short or of another format"),
    Hostile("text called .mat", _file("p.mat", _lines()), "no readable .mat file"),
    Hostile("text called .npy", _file("p.npy", _lines()), "no readable .npy file"),
    Hostile("text called .npz", _file("p.npz", _lines()), "no readable .npz file"),
    Hostile("a .npy called .npz", _renamed(_npy(POINTS), "p.npz"), "no readable .npz file"),
    Hostile("a .npz called .npy", _renamed(_npz(x=POINTS), "p.npy"), "no readable .npy file"),
    Hostile("a .npy called .csv", _renamed(_npy(POINTS), "p.csv"), "no UTF-8 text"),
    # .csv
    Hostile("blank lines", _file("p.csv", "\n\n  \n"), "the file has no rows"),
    Hostile("only a header", _file("p.csv", "x,y\n"), "no rows below its header"),
    Hostile("one column of text", _file("p.csv", "a\nb\nc\n"), "line 2, column 1 (a) holds 'b'"),
    Hostile("text in a row", _file("p.csv", _lines("x,y", "1,two")), "line 2, column 2 (y) holds 'two'"),
    Hostile("text without header", _file("p.csv", _lines("1,2", "3,four")), "line 2, column 2 holds 'four'"),
    Hostile("text in the first row", _file("p.csv", _lines("Paris,2")), "line 1, column 1 holds 'Paris'"),
    Hostile("gap", _file("p.csv", _lines("x,y", "1,")), "line 2, column 2 (y) holds ''"),
    Hostile("ragged", _file("p.csv", _lines("x,y", "1,2,3")), "line 2 has 3 values, but the first line has 2"),
    Hostile("decimal commas", _file("p.csv", "x;y\n1,5;2,5\n"), "holds '1,5' where a number such as 0.25"),
    Hostile("UTF-16", _file("p.csv", _lines("x,y").encode("utf-16")), "no UTF-8 text"),
    Hostile("row numbers", _file("p.csv", ",x\n0,5.5\n1,6.5\n2,7.5\n"), "first column has no name and counts"),
    Hostile("NaN in .csv", _file("p.csv", _lines("x,y", "0.5,nan")), "NaN or infinite, the first in row 1 "),
    Hostile("one row", _file("p.csv", ",".join(map(str, range(50)))), "each row is a point, so transpose it"),
    # The array itself.
    Hostile("text array", _npy(np.array([["a", "b"]] * 20)), "text where real numbers are needed"),
    Hostile("objects", _npy(_OBJECTS), "Python objects where real numbers are needed"),
    Hostile("fields", _npy(_TABLE), "a structure where real numbers are needed"),
    Hostile("dates", _npy(_DATES), "values of type datetime64[D] where real numbers are needed"),
    Hostile("complex", _npy(_with(1j)), "complex numbers where real numbers are needed"),
    Hostile("a single number", _npy(3.0), "an array of shape () where (points, coordinates) is needed"),
    Hostile("no points", _npy(np.zeros((0, 2))), "the array is empty, with shape (0, 2)"),
    Hostile("no coordinates", _npy(np.zeros((20, 0))), "the array is empty, with shape (20, 0)"),
    Hostile("fifteen points", _npy(_FIFTEEN), "15 points of 2 coordinates are too few to train and measure"),
    Hostile("a row of points", _npy(POINTS.T), "each row is a point, so transpose it if the columns are"),
    Hostile("NaN", _npy(_with(np.nan)), "1 of 80 numbers are NaN or infinite, the first in row 17 "),
    Hostile("infinity", _npy(_with(-np.inf)), "1 of 80 numbers are NaN or infinite, the first in row 17 "),
    Hostile("enormous", _npy(_with(1e200)), "numbers as large as 1e+200, at most 1e+100"),
    Hostile("all the same", _npy(np.full((50, 2), 0.1)), "all 50 points are the same"),
    # Variables.
    Hostile("several in .npz", _npz(a=POINTS, b=POINTS + 1), "several arrays could be the points, a (40 x 2), b"),
    Hostile("several in .mat", _mat(a=POINTS, b=POINTS + 1), "points.mat:a"),
    Hostile("longest is not the whole", _mat(a=POINTS, b=POINTS[:20]), "several arrays could be the points"),
    Hostile("whole of another width", _mat(a=POINTS, b=POINTS[:20], c=POINTS[:20, :1]), "several arrays"),
    Hostile("several vectors", _npz(x=POINTS[:, 0], y=POINTS[:, 1]), "several arrays could be the points"),
    Hostile("misspelt variable of .npz", _npz(":sample", samples=POINTS), "did you mean 'samples'?"),
    Hostile("misspelt variable of .mat", _mat(":xy", xx=POINTS), "no variable 'xy' among its variables, xx (40 x"),
    Hostile("no variables in .npz", _npz(), "no array of real numbers among its variables, of which it has none"),
    Hostile("no variables in .mat", _mat(), "no array of real numbers among its variables, of which it has none"),
    Hostile(
        "only text in .npz",
        _npz(t=np.array("hello")),
        "no array of real numbers among its variables, t (text",
    ),
    Hostile("only settings in .mat", _mat(n=3.0, name="hello"), "n (1 x 1), name (text)"),
    Hostile("objects in .npz", _npz(":o", o=_OBJECTS), "variable 'o' is no plain array"),
    Hostile("structure in .mat", _mat(":s", s={"x": POINTS}), "a structure where real numbers are needed"),
    Hostile("cells in .mat", _mat(":c", c=_CELLS), "objects, cells or text where real numbers are needed"),
    Hostile("sparse in .mat", _mat(":s", s=csc_matrix(POINTS)), "variable 's' is no plain array"),
    Hostile("complex in .mat", _mat(z=_with(1j)), "z (complex numbers)"),
    Hostile("row vector in .mat", _mat(x=POINTS[:, 0]), "each row is a point, so transpose it if the columns are"),
    Hostile("images in .mat", _mat(x=np.zeros((20, 8, 8))), "an array of shape (20, 8, 8) where"),
    Hostile("MATLAB v7.3", _file("p.mat", _HDF5), "MATLAB v7.3 (HDF5) files are not supported"),
]
