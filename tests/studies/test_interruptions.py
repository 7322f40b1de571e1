"""Studies whose processes are stopped and killed: nothing is lost, nothing lives on, and the end is the same."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganbench.studies import carry_out, local_workers
from tests.studies.conftest import WORDS, outcome, small_study, table
from tests.studies.processes import Process, unhurried
from tests.undrawn import draw_nothing

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")

ROUNDS = 24
PATIENCE = 60.0
"""Seconds after which what is waited for will not come."""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study done at one go, in one process."""
    study = small_study(tmp_path_factory.mktemp("unbroken") / "study", ROUNDS)
    with pytest.MonkeyPatch.context() as monkeypatch:
        draw_nothing(monkeypatch)
        carry_out(study, local_workers(1))
    return study.path


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts the same study by two workers, in a process group of its own that does not outlive the test."""
    words = ["gan,lsgan", "--data", "moons", "--rounds", str(ROUNDS), "--out", "study", "--jobs", "2", *WORDS]
    with unhurried(tmp_path) as started:

        def start(seeds: int = 1, deadly: str = "") -> Process:
            return started(["compare", *words, "--seeds", str(seeds)], deadly)

        yield start


def wait_until(happened: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def workers(study: Process) -> list[int]:
    children = Path(f"/proc/{study.pid}/task/{study.pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_for_work(study: Process, folder: Path) -> None:
    """Until two runs are some rounds old."""
    logs = folder / "study" / "runs"

    def two_at_work() -> bool:
        assert study.poll() is None, study.communicate()
        return sum(len(log.read_bytes().splitlines()) >= 5 for log in logs.glob("*/log.jsonl")) >= 2

    wait_until(two_at_work)


def assert_as_unbroken(folder: Path, unbroken: Path) -> None:
    runs, whole = outcome(folder / "study"), outcome(unbroken)
    assert len(runs) >= 2
    assert runs == {name: whole[name] for name in runs}


def finish(study: Process) -> tuple[str, str]:
    """Until the study has ended by itself; what it said."""
    try:
        return study.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        pytest.fail("the study hangs")


def test_a_killed_worker_does_not_end_the_study(unbroken: Path, begin: Callable[..., Process], tmp_path: Path) -> None:
    study = begin()
    wait_for_work(study, tmp_path)
    first, _ = workers(study)
    os.kill(first, signal.SIGKILL)
    _, err = finish(study)
    assert study.returncode == 0, err
    assert_as_unbroken(tmp_path, unbroken)


def test_a_killed_study_goes_on_and_its_workers_do_not(
    unbroken: Path, begin: Callable[..., Process], tmp_path: Path, undrawn: None
) -> None:
    study = begin()
    wait_for_work(study, tmp_path)
    left = workers(study)
    assert len(left) == 2
    os.kill(study.pid, signal.SIGSTOP)  # so that it has not ended by the time that the second has begun
    second = begin()
    _, err = finish(second)
    assert (second.returncode, err) == (2, "ganbench: another process is at work on study\n")
    study.kill()
    wait_until(lambda: not any(map(alive, left)))
    assert not (tmp_path / "study" / "summary.json").exists()
    carry_out(small_study(tmp_path / "study", ROUNDS, seeds=1), local_workers(1))
    assert_as_unbroken(tmp_path, unbroken)


def test_ctrl_c_says_how_to_go_on(unbroken: Path, begin: Callable[..., Process], tmp_path: Path) -> None:
    study = begin(seeds=2)
    wait_for_work(study, tmp_path)
    left = workers(study)
    os.killpg(study.pid, signal.SIGINT)  # as a terminal does: to the workers as well
    _, err = finish(study)
    assert study.returncode == 1
    assert "the same command goes on" in err
    assert "Traceback" not in err
    assert err.count(": interrupted  [") <= 2  # of the four runs two were at work
    assert "not begun" not in err
    assert not any(map(alive, left))
    assert "unfinished" in {row["status"] for row in table(tmp_path / "study")}
    again = begin(seeds=2)
    _, err = finish(again)
    assert again.returncode == 0, err
    assert_as_unbroken(tmp_path, unbroken)


def test_ctrl_c_while_the_workers_start(begin: Callable[..., Process], tmp_path: Path) -> None:
    study = begin()
    wait_until(lambda: any("libtorch" in Path(f"/proc/{worker}/maps").read_text() for worker in workers(study)))
    os.killpg(study.pid, signal.SIGINT)
    _, err = finish(study)
    assert study.returncode == 1
    assert "the same command goes on" in err
    assert "Traceback" not in err


def test_a_run_that_kills_its_worker_is_reported_and_takes_no_other_with_it(
    unbroken: Path, begin: Callable[..., Process], tmp_path: Path
) -> None:
    study = begin(deadly="LeastSquares")
    out, err = finish(study)
    assert study.returncode == 0, err
    assert {row["cell"]: row["status"] for row in table(tmp_path / "study")} == {"gan": "finished", "lsgan": "failed"}
    assert "Of 1 run of lsgan, 1 failed; it is not ranked." in out
    finished = outcome(tmp_path / "study")["runs/gan-seed0"]
    assert finished == outcome(unbroken)["runs/gan-seed0"]
