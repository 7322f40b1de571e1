"""Runs spread over processes, a single-threaded one a core; each run's folder holds what became of it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty
from typing import Any

from ganbench import fitting
from ganbench.configuration import Configuration
from ganbench.data import PointSet
from ganbench.metrics import PointRuler
from ganbench.runs import RunFolder
from ganbench.workbench import Workbench

ATTEMPTS = 2
"""How often a run is tried whose worker dies: once more, since another run may have taken the memory."""


@dataclass(frozen=True, slots=True)
class Task:
    """One run to be done."""

    name: str
    configuration: Configuration
    folder: Path


@dataclass(frozen=True, slots=True)
class News:
    """What a worker says of its run: how far it is."""

    name: str
    progress: fitting.Progress


def perform(
    task: Task,
    data: PointSet,
    rulers: dict[int, PointRuler],
    interrupted: Callable[[], bool],
    watch: fitting.Watcher,
) -> str:
    """Does a run or goes on with it; gives its status, or `failed: ...`.

    A run that cannot be done must not end the study, so whatever happens becomes a status.
    """
    if interrupted():
        return "interrupted"
    try:
        bench = Workbench(task.configuration, data, rulers)
        resume = (task.folder / "config.yaml").exists()
        folder = RunFolder(task.folder) if resume else RunFolder.create(task.folder, task.configuration)
        error_file(task.folder).unlink(missing_ok=True)
        summary = fitting.fit(bench, folder, resume=resume, watch=watch, interrupted=interrupted)
        return summary["status"]
    except Exception as error:
        error_file(task.folder).parent.mkdir(parents=True, exist_ok=True)
        error_file(task.folder).write_text(traceback.format_exc(), encoding="utf-8")
        return f"failed: {type(error).__name__}: {error}"


def error_file(folder: Path) -> Path:
    """Where the reason is told why a run could not be done: beside its folder, which may not exist."""
    return folder.with_name(f"{folder.name}.error.txt")


def perform_all(
    tasks: Sequence[Task],
    data: PointSet,
    jobs: int,
    *,
    interrupted: Callable[[], bool],
    on_news: Callable[[News], None],
    on_done: Callable[[Task, str], None],
) -> None:
    """Does all tasks with so many workers; a worker that dies takes only its own run with it.

    With one job the runs are done in this process, which a person's own objects need that cannot be pickled.
    """
    if jobs == 1:
        rulers: dict[int, PointRuler] = {}
        for task in tasks:
            on_done(task, perform(task, data, rulers, interrupted, partial(_tell, on_news, task.name)))
        return
    attempts = dict.fromkeys((task.name for task in tasks), 0)
    left = list(tasks)
    while left and not interrupted():
        left = _with_pool(left, data, jobs, attempts, interrupted, on_news, on_done)


def _tell(on_news: Callable[[News], None], name: str, progress: fitting.Progress) -> None:
    on_news(News(name, progress))


def _with_pool(
    tasks: Sequence[Task],
    data: PointSet,
    jobs: int,
    attempts: dict[str, int],
    interrupted: Callable[[], bool],
    on_news: Callable[[News], None],
    on_done: Callable[[Task, str], None],
) -> list[Task]:
    """Does tasks until all are done or the pool breaks; gives those to be tried again."""
    context = multiprocessing.get_context("spawn")
    news, stop = context.Queue(), context.Event()
    started: set[str] = set()
    again: list[Task] = []
    with ProcessPoolExecutor(jobs, context, initializer=_settle, initargs=(data, news, stop)) as pool:
        running = {pool.submit(_perform_in_worker, task): task for task in tasks}
        while running:
            done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            _drain(news, started, on_news)
            for future in done:
                task = running.pop(future)
                status = _status(future)
                if status is not None:
                    on_done(task, status)
                else:
                    attempts[task.name] += task.name in started
                    again.append(task)
            if interrupted():
                stop.set()
    for task in [t for t in again if attempts[t.name] >= ATTEMPTS]:
        again.remove(task)
        error_file(task.folder).write_text(f"its process died {ATTEMPTS} times\n", encoding="utf-8")
        on_done(task, f"failed: its process died {ATTEMPTS} times")
    return again


def _status(future: Future[str]) -> str | None:
    """The run's status, or none where its process died."""
    try:
        return future.result()
    except BrokenProcessPool:
        return None


def _drain(news: Any, started: set[str], on_news: Callable[[News], None]) -> None:
    while True:
        try:
            each = news.get_nowait()
        except Empty:
            return
        if isinstance(each, str):
            started.add(each)
        else:
            on_news(each)


_worker: dict[str, Any] = {}
"""What a worker process keeps between its runs: the data, what measures against them, the queue of news."""


def _settle(data: PointSet, news: Any, stop: Any) -> None:
    """Makes a new process a worker: it leaves Ctrl-C to the study, and does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _worker.update(data=data, news=news, stop=stop, rulers={})


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _perform_in_worker(task: Task) -> str:
    news = _worker["news"]
    news.put(task.name)
    watch = partial(_tell, news.put, task.name)
    return perform(task, _worker["data"], _worker["rulers"], _worker["stop"].is_set, watch)
