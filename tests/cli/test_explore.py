"""`ganbench explore` on small runs, on a generator of one's own, and used wrongly."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganbench.api import Run, fit
from ganbench.data import ImageSet
from ganbench.explore.pages import HEADER
from tests.explore.made import NOISE, stroke
from tests.undrawn import draw_nothing

SMALL: dict[str, Any] = {"rounds": 3, "batch_size": 16, "measure": {"count": 32, "final": 32}}
OF_IMAGES = {f"{side}.network.channels": 4 for side in ("critic", "generator")} | {
    "features": "random-conv",
    "prior.dimension": 9,
}
RNG = np.random.default_rng(0)
LABELLED = ImageSet(
    "shades", RNG.integers(0, 256, (64, 16, 16), dtype=np.uint8), np.arange(64) % 3, ("dark", "grey", "light")
)
COLOURS = RNG.integers(0, 256, (64, 16, 24, 3), dtype=np.uint8)

OWN = """
import torch
from torch import nn
from tests.explore.made import NOISE, Stroke

def generator():
    return Stroke(), NOISE

def broken():
    raise FileNotFoundError("weights.pt is not here")

def alone():
    return Stroke()

def points():
    return nn.Linear(6, 2), 6

class Styled(nn.Module):
    def mapping(self, z):
        return z

    def synthesis(self, w):
        return w.tanh().reshape(-1, 1, 2, 3)

def mapped():
    return Styled(), 6

def normed():
    return nn.Sequential(torch.nn.utils.weight_norm(nn.Linear(6, 64)), nn.Unflatten(1, (1, 8, 8)), nn.Tanh()), 6

def numpys():
    import numpy
    return Stroke(), numpy.int64(NOISE)

def fraction():
    return Stroke(), 6.0

def tensor():
    return Stroke(), torch.randn(6)
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        small = {**SMALL, **OF_IMAGES}
        return {
            "colours": fit("gan", COLOURS, folder / "colours", progress=False, **small),
            "labels": fit("cgan", LABELLED, folder / "labels", progress=False, **small),
            "points": fit("gan", RNG.normal(size=(200, 2)), folder / "points", progress=False, **SMALL),
        }


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of one's own in the working folder, read anew by each test."""
    (tmp_path / "mine.py").write_text(OWN)
    monkeypatch.delitem(__import__("sys").modules, "mine", raising=False)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def expected(count: int) -> set[str]:
    pictures = {f"direction-{i + 1}.{kind}" for i in range(count) for kind in ("png", "webp")}
    return pictures | {"directions.json", "explore.html", "interpolation.webp"}


def index(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "directions.json").read_text())


@pytest.mark.parametrize(("case", "method"), [("colours", "sefa"), ("labels", "pca"), ("labels", "supervised")])
def test_a_run_is_explored(ganbench: Callable, tmp_path: Path, runs: dict[str, Run], case: str, method: str) -> None:
    ended = ganbench("explore", runs[case].path, "--out", "e", "--method", method, "--directions", 3)
    assert ended.code == 0, ended.err
    out = tmp_path / "e"
    assert files(out) == expected(3)
    lines = ended.out.splitlines()
    assert lines[1].split()[:2] == list(HEADER[:2])
    assert lines[5].startswith("random")
    found = index(out)
    assert (found["method"], found["noise"], found["seed"], found["finished"]) == (method, 9, 0, True)
    assert sorted(entry["direction"] for entry in found["directions"]) == [1, 2, 3]
    vectors = np.array([entry["vector"] for entry in found["directions"]])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1)
    if method == "sefa":
        np.testing.assert_allclose(vectors @ vectors.T, np.eye(3), atol=1e-6)
    for entry in found["directions"]:
        assert set(entry["changes"]) == set(found["attributes"]) == set(found["random"]["change"])
        assert f"{entry['direction']}" in lines[2 + found["directions"].index(entry)].split()[0]
    random = found["random"]["change"]["brightness"]
    assert random["low"] <= random["mean"] <= random["high"]


