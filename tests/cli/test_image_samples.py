"""Samples of runs on images, and what is measured of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganbench.api import Run
from ganbench.data import sources
from ganbench.figures.sheets import labelled_sheet
from tests.cli.conftest import Outcome
from tests.cli.images import DENSE, DISTANCES, asked, colours, digits_at_hand, finished, sets
from tests.undrawn import undrawn

__all__ = ["asked", "colours", "digits_at_hand", "undrawn"]


def test_samples_are_bytes_with_their_labels(ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run) -> None:
    for words in (("x.npy",), ("x.npz",), ("y.npz", "--labels", "red,blue")):
        ended = ganbench("sample", asked.path, "--count", 5, "--out", *words)
        assert ended.code == 0, ended.err
    plain, named, told = np.load(tmp_path / "x.npy"), np.load(tmp_path / "x.npz"), np.load(tmp_path / "y.npz")
    assert (plain.dtype, plain.shape) == (np.dtype(np.uint8), (5, 16, 16, 3))
    assert np.array_equal(plain, named["samples"])
    assert set(named["labels"]) <= {0, 1, 2}
    assert told["labels"].tolist() == [2, 0, 2, 0, 2]
    assert told["samples"].shape == plain.shape
    again = asked.sample(5, labels=np.array([2, 0, 2, 0, 2]))
    assert np.array_equal(told["samples"], again)


def test_grey_samples_have_no_channels(ganbench: Callable[..., Outcome], tmp_path: Path, undrawn: None) -> None:
    np.save(tmp_path / "grey.npy", np.random.default_rng(0).integers(0, 256, (40, 16, 16), dtype=np.uint8))
    words = ["--data", "grey.npy", "--rounds", 1, "--out", "run", *sets(DENSE)]
    finished(ganbench("train", "gan", *words), tmp_path / "run")
    for out in ("x.npy", "x.npz"):
        assert ganbench("sample", "run", "--count", 5, "--out", out).code == 0
    assert np.load(tmp_path / "x.npy").shape == (5, 16, 16)
    assert list(np.load(tmp_path / "x.npz")) == ["samples"]


def test_samples_as_pictures(ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run) -> None:
    for out in ("new/sheet.png", "new/folder", "x.npy"):
        assert ganbench("sample", asked.path, "--count", 20, "--out", out).code == 0
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        assert sheet.mode == "RGB"
        assert min(sheet.size) >= 3 * 16
    files = sorted((tmp_path / "new" / "folder").rglob("*.png"), key=lambda path: path.name)
    assert np.array_equal([np.asarray(Image.open(path)) for path in files], np.load(tmp_path / "x.npy"))


def test_one_of_each_label_in_the_order_asked_for(ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run) -> None:
    assert ganbench("sample", asked.path, "--out", "two.png", "--labels", "red,blue").code == 0
    expected = labelled_sheet(asked.sample(2, labels=np.array([2, 0])), (), ["red", "blue"])
    with Image.open(tmp_path / "two.png") as sheet:
        assert np.array_equal(np.asarray(sheet.convert("RGB")), np.asarray(expected.convert("RGB")))
    wrong = ganbench("sample", asked.path, "--out", "two.png")
    assert (wrong.code, "--count is needed" in wrong.err) == (2, True)


def test_a_folder_of_labelled_samples_has_the_names_of_the_classes(
    ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run
) -> None:
    assert ganbench("sample", asked.path, "--count", 20, "--out", "out", "--labels", "red,blue").code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"blue", "red"}


def test_samples_are_of_the_seed_and_checkpoint_asked_for(
    ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run
) -> None:
    ways = {"a": (), "b": (), "seed": ("--seed", 1), "round": ("--checkpoint", 2), "last": ("--checkpoint", "last")}
    for name, words in ways.items():
        assert ganbench("sample", asked.path, "--count", 4, "--out", f"{name}.npy", *words).code == 0
    made = {name: np.load(tmp_path / f"{name}.npy") for name in ways}
    assert np.array_equal(made["a"], made["b"])
    assert not np.array_equal(made["a"], made["seed"])
    assert not np.array_equal(made["last"], made["round"])


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        (("--out", "x.npz", "--labels", "rde"), "did you mean 'red'? (allowed: blue, green, red)"),
        (("--out", "x.npz", "--labels", "3,red"), "unknown label '3'"),
        (("--out", "x.csv"), ".npy, .npz, .png"),
        (("--out", "x.jpg"), ".npy, .npz, .png"),
        (("--out", "full"), "not empty"),
        (("--out", "x.npy", "--checkpoint", "77"), "77"),
    ],
)
def test_wrong_samples_get_a_sentence(
    ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run, words: tuple[str, ...], fragment: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    ended = ganbench("sample", asked.path, "--count", 4, *words)
    assert (ended.code, fragment in ended.err) == (2, True), ended.err
    assert not list(tmp_path.glob("x.*"))


def evaluated(ganbench: Callable[..., Outcome], *words: object) -> dict[str, Any]:
    ended = ganbench("evaluate", *words, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_a_run_and_its_samples_are_measured_alike(
    ganbench: Callable[..., Outcome], colours: Path, asked: Run, tmp_path: Path
) -> None:
    """As files and as PNGs; 24 images are half of the data."""
    for out in ("x.npz", "x.npy", "folder"):
        assert ganbench("sample", asked.path, "--count", 24, "--out", out).code == 0
    of_run = evaluated(ganbench, asked.path, "--against", colours)
    assert (of_run["count"], of_run["features"], of_run["against"]) == (24, "random-conv", str(colours))
    assert set(of_run["metrics"]) == set(of_run["floor"]) == DISTANCES | {"sliced_w"}
    assert of_run["metrics"]["fid"] > of_run["floor"]["fid"]
    for out in ("x.npz", "x.npy", "folder"):
        assert evaluated(ganbench, out, "--against", colours)["metrics"] == pytest.approx(of_run["metrics"], rel=1e-4)
    shown = ganbench("evaluate", asked.path, "--against", colours).out
    assert "24" in shown
    assert "random-conv" in shown
    assert "points" not in shown


def test_real_images_are_near_the_floor(ganbench: Callable[..., Outcome], tmp_path: Path) -> None:
    fresh = sources.digits(1000, 1)
    np.savez(tmp_path / "fresh.npz", samples=fresh.pixels)
    found = evaluated(ganbench, "fresh.npz", "--against", "digits")
    assert found["features"] == "digits-cnn"
    assert found["count"] == 1000
    assert 0 < found["metrics"]["fid"] < 2 * found["floor"]["fid"]
    assert found["metrics"]["coverage"] == pytest.approx(found["floor"]["coverage"], abs=0.05)
    assert found["metrics"]["modes"] == 10
    assert found["metrics"]["label_kl"] < 0.02


def test_samples_with_labels_are_read(ganbench: Callable[..., Outcome], tmp_path: Path) -> None:
    fresh = sources.digits(1000, 1)
    assert fresh.labels is not None
    for name, labels in (("right", fresh.labels), ("wrong", (fresh.labels + 1) % 10)):
        np.savez(tmp_path / f"{name}.npz", samples=fresh.pixels, labels=labels)
        found = evaluated(ganbench, f"{name}.npz", "--against", "digits")["metrics"]
        assert found["label_accuracy"] == pytest.approx({"right": 1, "wrong": 0}[name], abs=0.03)


@pytest.mark.parametrize("what", ["wide.npy", "moons"])
def test_other_things_are_not_measured(
    ganbench: Callable[..., Outcome], tmp_path: Path, colours: Path, what: str
) -> None:
    np.save(tmp_path / "wide.npy", np.zeros((20, 16, 24), np.uint8))
    ended = ganbench("evaluate", what, "--against", colours)
    assert ended.code == 2
    assert "colour images of 16 x 16" in ended.err
