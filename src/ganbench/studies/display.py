"""What a person sees of a study at work: runs done, time left, and how the cells stand so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ganbench.metrics.guides import GUIDES, guide_of
from ganbench.progress import line
from ganbench.runs import RunFolder
from ganbench.studies.workers import NOT_BEGUN, News, Task

Watchers: TypeAlias = tuple[Callable[[News], None], Callable[[Task, str], None]]

ROWS = 20
"""Cells that the standing table shows at most: the best ones of each experiment."""


@contextmanager
def watching(tasks: Mapping[str, Sequence[Task]], left: Sequence[Task]) -> Iterator[Watchers]:
    """Shows a study while the block lasts: live on a terminal, else a line a run. `tasks` has each cell's runs."""
    console = Console(stderr=True)
    total = sum(map(len, tasks.values()))
    shares: dict[str, float] = {}
    begin, ended = time.monotonic(), 0
    columns = (TextColumn("{task.completed:.1f} of {task.total} runs"), BarColumn(bar_width=24), TimeRemainingColumn())
    bar = Progress(*columns, TextColumn("{task.description}", markup=False), console=console)
    shown = bar.add_task("starting", total=total, completed=total - len(left))
    live = console.is_terminal or console.is_jupyter

    def on_news(news: News) -> None:
        shares[news.name] = news.progress.share
        bar.update(shown, completed=total - len(left) + sum(shares.values()))
        bar.update(shown, description=f"{news.name}: {line(news.progress)}")

    def on_done(task: Task, status: str) -> None:
        nonlocal ended
        if status == NOT_BEGUN:
            return
        if status != "interrupted":
            ended += 1
            shares[task.name] = 1.0
        told = f"{task.name}: {_ending(task, status)}  [{so_far()}]"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
        if live:
            view.update(Group(_standing(tasks), bar))

    def so_far() -> str:
        done = sum(shares.values())
        rest = f", about {_span((time.monotonic() - begin) * (len(left) / done - 1))} left" if done else ""
        return f"{total - len(left) + ended} of {total}{rest if ended < len(left) else ''}"

    if not live:
        if left:
            console.print(f"{len(left)} of {total} runs are to be done; each is told of when it ends", highlight=False)
        yield on_news, on_done
        return
    with Live(Group(_standing(tasks), bar), console=console, transient=True, refresh_per_second=4) as view:
        yield on_news, on_done


def _ending(task: Task, status: str) -> str:
    summary = RunFolder(task.folder).summary
    if status != "finished" or summary is None or not summary["metrics"]["floor"]:
        return status
    final = summary["metrics"]["final"]
    return f"{guide_of(final)} {final[guide_of(final)]:.4g} after {summary['seconds']:.1f} s of training"


def _span(seconds: float) -> str:
    """A time in a person's units.

    >>> _span(50), _span(2400), _span(9000)
    ('50 s', '40 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _standing(tasks: Mapping[str, Sequence[Task]]) -> Table:
    """The mean so far of each cell that has a run, the best first; experiments, each a folder, one after the other."""
    experiments: dict[Path, list[tuple[float, str, str]]] = {}
    for cell, runs in tasks.items():
        finals = [s["metrics"]["final"] for run in runs if (s := RunFolder(run.folder).summary)]
        values = [final[guide_of(final)] for final in finals if final.keys() & set(GUIDES)]
        known = [value for value in values if value is not None]
        if known:
            row = (float(np.mean(known)), cell, f"{len(finals)} of {len(runs)}")
            experiments.setdefault(runs[0].folder.parent, []).append(row)
    table = Table(box=None, show_header=bool(experiments), padding=(0, 2, 0, 0))
    for name in ("cell", "runs", "mean so far"):
        table.add_column(name, justify="left" if name == "cell" else "right")
    for rows in experiments.values():
        for mean, cell, count in sorted(rows)[: max(1, ROWS // len(experiments))]:
            table.add_row(escape(cell), count, f"{mean:.4g}")
    return table
