"""Trials spread over processes that share a search's storage, a single-threaded one a core."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from typing import Any

import optuna
from filelock import FileLock
from optuna.trial import TrialState

from ganbench.data import DataSet
from ganbench.interrupts import no_interrupts
from ganbench.studies.workers import end_with
from ganbench.tuning.search import Search, connect, sampler
from ganbench.tuning.trials import tried, try_once
from ganbench.types import WorkError
from ganbench.workbench import Rulers

LOOK_EVERY = 0.3
"""Seconds between looks at what the workers have done."""


def try_all(
    search: Search,
    study: optuna.Study,
    data: DataSet,
    *,
    storage: str,
    trials: int,
    jobs: int,
    interrupted: Callable[[], bool],
    tell: Callable[[], None],
) -> None:
    """Does trials until there are so many in all. With one job they are done in this process.

    A worker that dies takes the trial with it that it was at, and no other: others do what is left.

    Raises:
        WorkError: no worker could be started.
    """
    while (left := trials - len(tried(study))) > 0 and not interrupted():
        first = len(study.get_trials(deepcopy=False)) + 1
        tickets = range(first, first + left)
        if jobs == 1:
            rulers: Rulers = {}
            for ticket in tickets:
                if interrupted():
                    break
                study.sampler = sampler(ticket, together=False)
                try_once(search, study, study.ask(), data, rulers, interrupted, tell)
                tell()
            continue
        _with_processes(search, study.study_name, data, storage, tickets, jobs, interrupted, tell)
        if interrupted():
            return
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
        if len(tried(study)) == trials - left:
            raise WorkError("no worker process could be started")


def _with_processes(
    search: Search,
    name: str,
    data: DataSet,
    storage: str,
    tickets: range,
    jobs: int,
    interrupted: Callable[[], bool],
    tell: Callable[[], None],
) -> None:
    """Hands out the tickets, a trial for each, until all are used or all workers have ended."""
    context = multiprocessing.get_context("spawn")
    # What workers share has no lock of multiprocessing's: one that is killed while it holds it would keep it for ever.
    taken, stop = context.RawValue("q", tickets.start), context.RawValue("b", False)
    # Data that were handed over at the start would hold up this process for ever if a worker died before it read them.
    gifts = [context.Queue() for _ in range(min(jobs, len(tickets)))]
    for gift in gifts:
        gift.put(data)
        gift.cancel_join_thread()
    told = (taken, tickets.stop, stop)
    with no_interrupts():  # what blocks signals here blocks them in the workers, which leave Ctrl-C to this process
        workers = [context.Process(target=_work, args=(search, name, storage, gift, *told)) for gift in gifts]
        for worker in workers:
            worker.start()
    while any(worker.is_alive() for worker in workers):
        time.sleep(LOOK_EVERY)
        tell()
        if interrupted():
            stop.value = True


def _work(search: Search, name: str, storage: str, gift: Any, taken: Any, end: int, stop: Any) -> None:
    """A worker's life, which does not outlive the search."""
    threading.Thread(target=end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    data, study = gift.get(), connect(storage, name)
    turn = FileLock(search.path / ".turn.lock")
    rulers: Rulers = {}
    while not stop.value:
        with turn:
            ticket, taken.value = taken.value, taken.value + 1
            if ticket >= end:
                return
            study.sampler = sampler(ticket, together=True)
            trial = study.ask()  # within the lock: of a trial that waits SQLite would let two workers have the same
        try_once(search, study, trial, data, rulers, lambda: bool(stop.value))
