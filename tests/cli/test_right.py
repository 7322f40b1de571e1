"""Right `train` commands do what the contract says: the folder, its files and their numbers."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from ganbench.configuration import configure, from_flat, parse_change
from ganbench.optimizers import OPTIMIZERS
from ganbench.recipes import RECIPES
from ganbench.runs import RunFolder
from ganbench.settings import at
from ganbench.workbench import Workbench
from tests.cli.conftest import TINY
from tests.undrawn import draw_nothing

METRICS = {"w1", "w2", "sliced_w", "energy", "js", "kl"}
MODES = {"modes", "high_quality", "reverse_kl", "reverse_kl_off"}
ROUNDS = 3


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_nothing(monkeypatch)


@pytest.fixture
def train(ganbench: Callable, tmp_path: Path) -> Callable[..., RunFolder]:
    """Trains a tiny run and expects it to finish; gives its folder."""

    def trained(*words: object, rounds: int = ROUNDS) -> RunFolder:
        ended = ganbench("train", *TINY, *words, "--rounds", rounds, "--out", "run")
        assert ended.code == 0, ended.err
        run = RunFolder.open(tmp_path / "run")
        assert run.summary is not None
        assert run.summary["status"] == "finished"
        assert all(np.isfinite(v) for row in run.rows("metrics") for v in row.values())
        return run

    return trained


def written(run: RunFolder) -> dict[str, Any]:
    """`config.yaml` as any program would read it."""
    return yaml.safe_load((run.path / "config.yaml").read_text(encoding="utf-8"))


def test_a_run_is_the_folder_that_the_contract_describes(train: Callable[..., RunFolder]) -> None:
    run = train("gan", "--data", "letter-m", rounds=4)
    named = {path.name for path in run.path.iterdir() if not path.name.startswith(".")}
    folders, files = {"checkpoints", "samples", "figures"}, {"config.yaml", "report.html", "summary.json"}
    assert named - {"alarms.jsonl"} == folders | files | {"log.jsonl", "metrics.jsonl"}
    assert [row["round"] for row in run.rows("log")] == [1, 2, 3, 4]
    assert all(set(row) == {"round", "seconds", "critic", "generator"} for row in run.rows("log"))
    assert [row["round"] for row in run.rows("metrics")] == [0, 1, 2, 3, 4]
    assert all(set(row) == {"round", "seconds"} | METRICS | MODES for row in run.rows("metrics"))
    assert {path.suffix for path in run.checkpoints.iterdir()} == {".safetensors", ".json"}
    assert len(list(run.samples.iterdir())) == 5
    summary = run.summary or {}
    assert {"recipe", "data", "seed", "status", "rounds", "seconds", "metrics"} <= set(summary)
    assert (summary["recipe"], summary["data"], summary["seed"], summary["rounds"]) == ("gan", "letter-m", 0, 4)
    assert set(summary["metrics"]) == {"final", "best", "floor"}
    assert all(set(metrics) == METRICS | MODES for metrics in summary["metrics"].values())
    assert summary["seconds"] == run.rows("log")[-1]["seconds"]
    html = (run.path / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r'\bsrc="([^":]*:)', html)) == {"data:"}


@pytest.mark.parametrize("recipe", [name for name, makers in RECIPES.items() if "points" in makers])
def test_every_recipe_trains(train: Callable[..., RunFolder], undrawn: None, recipe: str) -> None:
    run = train(recipe, "--data", "moons", rounds=2)
    assert (run.summary or {})["recipe"] == recipe


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_trains(train: Callable[..., RunFolder], undrawn: None, optimizer: str) -> None:
    both = (f"critic.optimizer={optimizer}", "--set", f"generator.optimizer={optimizer}")
    tree = written(train("gan", "--data", "moons", "--set", *both, rounds=2))
    assert [tree[player]["optimizer"]["kind"] for player in ("critic", "generator")] == [optimizer] * 2


def test_the_pictures_fit_the_recipe(train: Callable[..., RunFolder]) -> None:
    figures = train("wgan", "--data", "moons", rounds=2).figures
    for name in ("scatter", "metrics", "losses", "weights", "estimate"):
        with Image.open(figures / f"{name}.png") as picture:
            picture.verify()
    with Image.open(figures / "training.webp") as film:
        assert film.n_frames == 3  # type: ignore[attr-defined]


def test_without_a_recipe_it_is_best_in_a_folder_of_its_own(ganbench: Callable, tmp_path: Path, undrawn: None) -> None:
    for name in ("moons-best-0", "moons-best-0-2"):
        ended = ganbench("train", "--data", "moons", *TINY, "--rounds", 2)
        assert ended.code == 0
        assert str(tmp_path / "runs" / name) in ended.out


SETTINGS: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    ("gan", ("--seed", "7"), {"seed": 7}),
    ("gan", ("--threads", "2"), {"threads": 2}),
    ("gan", ("--device", "cpu", "--precision", "bf16"), {"device": "cpu", "precision": "bf16"}),
    ("gan", ("--snapshot-every", "2"), {"snapshot_every": 2}),
    ("gan", ("--set", "critic.optimizer.lr=1e-3"), {"critic.optimizer.lr": 0.001}),
    ("gan", ("--set", "critic.optimizer=rmsprop"), {"critic.optimizer.kind": "rmsprop"}),
    ("gan", ("--set", "critic.optimizer={kind: sgd, lr: 0.5}"), {"critic.optimizer": {"kind": "sgd", "lr": 0.5}}),
    ("gan", ("--set", "critic.optimizer=sgd", "--set", "critic.optimizer.lr=0.5"), {"critic.optimizer.lr": 0.5}),
    ("gan", ("--set", "critic.rate={kind: cosine, final: 0.1}"), {"critic.rate.final": 0.1}),
    ("gan", ("--set", "critic.network.widths=16"), {"critic.network.widths": [16]}),
    ("gan", ("--set", "critic.network.features={scales: [1], count: 4}"), {"critic.network.features.count": 4}),
    ("gan", ("--set", "prior.distribution=sphere", "--set", "prior.dimension=3"), {"prior.dimension": 3}),
    ("gan", ("--set", "objective={kind: least-squares, aim: 0}"), {"objective.aim": 0.0}),
    ("gan", ("--set", "average=decay"), {"average": {"kind": "decay", "decay": 0.999}}),
    ("best", ("--set", "average=null"), {"average": None}),
    ("gan", ("--set", "critic.constraints.norm=spectral-norm"), {"critic.constraints.norm.kind": "spectral-norm"}),
    ("pacgan", ("--set", "wrappers.pack.count=4"), {"wrappers.pack.count": 4}),
    ("pacgan", ("--set", "wrappers.pack=null"), {"wrappers": {}}),
    ("gan", ("--set", "turns.first=generator"), {"turns.first": "generator"}),
]


@pytest.mark.parametrize(("recipe", "words", "expected"), SETTINGS, ids=[" ".join(words) for _, words, _ in SETTINGS])
def test_settings_reach_the_configuration(
    train: Callable[..., RunFolder], undrawn: None, recipe: str, words: tuple[str, ...], expected: dict[str, Any]
) -> None:
    tree = written(train(recipe, "--data", "moons", *words))
    for name, value in expected.items():
        found = at(tree, name)
        assert found == value if not isinstance(value, dict) else value.items() <= found.items()


def test_the_configuration_is_complete_and_reads_back(train: Callable[..., RunFolder], undrawn: None) -> None:
    changes = ["critic.terms.r2={kind: gradient-penalty, where: fake, target: 0}", "turns.opening=[{rounds: 1}]"]
    run = train("wgan-gp", "--data", "moons", *(word for change in changes for word in ("--set", change)))
    sets = [parse_change(word) for word in (*TINY[1:-2:2], *changes)]
    asked = configure("wgan-gp", "moons", changes=[*sets, ("batch_size", 16), ("rounds", ROUNDS)])
    assert from_flat(written(run)) == asked == run.configuration
    assert asked.tree() == written(run)


def test_terms_come_and_go(train: Callable[..., RunFolder], tmp_path: Path, undrawn: None) -> None:
    r1 = "critic.terms.r1={kind: gradient-penalty, where: real, target: 0, weight: 1}"
    run = train("wgan-gp", "--data", "moons", "--set", "critic.terms.gradient-penalty=null", "--set", r1)
    assert set(run.rows("log")[-1]) == {"round", "seconds", "critic", "generator", "critic.r1"}
    assert list(written(run)["critic"]["terms"]) == ["r1"]


def test_turns_are_played_as_set(train: Callable[..., RunFolder], undrawn: None) -> None:
    run = train("gan", "--data", "moons", "--set", "turns.opening=[{rounds: 2, critic: 4}]", rounds=3)
    facts = run.checkpoint("last").facts
    assert (facts["critic_turns"], facts["generator_turns"]) == (2 * 4 + 1, 3)


def test_minutes_are_minutes_of_training(ganbench: Callable, tmp_path: Path, undrawn: None) -> None:
    assert ganbench("train", "gan", "--data", "moons", *TINY, "--minutes", 0.02, "--out", "run").code == 0
    run = RunFolder.open(tmp_path / "run")
    assert (run.summary or {})["status"] == "finished"
    *_, before, last = run.rows("log")
    assert before["seconds"] < 60 * 0.02 <= last["seconds"] == (run.summary or {})["seconds"]
    assert written(run)["minutes"] == 0.02


def test_seconds_count_training_alone(
    train: Callable[..., RunFolder], undrawn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that a round moves by 1 and a measurement by 1000."""
    clock = [0.0]

    def moving(by: float, work: Callable) -> Callable:
        def moved(*args: Any) -> Any:
            clock[0] += by
            return work(*args)

        return moved

    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr("ganbench.training.play_round", moving(1, sys.modules["ganbench.training"].play_round))
    monkeypatch.setattr(Workbench, "measure", moving(1000, Workbench.measure))
    run = train("gan", "--data", "moons", rounds=4)
    assert [row["seconds"] for row in run.rows("log")] == [1, 2, 3, 4]
    assert [row["seconds"] for row in run.rows("metrics")] == [0, 1, 2, 3, 4]
    assert (run.summary or {})["seconds"] == 4


