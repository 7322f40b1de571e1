"""What a person sees of a search at work: one live line on a terminal, a line a trial elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import optuna
from optuna.trial import TrialState
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ganbench.tuning.trials import SNAPSHOTS, Tried, tried


@contextmanager
def watching(study: optuna.Study, total: int, guide: str) -> Iterator[Callable[[], None]]:
    """While the block lasts, each call shows how far the search is: trials done, the best so far, time left."""
    console = Console(stderr=True)
    live = console.is_terminal or console.is_jupyter
    known = {trial.number for trial in tried(study)}
    columns = (TextColumn("{task.completed:.1f} of {task.total} trials"), BarColumn(bar_width=24))
    with Progress(
        *columns,
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not live,
    ) as bar:
        shown = bar.add_task("starting", total=total, completed=len(known))

        def show() -> None:
            done = tried(study)
            for trial in done:
                if trial.number not in known and not live:
                    console.print(told(trial, guide), highlight=False, markup=False)
                known.add(trial.number)
            running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            begun = sum((trial.last_step or 0) / SNAPSHOTS for trial in running)
            bar.update(shown, completed=len(done) + begun, description=_best(done, guide))

        yield show


def _best(done: list[Tried], guide: str) -> str:
    values = [trial.value for trial in done if trial.state == "finished" and trial.value is not None]
    return f"best {guide} {min(values):.4g}" if values else "no trial finished yet"


def told(trial: Tried, guide: str) -> str:
    """A trial's end in a line."""
    match trial.state:
        case "finished":
            return f"trial {trial.number}: {guide} {trial.value:.4g} after {trial.seconds:.1f} s of training"
        case "pruned":
            at = f"{trial.snapshots} of {SNAPSHOTS} snapshots"
            return f"trial {trial.number}: pruned at {guide} {trial.value:.4g} after {at}"
    return f"trial {trial.number}: {trial.state}: {trial.cause}"
