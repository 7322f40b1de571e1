"""From Python: what the commands do is a function away."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from ganbench import api
from ganbench.cli import app
from ganbench.data.points import Modes, PointSet, moons
from ganbench.networks import MLP
from ganbench.recipes import Player, Recipe
from ganbench.types import UsageError

X = np.random.default_rng(0).normal(size=(200, 2)) * [1, 3] + [0, 100]
TINY = {"critic.network.widths": [8], "generator.network.widths": [8], "batch_size": 16, "rounds": 4}
QUICK = {"measure.count": 32, "measure.final": 32, "snapshot_every": 2, "progress": False}
SMALL = Recipe(critic=Player(network=MLP((8,))), generator=Player(network=MLP((8,))), batch_size=16, rounds=4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> api.Run:
    return api.fit("wgan-gp", X, tmp_path_factory.mktemp("api") / "run", **TINY, **QUICK)


def test_a_fit_ends_in_a_run(run: api.Run) -> None:
    assert (run.summary["status"], run.summary["rounds"]) == ("finished", 4)
    assert [row["round"] for row in run.metrics] == [0, 2, 4]
    assert [row["round"] for row in run.losses] == [1, 2, 3, 4]
    assert np.array_equal(run.data.points, X)
    assert str(run.path) in repr(run)


def test_an_array_and_a_tensor_are_the_same_data(run: api.Run, tmp_path: Path, undrawn: None) -> None:
    again = api.fit("wgan-gp", torch.from_numpy(X), tmp_path / "run", **TINY, **QUICK)
    assert again.summary["metrics"] == run.summary["metrics"]
    assert np.array_equal(again.sample(10), run.sample(10))


def test_a_run_on_an_array_is_repeated_from_its_configuration(run: api.Run, tmp_path: Path, undrawn: None) -> None:
    words = ["train", "--config", str(run.path / "config.yaml"), "--out", str(tmp_path / "again")]
    with pytest.raises(SystemExit) as ended:
        app(words)
    assert not ended.value.code
    assert api.load(tmp_path / "again").summary["metrics"] == run.summary["metrics"]


def test_without_a_folder_it_is_a_temporary_one(undrawn: None) -> None:
    first, second = (api.fit(SMALL, X, **QUICK).path for _ in range(2))
    assert first != second
    assert not first.is_relative_to(Path.cwd())


def test_samples(run: api.Run) -> None:
    points = run.sample(50, seed=3)
    assert points.shape == (50, 2)
    assert np.all(np.abs(points.mean(axis=0) - [0, 100]) < 5 * np.array([1, 3]))
    assert np.array_equal(run.sample(20, seed=3), points[:20])
    assert not np.array_equal(run.sample(50, seed=4), points)
    assert not np.array_equal(run.sample(50, seed=3, checkpoint=2), run.sample(50, seed=3, checkpoint=4))
    assert np.array_equal(run.sample(50, checkpoint="last"), run.sample(50, checkpoint=4))
    with pytest.raises(UsageError, match="2, 4"):
        run.sample(5, checkpoint=3)


def test_measurements(run: api.Run) -> None:
    assert run.measure(count=32, checkpoint="last") == run.summary["metrics"]["final"]
    assert run.measure(count=32, checkpoint="best") == run.summary["metrics"]["best"]
    far = run.measure(X + 1000, count=32)
    assert far["w1"] == pytest.approx(1000 * 2**0.5, rel=0.02)


def test_figures(run: api.Run) -> None:
    for figure in (run.scatter(), run.curves(), run.loss_curves()):
        assert isinstance(figure, Figure)
        assert figure.axes
        figure.canvas.draw()


def test_a_run_is_loaded_by_its_folder(run: api.Run) -> None:
    loaded = api.load(str(run.path))
    assert loaded.summary == run.summary
    assert np.array_equal(loaded.sample(10), run.sample(10))
    with pytest.raises(UsageError, match="no run here"):
        api.load(run.path.parent)


def test_round_by_round() -> None:
    bench = api.prepare("wgan-gp", X, **TINY)
    rounds = bench.play()
    first = next(rounds)
    assert (first.round, set(first.losses)) == (1, {"critic", "critic.gradient-penalty", "generator"})
    before = bench.sample(10)
    assert [report.round for report in rounds] == [2, 3, 4]
    assert bench.share == 1
    assert not np.array_equal(bench.sample(10), before)


def test_looking_changes_nothing() -> None:
    looked, played = (api.prepare("wgan-gp", X, **TINY) for _ in range(2))
    for _ in looked.play():
        looked.sample(10)
        looked.measure(32)
        looked.scatter(100)
        looked.estimate()
    for _ in played.play():
        pass
    assert np.array_equal(looked.sample(10), played.sample(10))


def test_a_recipe_with_changes_is_the_one_that_is_opened(tmp_path: Path, undrawn: None) -> None:
    run = api.fit(SMALL, X, tmp_path / "run", **QUICK, **{"generator.network.widths": [16], "seed": 3})
    assert run.sample(5).shape == (5, 2)
    assert run.measure(count=32, checkpoint="last") == run.summary["metrics"]["final"]
    assert np.array_equal(api.load(run.path).sample(5), run.sample(5))


def test_points_keep_their_names_and_modes(tmp_path: Path, undrawn: None) -> None:
    points = PointSet("mine", X, Modes(np.array([[0.0, 100.0]]), np.diag([1.0, 9.0])[None]), ("mass", "charge"))
    run = api.fit(SMALL, points, tmp_path / "run", **QUICK)
    assert run.summary["data"] == "mine"
    assert run.summary["metrics"]["floor"]["modes"] == 1
    for opened in (run, api.load(run.path)):
        assert opened.data.columns == ("mass", "charge")
        assert opened.measure(count=32, checkpoint="last") == run.summary["metrics"]["final"]


def test_evaluate(run: api.Run) -> None:
    found = api.evaluate(moons(count=600, seed=1).points, moons(count=3000))
    assert (found["what"], found["against"], found["count"]) == ("array", "moons", 600)
    assert found["metrics"].keys() == found["floor"].keys()
    assert found["metrics"]["w1"] == pytest.approx(found["floor"]["w1"], rel=0.3)
    ours = api.evaluate(run.path, X)
    assert ours["metrics"] == run.measure(count=100)
    with pytest.raises(UsageError, match="3 coordinates"):
        api.evaluate(np.zeros((50, 3)) + np.arange(50)[:, None], X)


def test_compare(tmp_path: Path, undrawn: None) -> None:
    changes = {name: value for name, value in (TINY | QUICK).items() if name not in ("rounds", "progress")}
    results = api.compare(
        {"named": "gan", "mine": SMALL}, X, tmp_path / "study", seeds=2, jobs=1, grid={"rounds": [2, 3]}, **changes
    )
    assert list(results.runs) == [f"{name}, rounds={rounds}" for name in ("named", "mine") for rounds in (2, 3)]
    assert all(run.status == "finished" for runs in results.runs.values() for run in runs)
    assert (tmp_path / "study" / "report.html").exists()
    run = results.runs["named, rounds=2"][0]
    assert api.load(run.folder.path).sample(5).shape == (5, 2)
