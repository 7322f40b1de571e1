"""A search end to end: what it tries, what it finds, what it does not do twice, and how it says no."""

import json
import math
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import yaml

from ganbench.cli import main
from ganbench.configuration import configure
from ganbench.data import load_points
from ganbench.locks import alone
from ganbench.settings import at
from ganbench.workbench import Workbench
from tests.studies.conftest import SMALL
from tests.tuning.conftest import COMMAND, ROUNDS, SERIAL, shuffle_little, table, timeless
from tests.undrawn import draw_nothing

TRIALS = 12
KEYS = [
    "turns.critic", "critic.optimizer.lr", "critic.optimizer.betas", "generator.optimizer.lr",
    "generator.optimizer.betas",
]  # fmt: skip
"""What is searched: widths are set, and so not searched."""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished search, as the command leaves it."""
    path = tmp_path_factory.mktemp("tune")
    with pytest.MonkeyPatch.context() as monkeypatch:
        draw_nothing(monkeypatch)
        shuffle_little(monkeypatch)
        monkeypatch.chdir(path)
        monkeypatch.setattr(sys, "argv", ["ganbench", *SERIAL, "--trials", str(TRIALS), "--confirm", "2"])
        with pytest.raises(SystemExit, match="0"):
            main()
    return path / "search"


@pytest.fixture
def copy(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "search"))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def value(settings: dict) -> float:
    """The geometric mean of the last W1 over two seeds, by trainings one after the other."""
    logs = []
    for seed in (0, 1):
        changes = {**SMALL, "rounds": ROUNDS, **settings, "seed": seed}
        bench = Workbench(configure("gan", "moons", changes=changes.items()), load_points("moons"))
        for _ in bench.play():
            pass
        logs.append(math.log(bench.measure()["w1"]))
    return math.exp(sum(logs) / 2)


def test_the_first_trial_is_the_recipe_as_it_is(done: Path) -> None:
    first, own = table(done)[0], configure("gan", "moons").tree()
    assert list(first) == ["trial", "state", "w1", "snapshots", "rounds", "seconds", *KEYS]
    assert {key: yaml.safe_load(first[key]) for key in KEYS} == {key: at(own, key) for key in KEYS}
    assert float(first["w1"]) == pytest.approx(value({}), rel=1e-9)


def test_the_best_is_the_lowest_and_comes_again_by_its_settings(done: Path) -> None:
    best = json.loads((done / "summary.json").read_text())["best"]
    finished = {int(row["trial"]): float(row["w1"]) for row in table(done) if row["state"] == "finished"}
    assert (best["trial"], best["value"]) == min(finished.items(), key=lambda item: item[1])
    assert best["value"] == pytest.approx(value(best["settings"]), rel=1e-9)


def test_a_pruned_trial_was_behind_the_median_and_played_fewer_rounds(done: Path) -> None:
    rows = table(done)
    assert {row["state"] for row in rows} == {"finished", "pruned"}
    for row in rows:
        assert int(row["rounds"]) == ROUNDS * int(row["snapshots"]) // 8
        assert (row["state"] == "pruned") == (int(row["snapshots"]) < 8)
    assert all(row["state"] == "finished" for row in rows[:5])


def test_the_best_settings_are_confirmed_on_seeds_of_their_own(done: Path) -> None:
    summary = json.loads((done / "summary.json").read_text())
    runs = sorted((done / "confirm" / "runs").iterdir())
    found = f"gan-trial-{summary['best']['trial']}"
    assert [run.name for run in runs] == [f"{cell}-seed{seed}" for cell in ("gan", found) for seed in (1000, 1001)]
    settings = yaml.safe_load((runs[-1] / "config.yaml").read_text())
    assert {key: at(settings, key) for key in KEYS} == summary["best"]["settings"]
    own, tuned = (cell["metrics"]["w1"]["mean"] for cell in summary["confirmation"]["cells"])
    measured = [json.loads((run / "summary.json").read_text())["metrics"]["final"]["w1"] for run in runs]
    assert (own, tuned) == (pytest.approx(np.mean(measured[:2])), pytest.approx(np.mean(measured[2:])))


def test_the_command_trains_with_the_best_settings(ganbench: Callable, done: Path, undrawn: None) -> None:
    summary = json.loads((done / "summary.json").read_text())
    words = shlex.split(summary["command"])
    assert ganbench(*words[1:], "--out", "run").code == 0
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    assert {key: at(config, key) for key in KEYS} == summary["best"]["settings"]
    assert config["rounds"] == ROUNDS
    assert config["measure"] == {"count": 64, "final": 64}


def test_the_report_is_one_file_with_all_that_was_found(done: Path) -> None:
    html = (done / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'\b(?:src|href|poster|action)\s*=\s*"([^":]*:?)', html)
    assert {source for source in sources if not source.startswith("#")} == {"data:"}
    assert html.count("image/png") == 4  # fresh seeds, importance, settings, history
    summary, html = json.loads((done / "summary.json").read_text()), unescape(html)
    for sentence in (*summary["conclusions"], *summary["confirmation"]["conclusions"], summary["command"]):
        assert sentence in html


def test_the_same_command_makes_the_same_trials(ganbench: Callable, done: Path, tmp_path: Path) -> None:
    assert ganbench(*SERIAL, "--trials", TRIALS).code == 0
    assert timeless(table(tmp_path / "search")) == timeless(table(done))


def test_a_finished_search_is_not_done_again_and_goes_on_to_more(ganbench: Callable, copy: Path) -> None:
    before = contents(copy / "confirm")
    again = ganbench(*SERIAL, "--trials", TRIALS, "--confirm", 2)
    assert (again.code, again.err) == (0, "")
    assert {path: held for path, held in contents(copy / "confirm").items() if "runs" in path.parts} == {
        path: held for path, held in before.items() if "runs" in path.parts
    }
    rows = table(copy)
    assert ganbench(*SERIAL, "--trials", TRIALS + 2).code == 0
    assert (table(copy)[:TRIALS], len(table(copy))) == (rows, TRIALS + 2)


@pytest.mark.parametrize(
    "other",
    [
        ("--rounds", "17"), ("--seeds", "3"), ("--set", "critic.optimizer=sgd"), ("--search", "turns.critic=none"),
        ("--data", "ring8"), ("--storage", "sqlite:///elsewhere.db"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_another_search_is_not_mixed_in(ganbench: Callable, copy: Path, other: tuple) -> None:
    before = contents(copy)
    refused = ganbench(*SERIAL, "--trials", TRIALS, *other)
    assert refused.code == 2, refused.err
    assert contents(copy) == before


def test_a_search_that_is_at_work_is_left_alone(ganbench: Callable, copy: Path) -> None:
    with alone(copy):
        before = contents(copy)
        refused = ganbench(*SERIAL, "--trials", TRIALS + 1)
        assert (refused.code, refused.err) == (2, "ganbench: another process is at work on search\n")
        assert contents(copy) == before
    assert ganbench(*SERIAL, "--trials", TRIALS).code == 0


def test_what_matters_alone_is_found(ganbench: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distance that hangs on one rate alone, and is least where it is 1e-2."""

    def distance(bench: Workbench) -> dict[str, float]:
        return {"w1": math.exp((math.log10(bench.recipe.generator.optimizer.lr) + 2) ** 2)}

    monkeypatch.setattr(Workbench, "measure", distance)
    ended = ganbench(*SERIAL, "--trials", 24, "--seeds", 1, "--rounds", 8)
    assert ended.code == 0, ended.err
    summary = json.loads((tmp_path / "search" / "summary.json").read_text())
    assert next(iter(summary["importance"])) == "generator.optimizer.lr"
    assert 1e-3 < summary["best"]["settings"]["generator.optimizer.lr"] < 1e-1


