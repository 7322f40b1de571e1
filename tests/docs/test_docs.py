"""The README's commands and the notebooks are run, and the doctests of the package."""

import doctest
import importlib
import pkgutil
import re
import runpy
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import ganbench as package
from ganbench.explore import exploration
from ganbench.metrics import METRICS
from ganbench.studies.measures import MEASURES
from ganbench.studies.plans import WORKS, read_plan, shipped
from tests.cli.conftest import ganbench  # noqa: F401  the fixture
from tests.photographs import photographs
from tests.undrawn import undrawn  # noqa: F401  the fixture

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
MODULES = sorted(
    m.name for m in pkgutil.walk_packages(package.__path__, "ganbench.") if not m.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["ganbench", *MODULES])
def test_the_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_notebooks_run(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    pictures = [o for cell in notebook.cells for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
    assert pictures, "figures display themselves"


def commands() -> list[str]:
    """The ganbench commands in the README's blocks, in order; a line that ends with a backslash goes on."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("ganbench ")]


@pytest.mark.usefixtures("undrawn")
def test_the_readmes_commands_run(ganbench: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """In little: few rounds, small measurements, and no pictures of the runs."""
    monkeypatch.setattr(exploration, "judge", partial(exploration.judge, count=8, random=8))
    assert len(commands()) >= 8
    for line in commands():
        words = shlex.split(line, comments=True)[1:]
        if words[0] == "demo":
            continue  # minutes long: `make demo` runs it
        if "--minutes" in words:
            at = words.index("--minutes")
            del words[at : at + 2]
        if words[0] == "train" and "--resume" not in words:
            words += ["--rounds", "3", "--set", "measure.count=64", "--set", "measure.final=64"]
        if words[:2] == ["train", "stylegan2"]:
            words += [
                f"--set={side}.network.{width}=8" for side in ("critic", "generator") for width in ("channels", "most")
            ]
        if words[0] == "train" and "cells" in words:
            words += ["--set", "features=random-conv"]  # a recogniser takes a minute to train
        if words[:3] == ["data", "prepare", "faces"]:
            photographs(tmp_path / words[3])
            words += ["--jobs", "1"]
        if words[:2] == ["classify", "train"]:
            words += ["--count", "64"]
        if words[0] == "compare":
            words[words.index("--seeds") + 1] = "2"
            words += ["--rounds", "3", "--set", "measure.count=64", "--set", "measure.final=64", "--jobs", "1"]
        if words[0] == "reproduce" and len(words) > 1:
            words += [*(["--quick"] if "--quick" not in words else []), "--jobs", "1", "--seeds", "1"]
        outcome = ganbench(*words)
        finished = words[:2] == ["train", "--resume"] and "finished" in outcome.err
        assert outcome.code == 0 or finished, f"{line}\n{outcome.err}"


def test_the_study_of_the_docs_runs(ganbench: Callable, tmp_path: Path) -> None:  # noqa: F811
    text = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])  # type: ignore[index]
    outcome = ganbench("reproduce", "mine.yaml", "--out", "studies/mine", "--quick", "--jobs", "1")
    assert outcome.code == 0, outcome.err
    assert "H1" in outcome.out


def test_the_docs_tell_of_every_measure() -> None:
    text = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    table = text.partition("| measure |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == set(MEASURES)


def test_the_docs_tell_of_every_metric() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z0-9_`, ]+`) \|", text, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"[a-z0-9_]+", row)} == set(METRICS)


def test_the_docs_tell_of_all_work() -> None:
    text = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    table = text.partition("| work |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `\{kind: ([a-z-]+)", table, re.MULTILINE)) == set(WORKS)


@pytest.mark.parametrize("study", shipped())
def test_the_table_of_claims_is_of_the_studies_that_are_shipped(study: str) -> None:
    """Each claim is in a row with its sentence, its parts and their regions, or among those that were not run."""
    text = (RESULTS / "claims.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.endswith(f"| `ganbench reproduce {study}` |")]
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in lines}
    plan = read_plan(study)
    waiting = re.search(rf"^\| `{study}` \| (.*?) \|", text.partition("## Not run yet")[2], re.MULTILINE)
    if waiting:
        assert waiting[1].split(", ") == list(plan.claims)
        return
    assert list(rows) == list(plan.claims)
    for name, claim in plan.claims.items():
        assert f"| {claim.sentence.strip()} |" in rows[name]
        for part in claim.parts:
            for other in part.against or (None,):
                cells = part.of if other is None else f"{part.of} against {other}"
                told = rf"{re.escape(part.says)}: [^<]* \({re.escape(cells)}; {re.escape(part.region)} is asked for"
                assert re.search(told, rows[name]), (name, part.says, cells)


@pytest.mark.parametrize("study", sorted(set(shipped()) & {folder.name for folder in RESULTS.glob("studies/*")}))
def test_the_rows_of_claims_follow_from_the_results_beside_them(study: str) -> None:
    rows = runpy.run_path(str(RESULTS / "claims_table.py"))["rows"]
    lines = (RESULTS / "claims.md").read_text(encoding="utf-8").splitlines()
    assert set(rows(RESULTS / "studies" / study)) <= set(lines)