def test_the_page_is_whole_and_offline(ganbench: Callable, tmp_path: Path, runs: dict[str, Run]) -> None:
    assert ganbench("explore", runs["labels"].path, "--out", "e", "--directions", 2).code == 0
    page = (tmp_path / "e" / "explore.html").read_text()
    assert len(page) < 5_000_000
    assert page.count('type="range"') == 2
    assert page.count("<script>") == 1
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page)
    assert "script-src 'sha256-" in page


def test_strips_show_a_row_a_label(ganbench: Callable, tmp_path: Path, runs: dict[str, Run]) -> None:
    run = runs["labels"]
    assert ganbench("explore", run.path, "--out", "e", "--directions", 1).code == 0
    with Image.open(tmp_path / "e" / "direction-1.png") as strip:
        assert strip.mode == "L"
        assert strip.width > 11 * 16
    subject, _ = run.subject()
    latent = subject.rows(0)
    assert latent.y is not None
    assert latent.y.tolist() == [0, 1, 2]


def test_the_same_seed_writes_the_same_numbers(ganbench: Callable, tmp_path: Path, runs: dict[str, Run]) -> None:
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert ganbench("explore", runs["colours"].path, "--out", out, "--directions", 2, "--seed", seed).code == 0
    a, b, c = (index(tmp_path / out) for out in "abc")
    assert a == b
    assert a["random"] != c["random"]
    assert (tmp_path / "a" / "direction-1.png").read_bytes() == (tmp_path / "b" / "direction-1.png").read_bytes()


