"""A study end to end: what it writes, what it does not do twice, and how it bears runs that fail."""

import json
import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from ganbench.api import compare
from ganbench.gallery import captions
from ganbench.objectives import Memoryless
from ganbench.recipes import Recipe
from ganbench.runs import RunFolder
from ganbench.studies import carry_out, local_workers
from ganbench.studies.pages import write_report
from ganbench.studies.results import read_results
from tests.studies.conftest import SMALL, WORDS, outcome, small_study, table

ROUNDS = 6
METRICS = ["w1", "w2", "sliced_w", "energy", "js", "kl"]
COMMAND = ("compare", "gan,lsgan", "--data", "moons", "--rounds", ROUNDS, "--jobs", 1, *WORDS)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of two recipes and two seeds, pictures and all."""
    study = small_study(tmp_path_factory.mktemp("compare") / "study", ROUNDS)
    _, complete = carry_out(study, local_workers(1))
    assert complete
    return study.path


@pytest.fixture
def copy(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "study"))


def times(runs: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (runs, *runs.rglob("*"))}


def test_the_table_has_a_row_a_run(done: Path) -> None:
    rows = table(done)
    best = [f"best_{name}" for name in METRICS]
    goals = [f"seconds_to_{goal}_floors" for goal in (10, 5, 2)]
    assert list(rows[0]) == ["cell", "seed", "status", "rounds", "seconds", *METRICS, *best, *goals, "folder"]
    assert [(row["cell"], row["seed"]) for row in rows] == [("gan", "0"), ("gan", "1"), ("lsgan", "0"), ("lsgan", "1")]
    for row in rows:
        summary = json.loads((done / row["folder"] / "summary.json").read_text())
        assert (summary["recipe"], summary["seed"]) == (row["cell"], int(row["seed"]))
        assert (row["status"], int(row["rounds"])) == ("finished", ROUNDS)
        assert float(row["seconds"]) == summary["seconds"]
        for which, prefix in (("final", ""), ("best", "best_")):
            assert {name: float(row[prefix + name]) for name in METRICS} == summary["metrics"][which]


def test_the_summary_has_a_row_a_cell(done: Path) -> None:
    summary = json.loads((done / "summary.json").read_text())
    assert [row["cell"] for row in summary["cells"]] == ["gan", "lsgan"]
    assert list(summary["floor"]) == METRICS
    for row in summary["cells"]:
        assert (row["finished"], row["diverged"], row["failed"]) == (2, 0, 0)
        for name in METRICS:
            values = [float(run[name]) for run in table(done) if run["cell"] == row["cell"]]
            metric = row["metrics"][name]
            assert set(metric) == {"mean", "low", "high", "n"}
            assert (metric["mean"], metric["n"]) == (pytest.approx(np.mean(values)), 2)
            assert metric["low"] <= metric["mean"] <= metric["high"]


def test_the_report_is_one_file_with_all_cells(done: Path) -> None:
    html = (done / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'\b(?:src|href|poster|action)\s*=\s*"([^":]*:?)', html)
    assert {source for source in sources if not source.startswith("#")} == {"data:"}
    assert "url(" not in html
    html = unescape(html)
    for cell in ("gan", "lsgan"):
        first, second = (RunFolder(done / "runs" / f"{cell}-seed{seed}") for seed in (0, 1))
        shown = html[html.index(f"<h2>{cell}</h2>") :].split("</section>")[0]
        captioned = re.findall(r"<figcaption>(.*?)</figcaption>", shown)
        assert captioned == [
            *(f"Seed 0. {caption}" for caption in captions(first).values()),
            f"Seed 1. {captions(second)['scatter.png']}",
        ]
        drawn = {path.name for path in first.figures.iterdir() if not path.stem.isdigit()}
        assert drawn == set(captions(first))
    for sentence in json.loads((done / "summary.json").read_text())["conclusions"]:
        assert sentence in html


def test_the_report_tells_which_seeds_had_which_alarms(copy: Path) -> None:
    kinds = (("mode loss", 2.0, "Lost"), ("divergence", None, "Gone"), ("mode loss", 3.0, "Lost more"))
    for round, (kind, value, sentence) in enumerate(kinds, start=1000):
        row = {"round": round, "kind": kind, "number": value, "sentence": sentence}
        RunFolder(copy / "runs" / "lsgan-seed1").append("alarms", row)
    study = small_study(copy, ROUNDS)
    write_report(read_results(study), study)
    sections = unescape((copy / "report.html").read_text(encoding="utf-8")).split("<section")
    (of_lsgan,) = [section for section in sections if "<h2>lsgan</h2>" in section]
    (of_gan,) = [section for section in sections if "<h2>gan</h2>" in section]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in of_lsgan.split("<tr>")]
    assert ["1", "Lost more.", "2", "1,000", "3", "1,002", "2"] in rows
    assert ["1", "Gone.", "not finite", "1,001", "not finite", "1,001", "1"] in rows
    assert "<table" not in of_gan


def test_what_is_done_is_not_done_again(ganbench: Callable, copy: Path) -> None:
    before, summary = times(copy / "runs"), (copy / "summary.json").read_bytes()
    again = ganbench(*COMMAND, "--out", "study", "--seeds", 2)
    assert again.code == 0
    assert times(copy / "runs") == before
    assert (copy / "summary.json").read_bytes() == summary
    lines, conclusions = again.out.splitlines(), json.loads(summary)["conclusions"]
    assert lines[-1 - len(conclusions) : -1] == conclusions
    assert again.out.splitlines()[-1] == f"report: {copy / 'report.html'}"


def test_more_seeds_are_added_to_those_there_are(ganbench: Callable, copy: Path, undrawn: None) -> None:
    before = times(copy / "runs")
    ended = ganbench(*COMMAND, "--out", "study", "--seeds", 3)
    assert ended.code == 0
    first, second = (line for line in ended.err.splitlines() if " #2: w1 " in line)
    assert re.search(r"  \[5 of 6, about \d+ s left\]$", first)
    assert second.endswith("  [6 of 6]")
    assert [row["status"] for row in table(copy)] == ["finished"] * 6
    del before[copy / "runs"]
    assert {path: copied for path, copied in times(copy / "runs").items() if path in before} == before


@pytest.mark.parametrize(
    "damaged", ["[1]", '"x"', '{"status": "finished"}', "{", "[" * 5000], ids=lambda text: text[:3]
)
def test_a_run_whose_summary_is_damaged_is_gone_on_with(
    ganbench: Callable, copy: Path, undrawn: None, damaged: str
) -> None:
    before = outcome(copy)
    (copy / "runs" / "gan-seed1" / "summary.json").write_text(damaged)
    ended = ganbench(*COMMAND, "--out", "study", "--seeds", 2)
    assert ended.code == 0, ended.err
    assert outcome(copy) == before


def test_lines_that_are_none_are_passed_over(ganbench: Callable, copy: Path) -> None:
    before = outcome(copy)
    for name in ("metrics", "log", "alarms"):
        with open(copy / "runs" / "gan-seed0" / f"{name}.jsonl", "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in ("{}", "[1]", '{"w1": 0.1}', '{"round": 3, "w1": 0.1}', "[" * 5000))
            file.write('{"round": 4, "sec')
    ended = ganbench(*COMMAND, "--out", "study", "--seeds", 2)
    assert ended.code == 0, ended.err
    assert outcome(copy) == before


def test_points_that_are_almost_all_one_have_no_floor(ganbench: Callable, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.concatenate([np.ones((9999, 2)), np.zeros((1, 2))]))
    words = ("--data", "x.npy", "--rounds", 2, "--seeds", 1, "--jobs", 1, *WORDS)
    ended = ganbench("compare", "gan", *words, "--out", "study")
    assert ended.code == 0, ended.err
    assert json.loads((tmp_path / "study" / "summary.json").read_text())["floor"]["w1"] == 0
    assert "nan" not in re.findall(r"<td[^>]*>(.*?)</td>", (tmp_path / "study" / "report.html").read_text())


@pytest.mark.parametrize("other", [("--rounds", ROUNDS + 1), ("--set", "critic.optimizer=sgd")], ids=["rounds", "sgd"])
def test_runs_with_other_settings_are_not_mixed_in(ganbench: Callable, copy: Path, other: tuple) -> None:
    before = times(copy)
    refused = ganbench(*COMMAND, "--out", "study", "--seeds", 2, *other)
    assert (refused.code, "other settings" in refused.err) == (2, True), refused.err
    assert times(copy) == before


def test_runs_on_other_data_are_not_mixed_in(ganbench: Callable, tmp_path: Path, undrawn: None) -> None:
    command = ("compare", "gan", "--data", "x.npy", "--rounds", 2, "--jobs", 1, *WORDS, "--out", "study")
    for seed in (0, 1):
        np.save(tmp_path / "x.npy", np.random.default_rng(seed).normal(size=(100, 2)))
        ended = ganbench(*command, "--seeds", 1 + seed)
        assert ended.code == (0, 2)[seed]


def test_a_cell_that_cannot_be_trained_is_reported_and_workers_change_nothing(
    ganbench: Callable, tmp_path: Path, undrawn: None
) -> None:
    clips = "critic.constraints.clip={kind: clip, layers: [nope]},{kind: clip, layers: [linear]}"
    for jobs in (1, 2):
        command = ("compare", "gan", "--data", "moons", "--rounds", 5, "--seeds", 2, *WORDS, "--set", clips)
        ended = ganbench(*command, "--jobs", jobs, "--out", f"jobs{jobs}")
        assert ended.code == 0, ended.err
        assert [row["status"] for row in table(tmp_path / f"jobs{jobs}")] == ["failed"] * 2 + ["finished"] * 2
        assert re.search(r"Of 2 runs of gan, .*nope.*, 2 failed", ended.out)
        assert "Traceback" not in ended.err
        (reason, _) = sorted((tmp_path / f"jobs{jobs}" / "runs").glob("*.error.txt"))
        assert "unknown layer 'nope'" in reason.read_text()
    assert outcome(tmp_path / "jobs1") == outcome(tmp_path / "jobs2")


def test_a_study_of_which_nothing_is_left_ends_with_1(ganbench: Callable) -> None:
    ended = ganbench(
        *COMMAND, "--out", "study", "--seeds", 1, "--set", "critic.constraints.c={kind: clip, layers: [x]}"
    )
    assert (ended.code, "all runs failed" in ended.err) == (1, True), ended.err


class Raising(Memoryless):
    """A game of one's own that breaks in its third round."""

    surface = "value"

    def __init__(self) -> None:
        self.turns = 0

    def discriminator(self, scores, memory):  # type: ignore[no-untyped-def]
        self.turns += 1
        if self.turns == 3:
            raise ArithmeticError("three is too many")
        return scores.fake.mean() - scores.real.mean()

    def generator(self, scores, memory):  # type: ignore[no-untyped-def]
        return -scores.fake.mean()