def test_settings_that_diverge_are_the_worst(ganbench: Callable, tmp_path: Path) -> None:
    wild = "{kind: sgd, lr: 1.0e+12}"
    ended = ganbench(
        *SERIAL, "--trials", 6, "--set", "objective=least-squares", "--search", f"critic.optimizer=adam,{wild}"
    )
    assert ended.code == 0, ended.err
    states = {row["state"]: row["critic.optimizer"] for row in table(tmp_path / "search")}
    assert "sgd" in states["diverged"]
    assert (
        json.loads((tmp_path / "search" / "summary.json").read_text())["best"]["settings"]["critic.optimizer"] == "adam"
    )


def test_a_search_of_which_nothing_finishes_ends_with_1(ganbench: Callable, tmp_path: Path) -> None:
    wild = ("--set", "objective=least-squares", "--set", "critic.optimizer={kind: sgd, lr: 1.0e+12}")
    ended = ganbench(*SERIAL, "--trials", 2, *wild, "--search", "critic.optimizer.lr=none")
    assert (ended.code, "no trial finished" in ended.err) == (1, True), ended.err
    assert [row["state"] for row in table(tmp_path / "search")] == ["diverged"] * 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--trials", "0"), "--trials"),
        (("--seeds", "0"), "--seeds"),
        (("--jobs", "0"), "--jobs"),
        (("--confirm", "-1"), "--confirm"),
        (("--data", "moon"), "moons"),
        (("--search", "critic.optimizer.lr=1e-2..1e-5"), "the lower one first"),
        (("--search", "critic.optimizer.lr=-1..1"), "greater than 0"),
        (("--search", "critic.optimiser.lr=1e-5..1e-2"), "critic.optimizer.lr"),
        (("--search", "turns.critic=1.5..4"), "turns.critic"),
        (("--search", "critic.network.activation=relu,swish"), "leaky-relu"),
        (("--search", "critic.optimizer=adam,sdg"), "sgd"),
        (("--search", "critic.optimizer=adam,sgd", "--search", "critic.optimizer.betas=[0,0.9],[0.5,0.9]"), "betas"),
        (("--search", "critic.constraints.c={kind: clip, layers: [x]},{kind: clip}"), "unknown layer 'x'"),
        (("--search", "turns.critic"), "KEY=LOW..HIGH"),
        (("--search", "seed=1,2"), "seed"),
        (("--set", "seed=3"), "--seeds"),
        (("--set", "critic.lr=1"), "critic.optimizer.lr"),
        (("--storage", "nonsense"), "--storage"),
        (("--storage", "sqlite:////nowhere/at/all.db"), "--storage"),
        (("--storage", "sqlite:///:memory:", "--jobs", "2"), "each process would have its own"),
        (("--storage", "sqlite://", "--jobs", "2"), "each process would have its own"),
        (("--out", "file"), "file"),
        (("--out", "file/search"), "folder"),
    ],
    ids=str,
)
def test_wrong_usage_is_told_before_anything_is_made(
    ganbench: Callable, tmp_path: Path, words: tuple, said: str
) -> None:
    (tmp_path / "file").write_text("dear")
    refused = ganbench(*SERIAL, *words)
    assert (refused.code, said in refused.err) == (2, True), refused.err
    assert "Traceback" not in refused.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_unknown_recipe_is_told(ganbench: Callable, tmp_path: Path) -> None:
    refused = ganbench("tune", "gna", *COMMAND[2:])
    assert (refused.code, "did you mean 'gan'" in refused.err) == (2, True), refused.err
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_else_is_left_alone(ganbench: Callable, tmp_path: Path) -> None:
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "thesis.tex").write_text("dear")
    assert ganbench(*SERIAL).code == 2
    assert len(contents(tmp_path)) == 1


def test_a_missing_package_is_named(ganbench: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    refused = ganbench(*SERIAL)
    assert (refused.code, 'pip install "ganbench[tune]"' in refused.err) == (2, True), refused.err


def test_a_folder_may_be_called_anything_and_a_storage_be_elsewhere(ganbench: Callable, tmp_path: Path) -> None:
    for out, storage in (("what? 50 %41 #1", ()), ("b", ("--storage", "sqlite:///mine.db"))):
        assert ganbench(*SERIAL, "--trials", 1, "--seeds", 1, "--out", out, *storage).code == 0
        assert ganbench(*SERIAL, "--trials", 2, "--seeds", 1, "--out", out, *storage).code == 0
        assert len(table(tmp_path / out)) == 2
    assert (tmp_path / "what? 50 %41 #1" / "trials.db").exists()
    assert not (tmp_path / "b" / "trials.db").exists()
    assert (tmp_path / "mine.db").exists()
