"""From a configuration to a finished run: training with measurements, checkpoints and pictures along the way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from ganbench import checkpoints, sharing
from ganbench.alarms import Alarm, Watch
from ganbench.configuration import from_flat
from ganbench.data import load
from ganbench.data.images import Images
from ganbench.divergence import why_diverged
from ganbench.gallery import gallery_for
from ganbench.interrupts import interruptible
from ganbench.locks import alone
from ganbench.machine import settle
from ganbench.metrics.guides import guide_of
from ganbench.runs import RunFolder
from ganbench.tracking import Tracker, require_tracking, tracker_for
from ganbench.training import Report
from ganbench.types import UsageError, WorkError
from ganbench.workbench import EPOCHS, Workbench

SNAPSHOTS = 12
LOG_LINES = 400


@dataclass(frozen=True, slots=True)
class Progress:
    """What a watcher is told: how far the training is, and the last measurement."""

    round: int
    seconds: float
    share: float
    metrics: dict[str, float]
    alarms: str = ""


Watcher = Callable[[Progress], None]


def fit(
    bench: Workbench,
    folder: RunFolder,
    *,
    resume: bool = False,
    watch: Watcher = lambda progress: None,
    interrupted: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Trains to the end of the span, to an interruption or to divergence; gives the run's summary.

    Between rounds `interrupted` is asked whether to stop; by default Ctrl-C and termination signals say so.

    Raises:
        UsageError: another process is at work on the run, or what it was begun with has changed.
        WorkError: another process of the training, or what streams the data, is gone.
    """
    with alone(folder.path):
        session = Session(bench, folder)
        if resume:
            session.restore()
        sharing.tell(lambda: Orders.of(bench, folder))
        try:
            if interrupted is None:
                with interruptible() as signalled:
                    session.run(signalled, watch)
            else:
                session.run(interrupted, watch)
        except WorkError as error:
            kept = checkpoints.read_last(folder.checkpoints)
            told = f"{error}; round {kept.round if kept else 0} is kept, and {_going_on(folder.path)}"
            raise type(error)(told) from error
        return session.finish()


def _going_on(path: object) -> str:
    return f"`ganbench train --resume --out {path}` goes on from there, with any number of processes"


@dataclass(frozen=True, slots=True)
class Orders:
    """What the first process of a shared training tells the others: all that decides it, and where it stands."""

    path: str
    tree: dict[str, Any]
    told_sha256: str
    tensors: dict[str, Tensor]
    counters: dict[str, Any]

    @classmethod
    def of(cls, bench: Workbench, folder: RunFolder) -> Orders:
        """Raises UsageError where the others could not read the data."""
        if folder.keeps_data:
            raise UsageError(
                f"{folder.path}: its data were given as an array, which only one process has: go on with one"
            )
        tensors = {name: tensor.cpu() for name, tensor in bench.state.tensors().items()}
        return cls(str(folder.path), bench.configuration.tree(), bench.told_sha256, tensors, bench.state.counters())


def follow() -> None:
    """The part of every process but the first in a shared training: to play the same rounds.

    Raises:
        UsageError: the data are other ones on this machine.
        LostError: another process was lost.
    """
    orders: Orders = sharing.heard()
    configuration = from_flat(orders.tree)
    bench = Workbench(configuration, load(configuration.data, configuration.images or Images()))
    if bench.told_sha256 != orders.told_sha256:
        raise UsageError(f"{configuration.data}, or its clusters, are not the same here as for the first process")
    bench.state.restore(orders.tensors, orders.counters)
    try:
        with interruptible() as signalled, closing(bench.play()) as reports:
            for _ in reports:
                if signalled():
                    break
    except sharing.LostError as error:
        raise sharing.LostError(f"{error}; {_going_on(orders.path)}") from error


def check(bench: Workbench) -> None:
    """Finds what would stop a training at its first snapshot. Raises UsageError where something would."""
    bench.ruler(bench.configuration.measure.count)
    require_tracking(bench.configuration)