def test_an_objective_of_ones_own_that_raises_takes_its_own_cell_alone(tmp_path: Path, undrawn: None) -> None:
    named = {"mine": Recipe(objective=Raising()), "plain": "gan"}
    results = compare(named, "moons", tmp_path / "study", seeds=1, jobs=1, rounds=ROUNDS, **SMALL)
    assert [run.status for runs in results.runs.values() for run in runs] == ["failed", "finished"]
    assert "Of 1 run of mine, 1 failed; it is not ranked." in results.conclusions
    assert "three is too many" in (tmp_path / "study" / "runs" / "mine-seed0.error.txt").read_text()


def test_a_cell_may_be_called_anything(
    tmp_path: Path, undrawn: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    compare({"gan [/b]": "gan"}, "moons", tmp_path / "study", seeds=1, jobs=1, rounds=2, **SMALL)
    assert "gan [/b] #0" in capsys.readouterr().err


def test_a_cell_that_diverges_is_counted_and_named(ganbench: Callable, tmp_path: Path, undrawn: None) -> None:
    steep = "critic.optimizer=adam,{kind: sgd, lr: 1e6}"
    ended = ganbench(
        "compare", "lsgan", "--data", "moons", "--rounds", ROUNDS, "--seeds", 2, "--jobs", 1, *WORDS,
        "--set", steep, "--out", "study",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    (calm, wild) = json.loads((tmp_path / "study" / "summary.json").read_text())["cells"]
    assert (calm["finished"], calm["diverged"]) == (2, 0)
    assert (wild["finished"], wild["diverged"], wild["failed"], wild["metrics"]) == (0, 2, 0, {})
    assert f"Of 2 runs of {wild['cell']}, 2 diverged; diverging speaks against it, and it is not ranked." in ended.out
    assert "optimizer.lr" in (tmp_path / "study" / "report.html").read_text()


def test_the_cells_are_a_product_with_names_to_read(ganbench: Callable, tmp_path: Path, undrawn: None) -> None:
    ended = ganbench(
        "compare", "gan, hinge", "--data", "moons", "--optimizers", "adam,sgd", *WORDS, "--set", "rounds=3,4",
        "--set", "prior.dimension=3", "--seeds", 1, "--jobs", 1, "--out", "study",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    rows = {row["cell"]: row for row in table(tmp_path / "study")}
    assert list(rows) == [f"{g}, {o}, rounds={r}" for g in ("gan", "hinge") for o in ("adam", "sgd") for r in (3, 4)]
    for name, row in rows.items():
        config = (tmp_path / "study" / row["folder"] / "config.yaml").read_text()
        assert config.count("kind: " + name.split(", ")[1]) == 2
        assert row["rounds"] == name[-1]


@pytest.mark.parametrize("values", ["rounds=", "rounds= ", "rounds=3,3", "rounds=3, 3"])
def test_a_list_of_no_values_or_of_one_twice_is_wrong_usage(ganbench: Callable, values: str) -> None:
    """A value given twice would be two cells in one folder, and each of its seeds counted twice."""
    refused = ganbench(*COMMAND, "--seeds", 1, "--out", "study", "--set", values)
    assert refused.code == 2
    assert refused.err.startswith("ganbench: ")


@pytest.mark.parametrize("out", ["file", "file/study"])
def test_a_study_needs_a_folder(ganbench: Callable, tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("dear")
    assert ganbench(*COMMAND, "--seeds", 1, "--out", out).code == 2


@pytest.mark.parametrize("left", ["nothing", "folders", "half a file"])
def test_a_run_that_was_killed_while_its_folder_was_made_is_begun_again(
    ganbench: Callable, tmp_path: Path, undrawn: None, left: str
) -> None:
    folder = tmp_path / "study" / "runs" / "gan-seed0"
    folder.mkdir(parents=True)
    if left != "nothing":
        (folder / "checkpoints").mkdir()
    if left == "half a file":
        (folder / ".config.yaml.123").write_text("recipe: g")
    ended = ganbench(*COMMAND, "--seeds", 1, "--out", "study")
    assert ended.code == 0, ended.err
    assert [row["status"] for row in table(tmp_path / "study")] == ["finished"] * 2
