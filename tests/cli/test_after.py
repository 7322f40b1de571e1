"""Right commands on what there is: samples of a run, measurements, data, recipes, help."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganbench import __version__
from ganbench.api import fit
from ganbench.configuration import parse_change
from ganbench.data import BUILT_IN
from ganbench.data.points import moons
from ganbench.recipes import RECIPES
from tests.cli.conftest import TINY

METRICS = ["w1", "w2", "sliced_w", "energy", "js", "kl"]
ROUNDS = 3


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on points far from the origin, with the names of their coordinates."""
    folder = tmp_path_factory.mktemp("run")
    points = np.random.default_rng(0).normal(size=(300, 2)) * [1, 10] + [1000, -50]
    np.savetxt(folder / "far.csv", points, delimiter=",", header='"mass, kg",charge', comments="")
    changes = dict(parse_change(word) for word in TINY[1:-2:2])
    fit("gan", folder / "far.csv", folder / "run", progress=False, rounds=ROUNDS, batch_size=16, **changes)
    return folder / "run"


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_samples_are_points_in_the_datas_units(ganbench: Callable, tmp_path: Path, run: Path, suffix: str) -> None:
    out = tmp_path / "new" / f"samples{suffix}"
    assert ganbench("sample", run, "--count", 50, "--out", out).code == 0
    if suffix == ".csv":
        header, *rows = csv.reader(out.read_text().splitlines())
        assert header == ["mass, kg", "charge"]
        points = np.array(rows, dtype=float)
    else:
        loaded = np.load(out)
        points = loaded if suffix == ".npy" else loaded["samples"]
    assert points.shape == (50, 2)
    assert np.all(np.abs(points.mean(axis=0) - [1000, -50]) < 5 * np.array([1, 10]))


def test_samples_as_a_picture(ganbench: Callable, tmp_path: Path, run: Path) -> None:
    assert ganbench("sample", run, "--count", 50, "--out", "new/samples.png").code == 0
    with Image.open(tmp_path / "new" / "samples.png") as picture:
        assert min(picture.size) > 200


@pytest.mark.parametrize("suffix", [".npy", ".png"])
def test_the_seed_decides_the_samples(ganbench: Callable, tmp_path: Path, run: Path, suffix: str) -> None:
    for i, seed in enumerate((4, 4, 5)):
        assert ganbench("sample", run, "--count", 50, "--seed", seed, "--out", f"{i}{suffix}").code == 0
    a, b, c = ((tmp_path / f"{i}{suffix}").read_bytes() for i in range(3))
    assert a == b
    assert a != c


def test_samples_of_a_checkpoint(ganbench: Callable, tmp_path: Path, run: Path) -> None:
    best = json.loads((run / "checkpoints" / "best.json").read_text())["round"]
    found = {}
    for which in ("best", "last", str(best), str(ROUNDS), str(ROUNDS - 1)):
        ended = ganbench("sample", run, "--count", 5, "--checkpoint", which, "--out", f"{which}.npy")
        assert ended.code == 0, ended.err
        found[which] = np.load(tmp_path / f"{which}.npy")
    assert np.array_equal(found["best"], found[str(best)])
    assert np.array_equal(found["last"], found[str(ROUNDS)])
    assert not np.array_equal(found["last"], found[str(ROUNDS - 1)])


def test_samples_in_csv_lose_nothing(ganbench: Callable, tmp_path: Path, run: Path) -> None:
    for suffix in ("npy", "csv"):
        assert ganbench("sample", run, "--count", 20, "--out", f"x.{suffix}").code == 0
    assert np.array_equal(np.loadtxt(tmp_path / "x.csv", delimiter=",", skiprows=1), np.load(tmp_path / "x.npy"))


