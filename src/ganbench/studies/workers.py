"""Runs spread over processes, a single-threaded one a core; each run's folder holds what became of it."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from ganbench import fitting
from ganbench.configuration import Configuration
from ganbench.data import DataSet
from ganbench.interrupts import no_interrupts
from ganbench.launch import cores
from ganbench.runs import RunFolder
from ganbench.types import UsageError, WorkError
from ganbench.workbench import Rulers, Workbench

NOT_BEGUN = "not begun"

Data: TypeAlias = Mapping[str, DataSet]
"""Data sets by the names that configurations give them."""


class Work(Protocol):
    """What is done with a training that has been set up: as a rule it is trained, measured and drawn to its end."""

    def __call__(
        self,
        bench: Workbench,
        folder: RunFolder,
        *,
        resume: bool,
        watch: fitting.Watcher,
        interrupted: Callable[[], bool],
    ) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Task:
    """One run to be done."""

    name: str
    configuration: Configuration
    folder: Path
    work: Work = fitting.fit


@dataclass(frozen=True, slots=True)
class News:
    """What a worker says of its run: how far it is."""

    name: str
    progress: fitting.Progress


@dataclass(frozen=True, slots=True)
class Contact:
    """How the runs and the study speak: whether to stop, how far a run is, and that it has ended with a status."""

    interrupted: Callable[[], bool]
    on_news: Callable[[News], None]
    on_done: Callable[[Task, str], None]

    def watch(self, task: Task) -> fitting.Watcher:
        return partial(_tell, self.on_news, task.name)


def perform(
    task: Task,
    data: Data,
    rulers: dict[str, Rulers],
    interrupted: Callable[[], bool],
    watch: fitting.Watcher,
) -> str:
    """Does a run or goes on with it; gives its status, `failed: ...`, or NOT_BEGUN where the study is to stop.

    A run that cannot be done must not end the study, so whatever happens becomes a status.
    """
    if interrupted():
        return NOT_BEGUN
    try:
        source = task.configuration.data
        bench = Workbench(task.configuration, data[source], rulers.setdefault(source, {}))
        if task.work is fitting.fit:
            fitting.check(bench)
        resume = (task.folder / "config.yaml").exists()
        folder = (
            RunFolder.open(task.folder) if resume else RunFolder.create(task.folder, bench.configuration, bench.data)
        )
        error_file(task.folder).unlink(missing_ok=True)
        summary = task.work(bench, folder, resume=resume, watch=watch, interrupted=interrupted)
        return summary["status"]
    except Exception as error:
        _tell_why(task, traceback.format_exc())
        return f"failed: {type(error).__name__}: {error}"


def error_file(folder: Path) -> Path:
    """Where the reason is told why a run could not be done: beside its folder, which may not exist."""
    return folder.with_name(f"{folder.name}.error.txt")


def _tell_why(task: Task, reason: str) -> None:
    path = error_file(task.folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(reason, encoding="utf-8")


class Workers(Protocol):
    """Who does the runs of a study: each run's folder then holds what became of it, whoever did it."""

    def __call__(self, tasks: Sequence[Task], data: Data, contact: Contact) -> None: ...


def local_workers(jobs: int | None = None) -> Workers:
    """So many processes of this machine, by default one a core, though not more than there are runs."""
    return partial(_perform_all, jobs=jobs)


def _perform_all(tasks: Sequence[Task], data: Data, contact: Contact, jobs: int | None) -> None:
    """Does all tasks with so many workers.

    A worker that dies ends the others, too, and which of the runs at hand killed it is not known: each of them goes on
    from its last checkpoint, alone, and one whose worker dies then too has failed. With one job the runs are done in
    this process, which a person's own objects need that cannot be pickled.

    Raises:
        UsageError: a recipe holds objects that no other process can be given.
        WorkError: no worker could be started.
    """
    jobs = jobs or max(1, min(cores(), len(tasks)))
    if jobs == 1:
        rulers: dict[str, Rulers] = {}
        for task in tasks:
            contact.on_done(task, perform(task, data, rulers, contact.interrupted, contact.watch(task)))
        return
    try:
        pickle.dumps(tasks)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(f"these runs cannot be handed to other processes ({error}); use jobs=1") from None
    left = list(tasks)
    while left and not contact.interrupted():
        suspects, left = _with_pool(left, data, jobs, contact)
        for task in suspects:
            if not contact.interrupted() and any(_with_pool([task], data, 1, contact)):
                _tell_why(task, "its process died twice\n")
                contact.on_done(task, "failed: its process died twice")


def _tell(on_news: Callable[[News], None], name: str, progress: fitting.Progress) -> None:
    on_news(News(name, progress))


def _with_pool(tasks: Sequence[Task], data: Data, jobs: int, contact: Contact) -> tuple[list[Task], list[Task]]:
    """Does tasks until all are done or a worker dies; gives those that were begun by then, and the others."""
    context = multiprocessing.get_context("spawn")
    # The data go through a queue: handed over at the start, they would hold up this process for ever if a worker died
    # before it had read them.
    gifts, news = context.Queue(), context.SimpleQueue()
    settled, stop = context.Event(), context.Event()
    for _ in range(jobs):
        gifts.put(data)
    gifts.cancel_join_thread()
    begun: set[Future[str]] = set()
    lost: list[tuple[Future[str], Task]] = []
    with ProcessPoolExecutor(jobs, context, initializer=_settle, initargs=(gifts, news, settled, stop)) as pool:
        with no_interrupts():  # what blocks signals here blocks them in the workers, which leave Ctrl-C to the study
            running = {pool.submit(_perform_in_worker, task): task for task in tasks}
        while running:
            begun |= {future for future in running if future.running()}
            done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            while not news.empty():
                contact.on_news(news.get())
            for future in done:
                task = running.pop(future)
                try:
                    contact.on_done(task, future.result())
                except BrokenProcessPool:
                    lost.append((future, task))
            if contact.interrupted():
                stop.set()
    if lost and not settled.is_set():
        raise WorkError(
            "no worker process could be started; a script of one's own must call this within "
            "`if __name__ == '__main__':`, or with one job"
        )
    return [t for f, t in lost if f in begun], [t for f, t in lost if f not in begun]


_worker: dict[str, Any] = {}
"""What a worker process keeps between its runs: the data, what measures against them, the way to the study."""


def _settle(gifts: Any, news: Any, settled: Any, stop: Any) -> None:
    """Makes a new process a worker, which does not outlive the study."""
    threading.Thread(target=end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    settled.set()
    _worker.update(data=gifts.get(), news=news, stop=stop, rulers={})


def end_with(parent: Any) -> None:
    """Ends this process when its parent has ended, however that did."""
    parent.join()
    os._exit(1)


def _perform_in_worker(task: Task) -> str:
    watch = partial(_tell, _worker["news"].put, task.name)
    return perform(task, _worker["data"], _worker["rulers"], _worker["stop"].is_set, watch)