@pytest.mark.parametrize("dimension", [1, 3, 5])
def test_data_of_any_dimension(train: Callable[..., RunFolder], tmp_path: Path, dimension: int) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(200, dimension)))
    run = train("gan", "--data", "x.npy")
    assert METRICS - {"js", "kl"} <= set((run.summary or {})["metrics"]["final"])
    assert {path.name for path in run.figures.iterdir()} >= {"scatter.png", "training.webp"}


X = np.random.default_rng(0).normal(size=(200, 2)) * [1, 3] + [0, 2]


@pytest.mark.parametrize("points", [X[:16], np.c_[X, np.full(200, 7.0)], np.round(X)], ids=["16", "constant", "few"])
def test_odd_data(train: Callable[..., RunFolder], tmp_path: Path, undrawn: None, points: np.ndarray) -> None:
    np.save(tmp_path / "x.npy", points)
    assert (train("gan", "--data", "x.npy").summary or {})["metrics"]["floor"]["w1"] > 0


@pytest.mark.parametrize(("scale", "shift"), [(1e6, 0.0), (1e-6, 0.0), (1.0, 1e6)])
def test_metrics_are_in_the_datas_units(
    train: Callable[..., RunFolder], tmp_path: Path, undrawn: None, scale: float, shift: float
) -> None:
    """A distance in metres is a thousand in millimetres: the networks see the same standardised points."""
    found = []
    for name, points in (("plain", X), ("changed", X * scale + shift)):
        np.save(tmp_path / f"{name}.npy", points)
        found.append((train("gan", "--data", f"{name}.npy").summary or {})["metrics"])
        (tmp_path / "run").rename(tmp_path / name)
    for which in ("final", "best", "floor"):
        for metric, unit in (("w1", scale), ("w2", scale), ("sliced_w", scale), ("energy", scale), ("js", 1.0)):
            assert found[1][which][metric] == pytest.approx(unit * found[0][which][metric], rel=1e-3)
