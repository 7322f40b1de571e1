"""One live line of progress on a terminal or in a notebook, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from ganbench.fitting import Progress as Reached
from ganbench.fitting import Watcher
from ganbench.metrics.guides import guide_of

PLAIN_EVERY = 5.0
"""Seconds between plain lines."""

CLOSING = "measuring and drawing"
"""What is done after the last round."""


def line(progress: Reached) -> str:
    """Round, speed and last measurement, such as `round 1,200  310 rounds/s  w1 0.0142`, so far as they are known."""
    speed = f"  {_speed(progress.round / progress.seconds)}" if progress.round and progress.seconds else ""
    guide = guide_of(progress.metrics) if progress.metrics else ""
    measured = f"  {guide} {progress.metrics[guide]:.4g}" if guide else ""
    modes = f"  modes {progress.metrics['modes']:.0f}" if "modes" in progress.metrics else ""
    alarmed = f"  ! {progress.alarms}" if progress.alarms else ""
    return f"round {progress.round:,}{speed}{measured}{modes}{alarmed}"


def _speed(rate: float) -> str:
    """Rounds a second, or of slow ones seconds a round."""
    if rate < 1:
        return f"{1 / rate:.1f} s/round"
    return f"{rate:.1f} rounds/s" if rate < 10 else f"{rate:,.0f} rounds/s"


@contextmanager
def watching(title: str, console: Console | None = None) -> Iterator[Watcher]:
    """A watcher that shows a training's progress on stderr while the block lasts."""
    console = console or Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield _plain(title)
        return
    columns = (
        SpinnerColumn(),
        TextColumn(escape(title).replace("{", "{{").replace("}", "}}")),
        BarColumn(bar_width=24),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda reached: bar.update(
            task, completed=reached.share, description=line(reached) + (f"  {CLOSING}" if reached.share >= 1 else "")
        )


def _plain(title: str) -> Watcher:
    last = 0.0

    def watch(reached: Reached) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PLAIN_EVERY or reached.share >= 1:
            last = now
            share = min(reached.share, 1.0)  # by the clock, the last round ends a little late
            left = f"{reached.seconds * (1 / share - 1) if share else 0.0:.0f} s left" if share < 1 else CLOSING
            print(f"{title}  {line(reached)}  {share:.0%}  {left}", file=sys.stderr, flush=True)

    return watch
