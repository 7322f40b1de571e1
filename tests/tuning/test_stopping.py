"""Searches whose processes are stopped and killed: trials are tried again, none is counted twice."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from ganbench.tuning.search import default_storage
from tests.studies.processes import Process, unhurried
from tests.tuning.conftest import COMMAND, table

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")

TRIALS = 5
PATIENCE = 90.0
"""Seconds after which what is waited for will not come."""


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts a search with unhurried rounds in a process group of its own, which does not outlive the test."""
    with unhurried(tmp_path) as started:

        def start(*more: str, deadly: str = "") -> Process:
            return started([*COMMAND, "--trials", str(TRIALS), "--seeds", "1", "--rounds", "24", *more], deadly)

        yield start


def states(folder: Path) -> list[str]:
    """The state of each trial in the search's storage, which is only looked at: Optuna itself might begin it anew."""
    try:
        with closing(sqlite3.connect(f"file:{folder / 'trials.db'}?mode=ro", uri=True)) as database:
            return [state for (state,) in database.execute("SELECT state FROM trials")]
    except sqlite3.OperationalError:  # not made yet, or being made
        return []


def wait_for_work(search: Process, folder: Path) -> None:
    """Until a trial has finished and another is at work."""
    end = time.monotonic() + PATIENCE
    while not {"RUNNING", "COMPLETE"} <= set(states(folder)):
        assert search.poll() is None, search.communicate()
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.2)


def finish(search: Process) -> str:
    try:
        return search.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired:
        pytest.fail("the search hangs")


def assert_whole(folder: Path) -> None:
    """As many trials as asked for, the recipe's own once, and nothing left at work."""
    rows = table(folder)
    assert len(rows) == TRIALS
    own = [row for row in rows if row["critic.optimizer.lr"] == row["generator.optimizer.lr"] == "0.0002"]
    assert len(own) == 1
    assert not {"RUNNING", "WAITING"} & set(states(folder))


@pytest.mark.slow  # a study and a killed search tell the same, and take less
def test_ctrl_c_leaves_a_search_that_goes_on(begin: Callable[..., Process], tmp_path: Path) -> None:
    folder = tmp_path / "search"
    search = begin("--jobs", "2")
    wait_for_work(search, folder)
    os.killpg(search.pid, signal.SIGINT)  # as a terminal does: to the workers as well
    err = finish(search)
    assert (search.returncode, "interrupted: the same command goes on" in err) == (1, True), err
    assert "Traceback" not in err
    assert 1 <= len(table(folder)) < TRIALS
    kept = table(folder)
    again = begin("--jobs", "1")
    err = finish(again)
    assert again.returncode == 0, err
    assert [row for row in table(folder) if row in kept] == kept
    assert_whole(folder)


@pytest.mark.slow
def test_a_killed_search_goes_on(begin: Callable[..., Process], tmp_path: Path) -> None:
    folder = tmp_path / "search"
    search = begin("--jobs", "2")
    wait_for_work(search, folder)
    search.kill()
    search.communicate()
    study = optuna.load_study(storage=default_storage(folder), study_name=None)
    broken_off = [trial.params for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,))]
    again = begin("--jobs", "1")
    err = finish(again)
    assert again.returncode == 0, err
    assert_whole(folder)
    ended = [trial.params for trial in study.get_trials() if trial.state.name in ("COMPLETE", "PRUNED")]
    assert broken_off
    for params in broken_off:  # perhaps not all of them: the process may have been killed while it drew them
        assert any(params.items() <= each.items() for each in ended)


@pytest.mark.slow
def test_a_worker_that_is_killed_while_it_asks_holds_up_no_other(begin: Callable[..., Process], tmp_path: Path) -> None:
    search = begin("--jobs", "2", deadly="ask")
    err = finish(search)
    assert search.returncode == 0, err
    ended = [row["state"] for row in table(tmp_path / "search")]
    assert (len(ended), ended.count("failed")) == (TRIALS, 1)


@pytest.mark.slow
def test_a_trial_that_kills_its_worker_is_reported_and_ends_nothing(
    begin: Callable[..., Process], tmp_path: Path
) -> None:
    folder = tmp_path / "search"
    search = begin("--jobs", "2", "--search", "objective=non-saturating,least-squares", deadly="LeastSquares")
    err = finish(search)
    assert search.returncode == 0, err
    rows = table(folder)
    assert len(rows) == TRIALS
    assert {(row["objective"] == "least-squares", row["state"] == "failed") for row in rows} == {
        (True, True),
        (False, False),
    }
