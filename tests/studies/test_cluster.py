"""Studies on a Dask cluster of two workers: the same runs as local workers do, whatever happens on the way."""

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from ganbench.fitting import fit
from ganbench.studies import Study, carry_out, cluster, local_workers
from ganbench.studies.cluster import dask_workers
from ganbench.studies.workers import Contact, Data, News, Task, Work, Workers
from ganbench.types import UsageError, WorkError
from tests.studies.conftest import WORDS, outcome, small_study, table
from tests.undrawn import draw_nothing

ROUNDS = 24


def unhurried(*args: Any, **told: Any) -> Mapping[str, Any]:
    from tests.studies import slow  # noqa: F401  its import makes the worker's rounds slow and draws nothing

    return fit(*args, **told)


def waiting(*args: Any, interrupted: Callable[[], bool], **told: Any) -> Mapping[str, Any]:
    """Stays in its first round until it is interrupted."""

    def asked() -> bool:
        while not interrupted():
            time.sleep(0.05)
        return True

    return unhurried(*args, interrupted=asked, **told)


def deadly(bench: Any, *args: Any, **told: Any) -> Mapping[str, Any]:
    if bench.configuration.recipe == "lsgan":
        os.kill(os.getpid(), signal.SIGKILL)
    return unhurried(bench, *args, **told)


def study(path: Path, work: Work = unhurried, seeds: int = 2) -> Study:
    small = small_study(path, ROUNDS, seeds)
    return replace(small, cells=[replace(cell, work=work) for cell in small.cells])


def listening(workers: Workers, on_news: Callable[[News], None], interrupted: Callable[[], bool]) -> Workers:
    """Workers whose news somebody else hears, who may also say stop."""

    def work(tasks: Sequence[Task], data: Data, contact: Contact) -> None:
        workers(tasks, data, replace(contact, on_news=on_news, interrupted=interrupted))

    return work


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the study comes to with local workers."""
    done = small_study(tmp_path_factory.mktemp("local") / "study", ROUNDS)
    with pytest.MonkeyPatch.context() as monkeypatch:
        draw_nothing(monkeypatch)
        carry_out(done, local_workers(1))
    return outcome(done.path)


@pytest.fixture(scope="module")
def pair() -> Iterator[LocalCluster]:
    """Two workers; one that is killed is started again."""
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        yield cluster


def here(threads: int) -> LocalCluster:
    """A worker in this process, which is there at once."""
    return LocalCluster(n_workers=1, threads_per_worker=threads, processes=False, dashboard_address=":0")


def test_a_cluster_comes_to_what_local_workers_come_to(
    whole: dict, ganbench: Callable, tmp_path: Path, undrawn: None
) -> None:
    words = ("--data", "moons", "--rounds", ROUNDS, "--seeds", 2, *WORDS, "--out", "study", "--scheduler")
    with here(threads=1) as one:
        for _ in range(2):  # the second time nothing is left to do
            ended = ganbench("compare", "gan,lsgan", *words, one.scheduler_address)
            assert ended.code == 0, ended.err
            assert outcome(tmp_path / "study") == whole
    assert {path.name for path in (tmp_path / "study" / "runs").iterdir()} == {Path(run).name for run in whole}


@pytest.mark.slow
def test_a_killed_worker_costs_nothing_but_time(pair: LocalCluster, whole: dict, tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_one(news: News) -> None:
        if not killed:
            killed.append(next(iter(pair.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    workers = listening(dask_workers(pair.scheduler_address), kill_one, lambda: False)
    carry_out(study(tmp_path / "study"), workers)
    assert killed
    assert outcome(tmp_path / "study") == whole


@pytest.mark.slow
def test_a_study_that_was_interrupted_goes_on_where_it_was(pair: LocalCluster, whole: dict, tmp_path: Path) -> None:
    heard: list[News] = []
    workers = dask_workers(pair.scheduler_address)
    waits = study(tmp_path / "study", waiting)
    carry_out(waits, listening(workers, heard.append, lambda: bool(heard)))
    assert {run.status for run in waits.done()} == {"unfinished"}
    begun = {folder.parent: folder.read_text() for folder in (waits.path / "runs").glob("*/log.jsonl")}
    assert begun
    carry_out(study(waits.path), workers)
    assert outcome(waits.path) == whole
    for folder, lines in begun.items():
        assert (folder / "log.jsonl").read_text().startswith(lines)  # the seconds differ from those of any other run


@pytest.mark.slow
def test_a_study_that_breaks_off_leaves_its_workers_free(pair: LocalCluster, whole: dict, tmp_path: Path) -> None:
    def break_off(news: News) -> None:
        raise RuntimeError("broken off")

    workers = dask_workers(pair.scheduler_address)
    with pytest.raises(RuntimeError, match="broken off"):
        carry_out(study(tmp_path / "study", waiting), listening(workers, break_off, lambda: False))
    carry_out(study(tmp_path / "study"), workers)
    assert outcome(tmp_path / "study") == whole


@pytest.mark.slow
def test_a_run_that_kills_its_workers_has_failed_and_the_others_have_not(
    pair: LocalCluster, whole: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair.scheduler, "allowed_failures", 0)
    kills = study(tmp_path / "study", deadly, seeds=1)
    carry_out(kills, dask_workers(pair.scheduler_address))
    assert {row["cell"]: row["status"] for row in table(kills.path)} == {"gan": "finished", "lsgan": "failed"}
    assert "died" in (kills.path / "runs" / "lsgan-seed0.error.txt").read_text()
    assert outcome(kills.path)["runs/gan-seed0"] == whole["runs/gan-seed0"]


@pytest.mark.slow
def test_a_person_s_own_module_must_be_where_the_workers_are(
    pair: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("from ganbench.fitting import fit\ndef work(*a, **k): return fit(*a, **k)")
    monkeypatch.syspath_prepend(tmp_path)
    lacking = study(tmp_path / "study", importlib.import_module("only_here").work)
    with pytest.raises(WorkError, match="only_here"):
        carry_out(lacking, dask_workers(pair.scheduler_address))


def test_workers_with_several_threads_are_refused(tmp_path: Path) -> None:
    with here(threads=2) as crowd, pytest.raises(UsageError, match="--nthreads 1"):
        carry_out(study(tmp_path / "study"), dask_workers(crowd.scheduler_address))


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "127.0.0.1", "nothing://127.0.0.1:8786", "tcp://nowhere.invalid:8786"]
)
def test_an_address_at_which_nobody_answers(ganbench: Callable, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    refused = ganbench("compare", "gan", "--data", "moons", "--out", "study", "--scheduler", address)
    assert refused.code == 2
    assert address in refused.err
    assert "Traceback" not in refused.err


def test_jobs_are_for_local_workers(ganbench: Callable) -> None:
    refused = ganbench("compare", "gan", "--data", "moons", "--out", "study", "--scheduler", "x", "--jobs", 2)
    assert (refused.code, "--jobs" in refused.err) == (2, True)


def test_without_dask_it_is_said_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"ganbench\[scale\]"):
        dask_workers("tcp://127.0.0.1:8786")
