"""What is written to a file is what is read from it, and which of a file's arrays is read."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.io import savemat

from ganbench.data import Modes, PointSet, load_points
from tests.data.hostile import POINTS

some_points = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=4).map(lambda shape: (15 + shape[0], shape[1])),
    elements=st.floats(-1e99, 1e99),
).filter(lambda array: (array != array[0]).any())


def _csv(separator: str, header: str = "") -> Callable[[Path, np.ndarray], None]:
    def save(path: Path, array: np.ndarray) -> None:
        names = separator.join(f"{header}{index}" for index in range(array.shape[1])) if header else ""
        np.savetxt(path, array, fmt="%.17g", delimiter=separator, header=names, comments="")

    return save


WAYS: dict[str, tuple[str, Callable[[Path, np.ndarray], None]]] = {
    "npy": ("p.npy", np.save),
    "Fortran order": ("p.npy", lambda path, array: np.save(path, np.asfortranarray(array))),
    "big-endian": ("p.npy", lambda path, array: np.save(path, array.astype(">f8"))),
    "capitals": ("P.NPY", lambda path, array: np.save(path.open("wb"), array)),
    "npz": ("p.npz", lambda path, array: np.savez(path, points=array)),
    "compressed npz": ("p.npz", lambda path, array: np.savez_compressed(path, points=array)),
    "mat 5": ("p.mat", lambda path, array: savemat(path, {"xx": array})),
    "compressed mat 5": ("p.mat", lambda path, array: savemat(path, {"xx": array}, do_compression=True)),
    "mat 4": ("p.mat", lambda path, array: savemat(path, {"xx": array}, format="4")),
    "comma": ("p.csv", _csv(",")),
    "comma and space": ("p.csv", _csv(", ")),
    "semicolon, header": ("p.csv", _csv(";", "name, unit ")),
    "tab, header": ("p.csv", _csv("\t", "x;")),
    "spaces": ("p.csv", _csv("   ")),
    "space, header": ("p.csv", _csv(" ", "x")),
}


@pytest.mark.parametrize("way", WAYS)
@given(array=some_points)
@settings(deadline=None, max_examples=30)
def test_what_is_saved_is_loaded(way: str, array: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    name, save = WAYS[way]
    path = tmp_path_factory.getbasetemp() / name
    save(path, array)
    np.testing.assert_array_equal(load_points(path).points, array)


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint64, np.float16, np.float32, np.longdouble])
def test_every_real_type_becomes_float64(dtype: type, tmp_path: Path) -> None:
    array = (POINTS > 0).astype(dtype)
    np.save(tmp_path / "p.npy", array)
    points = load_points(tmp_path / "p.npy").points
    assert points.dtype == np.float64
    np.testing.assert_array_equal(points, (POINTS > 0).astype(float))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("\ufeffx,y\r\n{}", ("x", "y")),
        ('"length, in m";"weight"\n{}', ("length, in m", "weight")),
        ("# made by hand\n\nx,y\n\n{}\n\n", ("x", "y")),
        ("  {}", ()),
    ],
)
def test_csv_as_spreadsheets_and_people_write_it(text: str, columns: tuple[str, ...], tmp_path: Path) -> None:
    separator = ";" if ";" in text else ","
    rows = "\n".join(f'"{x!r}"{separator} {y!r} ' for x, y in POINTS.tolist())
    (tmp_path / "p.csv").write_text(text.format(rows), encoding="utf-8")
    loaded = load_points(tmp_path / "p.csv")
    np.testing.assert_array_equal(loaded.points, POINTS)
    assert loaded.columns == columns


def test_the_labs_file_is_read_as_its_whole_letter(shared_data: Path) -> None:
    path = shared_data / "points_m" / "points.mat"
    letter, stroke = load_points(path), load_points(f"{path}:b")
    assert letter.points.shape == (8192, 2)
    np.testing.assert_allclose(letter.points[2048:4096], 0.04 * stroke.points + 0.5, atol=1e-14)
    assert letter.fingerprint == load_points(f"{path}:xx").fingerprint
    assert (letter.name, letter.modes) == (str(path), None)


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"labels": np.zeros(40)},  # the contract's samples with their labels
        {"count": np.array([[40.0]]), "name": "hello", "mean": np.zeros((1, 2)), "factor": np.eye(2)},
        {"images": np.zeros((40, 8, 8)), "complex": POINTS * 1j, "objects": np.array([[None]] * 40)},
        {"first": POINTS[:20], "second": POINTS[20:]},  # of which the points are the whole
    ],
)
@pytest.mark.filterwarnings("error")
def test_the_points_are_found_among_other_arrays(others: dict[str, Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", **others, points=POINTS)
    np.testing.assert_array_equal(load_points(tmp_path / "p.npz").points, POINTS)


def test_a_variable_is_chosen_after_the_colon(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", a=POINTS, b=POINTS + 1, line=POINTS[:, 0])
    chosen = load_points(f"{tmp_path}/p.npz:b")
    np.testing.assert_array_equal(chosen.points, POINTS + 1)
    assert chosen.name == f"{tmp_path}/p.npz:b"
    np.testing.assert_array_equal(load_points(f"{tmp_path}/p.npz:line").points, POINTS[:, :1])


@pytest.mark.skipif(os.name == "nt", reason="no colons in names there")
@pytest.mark.parametrize("name", ["run:3.npz", "p.npz:old.npz"])
def test_a_colon_may_belong_to_the_path(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "of:2022"
    folder.mkdir()
    np.savez(folder / name, xx=POINTS)
    for argument in (folder / name, f"{folder / name}:xx"):
        np.testing.assert_array_equal(load_points(argument).points, POINTS)


def test_a_relative_path_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("p.npy", POINTS)
    assert load_points("./p.npy").name == "./p.npy"


@pytest.mark.parametrize(
    "array",
    [
        POINTS.astype(np.float32),
        torch.tensor(POINTS, dtype=torch.float32, requires_grad=True),
        torch.tensor(POINTS, dtype=torch.bfloat16),
        torch.tensor(POINTS > 0),
        POINTS[::-1, ::-1],
    ],
)
def test_an_array_or_tensor_is_points(array: Any) -> None:
    expected = array.detach().tolist() if isinstance(array, torch.Tensor) else array
    np.testing.assert_array_equal(load_points(array).points, np.array(expected, dtype=float))


def test_numbers_in_a_line_are_points_of_one_coordinate() -> None:
    np.testing.assert_array_equal(load_points(POINTS[:, 0]).points, POINTS[:, :1])


def test_a_point_set_stays_what_it_is() -> None:
    modes = Modes(np.zeros((1, 2)), np.eye(2)[None])
    mine = PointSet("mine", POINTS, modes, ("x", "y"))
    loaded = load_points(mine)
    assert (loaded.name, loaded.modes, loaded.columns) == ("mine", modes, ("x", "y"))
    assert loaded.fingerprint == mine.fingerprint
