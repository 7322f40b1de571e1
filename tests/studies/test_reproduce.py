"""Planned studies: every one that is shipped, and a person's own."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

import ganbench as package
from ganbench.configuration import configure
from ganbench.data import Images, ImageSet, load, load_points
from ganbench.figures.starvation import parallel_lines
from ganbench.runs import RunFolder
from ganbench.studies.plans import cells_of, read_plan, shipped
from ganbench.studies.reproduction import set_up
from ganbench.studies.starvation import Starvation
from ganbench.types import WorkError
from ganbench.workbench import Workbench
from tests.cli.conftest import Outcome
from tests.photographs import photographs
from tests.studies.conftest import SMALL, outcome

CLAIMS = {*(f"P{i}" for i in range(1, 10)), *(f"W{i}" for i in range(1, 7)), *(f"V{i}" for i in range(1, 5))}
CLAIMS |= {*(f"C{i}" for i in range(1, 9)), *(f"G{i}" for i in range(1, 4)), "F1", "F2", "S1", "N1", "N2", "N3"}


COLOURED = ImageSet("coloured", np.zeros((16, 64, 64, 3), np.uint8))
"""In the place of faces, which are not shipped."""


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_study_can_be_set_up(name: str) -> None:
    """Its cells are settings that there are, for the kind of data that it names, full and quick."""
    plan = read_plan(name)
    for experiment in plan.experiments.values():
        source = {"mnist": "digits"}.get(experiment.data, experiment.data)
        data = COLOURED if source == "faces" else load(source, Images())
        for quick in (None, plan.quick):
            assert {cell.name for cell in cells_of(experiment, data, quick)} == set(experiment.cells)


def test_every_claim_has_one_study() -> None:
    """Where a claim can be read in two ways, each has its own verdict: P8-2020, P8-2022."""
    claims = [claim for name in shipped() for claim in read_plan(name).claims]
    assert len(set(claims)) == len(claims)
    assert {claim.partition("-")[0] for claim in claims} == CLAIMS


OWN = {
    "title": "Clipped or not",
    "source": "me",
    "about": "Networks and data.",
    "minutes": 0.1,
    "seeds": 3,
    "experiments": {
        "moons": {
            "data": "moons",
            "set": {**SMALL, "rounds": 12},
            "cells": {
                "free": {"recipe": "gan"},
                "clipped": {"recipe": "wgan", "set": {"critic.constraints.clip.bound": 0.001}},
            },
        },
        "spiral": {"data": "spiral", "set": {**SMALL, "rounds": 12}, "cells": {"gan": {}}},
    },
    "claims": {
        "A1": {
            "sentence": "Clipping drives weights to the ends.",
            "parts": [{"says": "more", "measure": "weights", "of": "clipped", "against": ["free"], "above": 0.0}],
        },
        "A2": {
            "sentence": "Twelve rounds are enough.",
            "parts": [
                {"says": "near", "measure": {"kind": "after", "rounds": 12}, "of": "free", "below": 1},
                {"says": "closer", "measure": "end", "of": "free", "against": ["clipped"], "below": 1},
                {"says": "soon", "measure": {"kind": "time-to", "floors": 1e6}, "of": "free", "below": 1},
                {"says": "elsewhere too", "measure": "cost", "experiment": "spiral", "of": "gan", "below": 60},
            ],
        },
    },
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(OWN))
    return path


def test_a_study_of_ones_own(ganbench: Callable[..., Outcome], own: Path, tmp_path: Path, undrawn: None) -> None:
    done = ganbench("reproduce", own, "--out", "out", "--jobs", 1)
    assert done.code == 0, done.err
    assert "A1  supported" in done.out
    assert "A2  refuted" in done.out
    out = tmp_path / "out"
    summary = json.loads((out / "summary.json").read_text())
    assert summary["claims"]["A1"]["verdict"] == "supported"
    assert summary["claims"]["A1"]["parts"][0]["n"] == 3
    assert summary["claims"]["A2"]["parts"][1]["by_seconds"]["effect"] is not None
    times = [(each["experiment"], each["cell"], each["goal"], each["reached"]) for each in summary["times"]]
    assert sorted(times) == [("moons", cell, "1e+06 floors", 3) for cell in ("clipped", "free")]
    assert {(cell["experiment"], cell["cell"]) for cell in summary["cells"]} == {
        ("moons", "free"), ("moons", "clipped"), ("spiral", "gan"),
    }  # fmt: skip
    with open(out / "table.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    assert all((out / row["folder"] / "summary.json").exists() for row in rows)
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "refuted" in report
    assert "runs that got there" in report
    assert "critic.constraints.clip.bound" in report  # what the cells differ in
    # Finished runs are not done again, and other seeds are other runs.
    before = outcome(out)
    assert ganbench("reproduce", own, "--out", "out", "--jobs", 1).code == 0
    assert outcome(out) == before
    assert ganbench("reproduce", own, "--out", "out", "--jobs", 1, "--seeds", 1, "--first-seed", 3).code == 0
    assert (out / "runs" / "moons" / "free-seed3" / "summary.json").exists()


def test_from_python(own: Path, tmp_path: Path, undrawn: None) -> None:
    outcome = package.reproduce(own, tmp_path / "out", seeds=1, jobs=1)
    assert [finding.name for finding in outcome.findings] == ["A1", "A2"]
    assert {finding.verdict for finding in outcome.findings} == {"undecided"}  # a single seed tells nothing


def test_experiments_are_not_ranked_together(
    own: Path, tmp_path: Path, undrawn: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    package.reproduce(own, tmp_path / "out", seeds=1, jobs=1)
    standing = capsys.readouterr().err.rpartition("mean so far")[2]
    cells = ("moons free", "moons clipped", "spiral gan")
    assert [name.split()[0] for name in sorted(cells, key=standing.index)] == ["moons", "moons", "spiral"]


def test_quick_and_other_data(ganbench: Callable[..., Outcome], own: Path, tmp_path: Path, undrawn: None) -> None:
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).normal(size=(3000, 2)))
    done = ganbench("reproduce", own, "--quick", "--jobs", 1, "--data", "moons=mine.npy")
    assert done.code == 0, done.err
    assert "say nothing of the claims" in done.out
    run = RunFolder(tmp_path / "studies" / "own-quick" / "runs" / "moons" / "free-seed0")
    assert run.tree["data"].endswith("mine.npy")
    assert run.summary is not None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reproduce", "points-variant"), "did you mean 'points-variants'"),
        (("reproduce", "missing.yaml"), "missing.yaml"),
        (("reproduce", "points-noise", "--all"), "either a study's name or --all"),
        (("reproduce", "points-noise", "--data", "letter-m"), "NAME=DATA"),
        (("reproduce", "points-noise", "--data", "moons=spiral"), "no study here is on that"),
        (("reproduce", "points-noise", "--seeds", "0"), "--seeds"),
        (("reproduce", "points-noise", "--jobs", "2", "--scheduler", "tcp://here:1"), "a Dask cluster has its own"),
    ],
)
def test_wrong_usage(ganbench: Callable[..., Outcome], words: tuple[str, ...], said: str) -> None:
    wrong = ganbench(*words)
    assert wrong.code == 2
    assert said in wrong.err
    assert not Path("studies").exists()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("claims", "A1", "parts", 0, "of"), "cliped", "unknown cell 'cliped'; did you mean 'clipped'"),
        (("claims", "A1", "parts", 0, "experiment"), "moon", "unknown experiment 'moon'"),
        (("experiments", "moons", "cells", "clipped", "set", "critic.optimizer.rl"), 1, "critic.optimizer.rl"),
        (("experiments", "moons", "cells", "free", "recipe"), "gann", "gann"),
        (("experiments", "moons", "data"), "mons", "mons"),
        (("seeds",), 0, "seeds"),
        (("sed",), 1, "sed"),
        (("experiments",), {}, "needs an experiment"),
        (("claims", "A1", "parts"), [], "parts"),
        (("claims", "A1", "parts", 0, "measure"), {"kind": "end", "metric": "w11"}, "did you mean 'w1'"),
        (("claims", "A1", "parts", 0, "measure"), {"kind": "time-to"}, "either floors are needed"),
        (("claims", "A1", "parts", 0, "measure"), {"kind": "time-to", "metric": "w1"}, "either floors are needed"),
        (("experiments", "moons", "cells", "free", "work"), "audits", "did you mean 'audit'"),
        (("experiments", "moons", "cells", "free", "work"), {"kind": "audit", "shar": 1}, "did you mean 'share'"),
        (("experiments", "moons", "cells", "free", "work"), "recognition", "steps: this field is needed"),
        (
            ("experiments", "moons", "cells", "free", "work"),
            "audit",
            "of the work audit a metric at the end is measured",
        ),
        (("claims", "A1", "parts", 0, "measure"), "fade", "the work starvation"),
        (("experiments", "moons", "cells", "free", "set"), {"measure.count": 16}, "the same for all cells"),
        (("experiments", "moons", "cells", "free", "set"), {"seed": 7}, "seeds are not set"),
        (("experiments", "moons", "cells", "free!"), {"recipe": "gan"}, "same folders"),
        (("experiments", "moons!"), {"data": "moons", "cells": {"gan": {}}}, "would have the same folder"),
    ],
)
def test_a_wrong_file(
    ganbench: Callable[..., Outcome], tmp_path: Path, path: tuple[Any, ...], value: Any, said: str
) -> None:
    tree = json.loads(json.dumps(OWN))
    below = tree
    for key in path[:-1]:
        below = below[key]
    below[path[-1]] = value
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(tree))
    wrong = ganbench("reproduce", "own.yaml", "--out", "out")
    assert wrong.code == 2
    assert said in wrong.err
    assert "Traceback" not in wrong.err
    assert not (tmp_path / "out" / "runs").exists()


@pytest.mark.parametrize("name", ["../../../evil", "/evil"])
def test_an_experiments_folder_is_within_the_studys(
    ganbench: Callable[..., Outcome], tmp_path: Path, undrawn: None, name: str
) -> None:
    claims = {"A1": {"sentence": "", "parts": [{"says": "", "measure": "cost", "of": "gan", "below": 60}]}}
    experiments = {name: {"data": "moons", "set": {**SMALL, "rounds": 2}, "cells": {"gan": {}}}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({**OWN, "experiments": experiments, "claims": claims}))
    done = ganbench("reproduce", "own.yaml", "--out", "out", "--seeds", 1, "--jobs", 1)
    assert done.code == 0, done.err
    assert (tmp_path / "out" / "runs" / "evil" / "gan-seed0" / "summary.json").exists()


def test_images_are_prepared_in_one_way_under_any_spelling(ganbench: Callable[..., Outcome], tmp_path: Path) -> None:
    photographs(tmp_path / "pictures", 16)
    experiments = {
        f"at {size}": {"data": data, "set": {"images.size": size}, "cells": {"free": {"recipe": "gan"}}}
        for size, data in ((16, "pictures"), (32, "./pictures"))
    }
    claims = {"A1": {"sentence": "", "parts": [{"says": "", "measure": "cost", "of": "free", "below": 60}]}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({**OWN, "experiments": experiments, "claims": claims}))
    wrong = ganbench("reproduce", "own.yaml", "--out", "out")
    assert (wrong.code, "prepares the images of ./pictures otherwise" in wrong.err) == (2, True), wrong.err


def test_the_list_has_each_study_with_its_cost(ganbench: Callable[..., Outcome]) -> None:
    listed = ganbench("reproduce").out
    assert all(name in listed for name in shipped())
    assert "min on two cores" in listed


def test_data_that_are_not_shipped_are_asked_for(ganbench: Callable[..., Outcome], tmp_path: Path) -> None:
    wrong = ganbench("reproduce", "faces-generators")
    assert wrong.code == 2
    assert "--data faces=FOLDER" in wrong.err
    assert not (tmp_path / "studies").exists()
    photographs(tmp_path / "faces", 16)
    (study,) = set_up("faces-generators", tmp_path / "out", sources={"faces": "faces"}).studies.values()
    assert (study.source, len(study.data)) == (str(tmp_path / "faces"), 16)


def starve(tmp_path: Path, recipe: str, shift: float, steps: int) -> list[float]:
    """The gradient norms of one probe, with a critic that learns fast."""
    changes = [("critic.optimizer", {"kind": "adam", "lr": 1e-3, "betas": [0.5, 0.9]})]
    bench = Workbench(configure(recipe, "moons", changes=changes), load_points("moons"))
    folder = RunFolder.create(tmp_path / f"{recipe}{shift}", bench.configuration, bench.data)
    generator = bench.state.generator.vector.clone()
    Starvation(shift, steps).measure(bench, folder, lambda share: None)
    assert torch.equal(generator, bench.state.generator.vector)  # it is looked at, and does not move
    rows = folder.rows("metrics")
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(set(seconds))
    return [row["generator_gradient"] for row in rows]


def test_a_perfect_discriminator_has_no_gradient_to_give(tmp_path: Path) -> None:
    """Arjovsky and Bottou 2017, theorem 2.4: it vanishes for minimax and disjoint supports, for W1 it does not."""
    minimax, wasserstein = (starve(tmp_path, recipe, 8.0, 300) for recipe in ("gan-minimax", "wgan-gp"))
    assert minimax[-1] < 1e-3 * max(minimax)
    assert wasserstein[-1] > 0.3 * max(wasserstein)
    overlapping = starve(tmp_path, "gan-minimax", 0.0, 300)
    assert overlapping[-1] > 1e-2 * max(overlapping)


@pytest.fixture
def failing(tmp_path: Path) -> str:
    """A study of which a cell cannot be trained."""
    tree = json.loads(json.dumps(OWN))
    clip = {"critic.constraints.clip": {"kind": "clip", "layers": ["nope"]}}
    tree["experiments"]["moons"]["cells"]["clipped"]["set"] = clip
    (tmp_path / "failing.yaml").write_text(yaml.safe_dump(tree))
    return "failing.yaml"


def test_a_run_that_fails_is_told(
    ganbench: Callable[..., Outcome], failing: str, tmp_path: Path, undrawn: None
) -> None:
    done = ganbench("reproduce", failing, "--out", "out", "--seeds", 2, "--jobs", 1)
    assert done.code == 1
    assert "2 runs could not be done, such as clipped #0" in done.err
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["claims"]["A1"]["verdict"] == "undecided"


def test_a_run_that_fails_keeps_no_other_study_from_its_turn(
    ganbench: Callable[..., Outcome], failing: str, own: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None
) -> None:
    monkeypatch.setattr("ganbench.studies.plans.shipped", lambda: [failing, str(own)])
    done = ganbench("reproduce", "--all", "--seeds", 1, "--jobs", 1)
    assert (done.code, "1 run could not be done, such as clipped #0" in done.err) == (1, True)
    assert (own.parent / "studies" / "own" / "report.html").exists()


def test_a_changed_probe_is_not_taken_for_the_old_one(ganbench: Callable[..., Outcome], tmp_path: Path) -> None:
    tree = json.loads(json.dumps(OWN))
    tree["experiments"] = {
        "moons": {"data": "moons", "cells": {"gan": {"work": {"kind": "starvation", "shift": 8, "steps": 3}}}}
    }
    part = {"says": "fades", "measure": "fade", "of": "gan", "below": 1}
    tree["claims"] = {"A1": {"sentence": "It fades.", "parts": [part]}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(tree))
    assert ganbench("reproduce", "own.yaml", "--out", "out", "--seeds", 1, "--jobs", 1).code == 0
    tree["experiments"]["moons"]["cells"]["gan"]["work"]["shift"] = 0
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(tree))
    again = ganbench("reproduce", "own.yaml", "--out", "out", "--seeds", 1, "--jobs", 1)
    assert (again.code, "other settings" in again.err) == (2, True)


def test_a_gradient_that_is_not_finite_ends_the_probe(tmp_path: Path) -> None:
    changes = [("critic.optimizer", {"kind": "sgd", "lr": 1e30})]
    bench = Workbench(configure("wgan-gp", "moons", changes=changes), load_points("moons"))
    folder = RunFolder.create(tmp_path / "run", bench.configuration, bench.data)
    with pytest.raises(WorkError, match="the generator's gradient is no longer finite"):
        Starvation(steps=50).measure(bench, folder, lambda share: None)
    assert all(np.isfinite(row["generator_gradient"]) for row in folder.rows("metrics"))


def test_a_probe_can_be_repeated(tmp_path: Path) -> None:
    first = starve(tmp_path / "a", "gan", 2.0, 20)
    assert first == starve(tmp_path / "b", "gan", 2.0, 20)


def test_parallel_lines_show_their_closed_forms() -> None:
    left, _, right = parallel_lines().axes
    js, w1 = (axes.lines[-1].get_ydata() for axes in (left, right))
    assert js == pytest.approx([0, *[np.log(2)] * 10])
    assert w1 == pytest.approx(np.linspace(0, 1, 11))


def test_studies_of_data_that_are_not_shipped_are_left_out_of_all(
    ganbench: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganbench.studies.plans.shipped", lambda: ["faces-generators"])
    done = ganbench("reproduce", "--all")
    assert "faces-generators is left out: its data are not shipped (--data faces=FOLDER)" in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_all_studies_run_through(ganbench: Callable[..., Outcome], shared_data: Path, tmp_path: Path) -> None:
    faces = photographs(tmp_path / "faces", 600)
    done = ganbench(
        "reproduce", "--all", "--quick", "--data", f"mnist={shared_data / 'mnist'}", "--data", f"faces={faces}"
    )
    assert done.code == 0, done.err
    for name in shipped():
        with open(tmp_path / "studies" / f"{name}-quick" / "table.csv", encoding="utf-8", newline="") as file:
            assert all(row["status"] in ("finished", "diverged") for row in csv.DictReader(file))