def evaluated(ganbench: Callable, *words: object) -> dict[str, Any]:
    ended = ganbench("evaluate", *words, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.mark.parametrize("file", ["x.npy", "x.npz", "x.csv"])
def test_real_points_are_near_the_floor(ganbench: Callable, tmp_path: Path, file: str) -> None:
    """Fresh points of the very distribution are what the floor is the metric of."""
    fresh = moons(count=400, seed=1).points
    np.save(tmp_path / "x.npy", fresh)
    np.savez(tmp_path / "x.npz", samples=fresh)
    np.savetxt(tmp_path / "x.csv", fresh, delimiter=",", fmt="%.17g")
    found = evaluated(ganbench, file, "--against", "moons")
    assert (found["what"], found["against"], found["count"]) == (file, "moons", 400)
    assert list(found["metrics"]) == list(found["floor"]) == METRICS
    for metric in ("w1", "w2", "js"):
        assert found["metrics"][metric] == pytest.approx(found["floor"][metric], rel=0.3)


def test_a_run_is_measured_beside_the_floor(ganbench: Callable, run: Path) -> None:
    source = run.parent / "far.csv"
    found = evaluated(ganbench, run, "--against", source)
    assert list(found["metrics"]) == list(found["floor"]) == METRICS
    assert found["count"] == 150  # half of the data
    assert found["metrics"]["w1"] > found["floor"]["w1"]
    shown = ganbench("evaluate", run, "--against", source)
    assert [line.split()[0] for line in shown.out.splitlines()[2:]] == METRICS
    assert f"{found['metrics']['w1']:.4g}" in shown.out


def test_a_runs_samples_are_measured_as_the_run_is(ganbench: Callable, run: Path) -> None:
    source = run.parent / "far.csv"
    assert ganbench("sample", run, "--count", 150, "--out", "x.npy").code == 0
    assert evaluated(ganbench, "x.npy", "--against", source)["metrics"] == pytest.approx(
        evaluated(ganbench, run, "--against", source)["metrics"]
    )


def test_a_collapsed_generators_samples_are_measured(ganbench: Callable, tmp_path: Path) -> None:
    """From one place to points on a circle around it the way is the radius."""
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 64)
    np.save(tmp_path / "circle.npy", 1 + 5 * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    np.save(tmp_path / "center.npy", np.ones((64, 2)))
    found = evaluated(ganbench, "center.npy", "--against", "circle.npy")["metrics"]
    assert (found["w1"], found["w2"]) == pytest.approx((5, 5))


def test_the_data_are_listed_and_described(ganbench: Callable, tmp_path: Path, run: Path) -> None:
    listed = ganbench("data", "list")
    assert [line.split()[0] for line in listed.out.splitlines()[: len(BUILT_IN)]] == list(BUILT_IN)
    described = ganbench("data", "describe", run.parent / "far.csv", "--out", "new/far.png")
    assert described.code == 0, described.err
    lines = described.out.splitlines()
    assert "300 points of 2 coordinates" in lines[0]
    mass = next(line for line in lines if line.startswith("mass"))
    assert float(mass[12:24]) == pytest.approx(1000, abs=1)
    assert {line.split()[0] for line in lines if line.startswith("  ")} >= set(METRICS)
    with Image.open(tmp_path / "new" / "far.png") as picture:
        picture.verify()


def test_the_recipes_are_listed_and_shown(ganbench: Callable) -> None:
    assert [line.split()[0] for line in ganbench("recipes").out.splitlines()] == list(RECIPES)
    shown = ganbench("recipes", "wgan-gp").out
    assert "arXiv:1704.00028" in shown
    for field in ("critic.terms.gradient-penalty.weight = 0.1", "turns.critic = 5", "critic.optimizer.lr = 0.0001"):
        assert field in shown


@pytest.mark.parametrize("words", [("train",), ("sample",), ("evaluate",), ("compare",), ("recipes",), ("demo",)])
def test_every_command_has_its_help(ganbench: Callable, words: tuple[str, ...]) -> None:
    shown = ganbench(*words, "--help")
    assert shown.code == 0
    assert f"ganbench {words[0]} " in shown.out


def test_the_version(ganbench: Callable) -> None:
    assert ganbench("--version").out == f"ganbench {__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    """Which is why it answers at once."""
    script = (
        "import sys; from ganbench.cli import main; sys.argv = ['ganbench', '--help']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(sorted({'torch', 'numpy', 'scipy', 'matplotlib', 'pydantic'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