class Session:
    """One process's work on a run: a training, and the folder that holds what it came to."""

    def __init__(self, bench: Workbench, folder: RunFolder) -> None:
        settle(bench.configuration.threads)
        self.bench, self.folder = bench, folder
        self.gallery = gallery_for(folder, bench)
        self.watch = Watch(bench)
        self.alarms: list[Alarm] = []
        self.tracker: Tracker | None = None
        self.status, self.cause = "finished", ""
        self.measured: dict[str, float] = {}
        self.lowest = float("inf")
        self.measuring = 0.0

    def restore(self) -> None:
        """Goes back to the newest whole checkpoint, or to the start where there is none.

        Raises:
            UsageError: the data are not those that the run was begun with, the file of the features is not, or the run
                is one of a GPU and this process uses none, or the other way round.
        """
        checkpoint = checkpoints.read_last(self.folder.checkpoints)
        if checkpoint is None:
            self.folder.rewind(-1)
            return
        self.bench.require_same_device(checkpoint)
        self.bench.restore(checkpoint)
        self.bench.require_same_features(checkpoint)
        self.measuring = checkpoint.facts["measuring"]
        self.watch.recall(checkpoint.facts["watch"])
        self.folder.rewind(checkpoint.round)
        last = -1
        for row in self.folder.rows("metrics"):
            self.measured, last = _metrics(row), row["round"]
            guided = row[guide_of(row)]
            self.lowest = min(self.lowest, math.inf if guided is None else guided)
        self.alarms = [_alarm(row) for row in self.folder.rows("alarms") if row["round"] >= last]

    def run(self, interrupted: Callable[[], bool], watch: Watcher) -> None:
        """Trains until the span, the user or the numbers say stop."""
        share, epoch = self.bench.share, self.bench.epoch
        begun = bool(self.folder.rows("metrics"))
        done = self.bench.state.round if begun else -1
        self.tracker = tracker_for(self.bench.configuration, self.folder.path, done)
        if not begun:
            self.snapshot()
        with closing(self.bench.play()) as reports:
            for report in reports:
                before, share = share, self.bench.share
                epoch_before, epoch = epoch, self.bench.epoch
                due = self._snapshot_due(before, share) or self._epoch_due(epoch_before, epoch)
                if due or _crossed(before, share, LOG_LINES):
                    sound = self.log(report)
                    alarms = ", ".join(alarm.short for alarm in self.alarms)
                    watch(Progress(report.round, report.seconds, share, self.measured, alarms))
                    if not sound:
                        return
                if due:
                    self.snapshot()
                if share < 1 and interrupted():
                    break
        if self.bench.share < 1 and self._is_sound({}):  # this process was asked to stop, or another that shares in it
            self.status = "interrupted"
            self.checkpoint(best=False)

    def _snapshot_due(self, before: float, share: float) -> bool:
        every = self.bench.configuration.snapshot_every
        if every is None:
            return _crossed(before, share, SNAPSHOTS)
        return share >= 1 or self.bench.state.round % every == 0

    def _epoch_due(self, before: float, epoch: float) -> bool:
        return self.bench.data.medium != "points" and any(before < due <= epoch for due in EPOCHS)

    def log(self, report: Report) -> bool:
        """Writes the losses down; False, with a likely cause, if they or the weights are no longer finite."""
        losses = {name: float(loss) for name, loss in report.losses.items()}
        self.folder.append("log", {"round": report.round, "seconds": report.seconds, **losses})
        if self.tracker:
            self.tracker.losses(report.round, losses)
        if alarm := self.watch.divergence(losses):
            self._tell(alarm)
            self.alarms = [*(each for each in self.alarms if each.kind != alarm.kind), alarm]
        return self._is_sound(losses)

    def _tell(self, alarm: Alarm) -> None:
        self.folder.append("alarms", {"round": self.bench.state.round, **asdict(alarm)})

    def _is_sound(self, losses: dict[str, float]) -> bool:
        self.cause = why_diverged(self.bench.state, self.bench.recipe, losses)
        if self.cause:
            self.status = "diverged"
        return not self.cause

    def snapshot(self) -> None:
        """Measures, keeps and draws the state as it is.

        The best checkpoint is the last one that is as good as any, within the floor's spread: the lowest of a dozen
        noisy figures is low by luck, and among those that the noise cannot tell apart the longest trained is the best
        guess.
        """
        start = time.perf_counter()
        self.measured = self.bench.measure() | self.bench.estimate()
        self.measuring += time.perf_counter() - start
        state = self.bench.state
        self.alarms = self.watch.alarms(self.measured)
        for alarm in self.alarms:
            self._tell(alarm)
        if runaway := self.watch.runaway():  # which the log tells
            self.alarms.append(runaway)
        epoch = {"epoch": self.bench.epoch} if self.bench.data.medium != "points" else {}
        self.folder.append("metrics", {"round": state.round, "seconds": state.seconds, **epoch, **self.measured})
        self.gallery.snapshot(self.measured)
        if self.tracker:
            self.tracker.snapshot(state.round, self.measured, self.folder.figures / f"{state.round:08d}.png")
        guide = guide_of(self.measured)
        self.lowest = min(self.lowest, self.measured[guide])
        spread = self.bench.ruler(self.bench.configuration.measure.count).floor_spread[guide]
        self.checkpoint(best=self.measured[guide] <= self.lowest + spread)

    def checkpoint(self, *, best: bool) -> None:
        state = self.bench.state
        if self.tracker:
            self.tracker.flush()  # a resumed training goes on from here, and does not write again what was before
        facts = {**state.counters(), "data_sha256": self.bench.fingerprint, "measuring": self.measuring}
        facts |= {"told_sha256": self.bench.told_sha256, "features_sha256": self.bench.features_sha256}
        facts |= {"watch": self.watch.memory()}
        checkpoints.write(self.folder.checkpoints, checkpoints.Checkpoint(state.tensors(), facts), best=best)

    def finish(self) -> dict[str, Any]:
        """The summary; for a run that was not interrupted also the closing measurements and pictures."""
        configuration, state = self.bench.configuration, self.bench.state
        if self.tracker:
            self.tracker.close()
        summary = {
            "recipe": configuration.recipe,
            "data": self.bench.data.name,
            "data_sha256": self.bench.fingerprint,
            "seed": configuration.seed,
            "status": self.status,
            "rounds": state.round,
            "seconds": state.seconds,
            "metrics": self._closing_metrics(),
            "best_round": checkpoints.best_round(self.folder.checkpoints),
            "snapshot_floor": self.bench.ruler(configuration.measure.count).floor,
            "measuring_seconds": self.measuring,
            **self.bench.features,
            **({"features_sha256": self.bench.features_sha256} if self.bench.features_sha256 else {}),
            "alarms": self.folder.rows("alarms"),
            **({"cause": self.cause} if self.cause else {}),
        }
        if self.status != "interrupted":
            self.gallery.finish(summary)
        self.folder.write_summary(summary)  # last: a run that has one is not begun again
        return summary

    def _closing_metrics(self) -> dict[str, dict[str, float]]:
        """Final, best and floor. An interrupted run, which will go on, gives those of its last snapshot."""
        bench, measure = self.bench, self.bench.configuration.measure
        best_round = checkpoints.best_round(self.folder.checkpoints)
        if self.status == "interrupted":
            rows = {row["round"]: _metrics(row) for row in self.folder.rows("metrics")}
            best = rows.get(best_round, self.measured) if best_round is not None else self.measured
            return {"final": self.measured, "best": best, "floor": bench.ruler(measure.count).floor}
        if self.status == "diverged":
            bench.restore(self.folder.checkpoint("last"))
        floor = bench.ruler(measure.final).floor
        start = time.perf_counter()
        final = best = bench.measure(measure.final)
        if best_round != bench.state.round:
            at_best = Workbench(bench.configuration, bench.data, bench.rulers)
            at_best.restore(self.folder.checkpoint("best"))
            best = at_best.measure(measure.final)
        self.measuring += time.perf_counter() - start
        return {"final": final, "best": best, "floor": floor}


def _crossed(before: float, share: float, parts: int) -> bool:
    """Whether the share done has passed a multiple of 1 / parts."""
    return int(before * parts) < int(share * parts)


def _metrics(row: dict[str, Any]) -> dict[str, float]:
    return {k: v for k, v in row.items() if k not in ("round", "seconds", "epoch")}


def _alarm(row: dict[str, Any]) -> Alarm:
    return Alarm(row["kind"], row["number"], row["sentence"])