def test_an_exploration_is_replaced_and_what_is_not_its_own_stays(
    ganbench: Callable, tmp_path: Path, runs: dict[str, Run]
) -> None:
    assert ganbench("explore", runs["colours"].path, "--out", "e", "--directions", 3).code == 0
    (tmp_path / "e" / "notes.txt").write_text("mine")
    assert ganbench("explore", runs["colours"].path, "--out", "e", "--directions", 1).code == 0
    assert files(tmp_path / "e") == {*expected(1), "notes.txt"}


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("function", ["generator", "numpys"])
def test_a_generator_trained_elsewhere_is_explored(ganbench: Callable, tmp_path: Path, function: str) -> None:
    ended = ganbench("explore", "--generator", f"mine:{function}", "--out", "e", "--directions", 2)
    assert ended.code == 0, ended.err
    names = {entry["direction"]: entry["name"] for entry in index(tmp_path / "e")["directions"]}
    assert names[1] == "brightness"
    assert index(tmp_path / "e")["found_in"] == "module.first"
    with Image.open(tmp_path / "e" / "direction-1.webp") as film:
        assert getattr(film, "n_frames", 1) > 11


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("mine", "write module:function"),
        (":generator", "write module:function"),
        ("nowhere_at_all:generator", "No module named 'nowhere_at_all'"),
        ("mine:generatr", "has no attribute 'generatr'"),
        ("mine:broken", "FileNotFoundError: weights.pt is not here"),
        ("mine:alone", "is to return a torch.nn.Module and the dimension of its noise"),
        ("mine:points", "gives finite images"),
        ("mine:mapped", "one w for each layer, (batch, layers, width), not (2, 6)"),
        ("mine:normed", "remove_weight_norm"),
        ("mine:fraction", "not (Stroke, float)"),
        ("mine:tensor", "not (Stroke, Tensor)"),
    ],
)
def test_a_wrong_generator_is_named(ganbench: Callable, tmp_path: Path, spec: str, sentence: str) -> None:
    ended = ganbench("explore", "--generator", spec, "--out", "e")
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--method", "sfea"], "did you mean 'sefa'"),
        (["--directions", "10"], "--directions 10: the noise has 9 dimensions, so from 1 to 9 are allowed"),
        (["--directions", "0"], "--directions 0"),
        (["--checkpoint", "99"], "no whole checkpoint 99"),
        (["--layer", "body.dense.00"], "did you mean 'body.dense.0'"),
        (["--method", "supervised", "--layer", "body"], "the method supervised looks at no layer"),
        (["--generator", "mine:generator"], "one of the two"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_wrong_words_are_named(
    ganbench: Callable, tmp_path: Path, runs: dict[str, Run], words: list[str], sentence: str
) -> None:
    ended = ganbench("explore", runs["labels"].path, "--out", "e", *words)
    assert ended.code == 2
    assert sentence in ended.err
    assert not (tmp_path / "e").exists()


@pytest.mark.usefixtures("own")
def test_a_generator_of_ones_own_has_no_checkpoints(ganbench: Callable) -> None:
    ended = ganbench("explore", "--generator", "mine:generator", "--out", "e", "--checkpoint", "last")
    assert ended.code == 2
    assert "--checkpoint is for a run" in ended.err


@pytest.mark.usefixtures("own")
def test_images_are_looked_for_in_the_noise(ganbench: Callable, tmp_path: Path) -> None:
    """In the size and colours of the generator's, each with its error; a later exploration takes their files away."""
    wanted, subject = tmp_path / "wanted", stroke()
    (wanted / "below").mkdir(parents=True)
    Image.fromarray(subject.images(subject.latents(1, seed=5))[0]).save(wanted / "below" / "made.png")
    Image.new("RGB", (40, 30), "white").save(wanted / "white.png")
    explore = ("explore", "--generator", "mine:generator", "--out", "e", "--directions", 1)
    ended = ganbench(*explore, "--project", wanted)
    assert ended.code == 0, ended.err
    assert files(tmp_path / "e") == expected(1) | {"projection.png", "projection.json"}
    found = {Path(entry["image"]).name: entry for entry in json.loads((tmp_path / "e" / "projection.json").read_text())}
    assert found["made.png"]["error"] < 0.01
    assert found["white.png"]["error"] > 0.5
    assert len(found["made.png"]["noise"]) == NOISE
    assert f"{found['white.png']['image']}\t{found['white.png']['error']:.3f}" in ended.out
    assert ganbench(*explore).code == 0
    assert files(tmp_path / "e") == expected(1)


@pytest.mark.parametrize(
    ("case", "file", "sentence"),
    [
        ("colours", "nowhere.png", "there is no such image"),
        ("colours", "square.png", "is of another size than the 24 x 16 that gan"),
        ("labels", "square.png", "put the image in a folder that is called as its class, such as dark"),
    ],
)
def test_images_that_cannot_be_looked_for_are_told_before_the_work(
    ganbench: Callable, tmp_path: Path, runs: dict[str, Run], case: str, file: str, sentence: str
) -> None:
    Image.new("RGB", (40, 40), "red").save(tmp_path / "square.png")
    ended = ganbench("explore", runs[case].path, "--out", "e", "--project", file)
    assert ended.code == 2
    assert sentence in ended.err
    assert not (tmp_path / "e").exists()


def test_neither_a_run_nor_a_generator(ganbench: Callable) -> None:
    ended = ganbench("explore", "--out", "e")
    assert ended.code == 2
    assert "a run's folder or --generator" in ended.err


def test_a_folder_without_a_run_or_without_a_checkpoint(
    ganbench: Callable, tmp_path: Path, runs: dict[str, Run]
) -> None:
    assert "there is no run here" in ganbench("explore", "nowhere", "--out", "e").err
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.yaml", "data.npz"):
        (bare / name).write_bytes((runs["labels"].path / name).read_bytes())
    ended = ganbench("explore", bare, "--out", "e")
    assert ended.code == 2
    assert "no whole checkpoint 'best'" in ended.err


def test_a_run_on_points_is_refused(ganbench: Callable, runs: dict[str, Run]) -> None:
    ended = ganbench("explore", runs["points"].path, "--out", "e")
    assert ended.code == 2
    assert "exploring is for generators of images" in ended.err


def test_a_place_that_is_taken_is_left_alone(ganbench: Callable, tmp_path: Path, runs: dict[str, Run]) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "directions.json").write_text("[1, 2]")
    for out, sentence in (("file", "is a file"), ("full", "holds no exploration"), (runs["points"].path, "holds no")):
        ended = ganbench("explore", runs["labels"].path, "--out", out)
        assert ended.code == 2
        assert sentence in ended.err
    assert files(tmp_path / "full") == {"directions.json"}


def test_from_python(tmp_path: Path, runs: dict[str, Run]) -> None:
    found = runs["labels"].explore(tmp_path / "e", "pca", 2, layer="body.rest.2")
    assert files(tmp_path / "e") == expected(2)
    assert found.directions.found_in == "body.rest.2"
    assert found.directions.vectors.shape == (2, 9)
