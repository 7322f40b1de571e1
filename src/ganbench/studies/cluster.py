"""A study's runs on a Dask cluster, whose workers may be other machines and need no common file system."""

from __future__ import annotations

import io
import math
import pickle
import tarfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ganbench import fitting
from ganbench.data import DataSet
from ganbench.studies.workers import Contact, Data, News, Task, Workers, error_file, perform
from ganbench.types import UsageError, WorkError
from ganbench.workbench import Rulers

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = 5.0
"""Seconds in which a scheduler must answer."""

TICK = 0.2
"""Seconds between the study's looks at what came from the cluster."""

RHYTHM = 1.0
"""Seconds between a run's messages to the scheduler, which hundreds of workers may share."""


def dask_workers(address: str) -> Workers:
    """The workers of the Dask cluster whose scheduler answers at an address, such as `tcp://10.0.0.1:8786`.

    They do each run in a temporary folder of theirs; the study's folder gets it when it ends or is interrupted. All
    of them, and the scheduler, need ganbench and what it rests on in the same versions as here. Workers may come and
    go. A run whose worker dies is begun again by another, from where this study began it; one that has killed more
    workers than the scheduler's `allowed-failures` has failed.

    The workers raise, when they are given runs:
        UsageError: the runs hold objects that cannot be pickled, or a worker has several threads.
        WorkError: the scheduler went away or was reset, or the workers cannot do runs at all.

    Raises:
        UsageError: the package distributed is missing, or no scheduler answers.
    """
    if find_spec("distributed") is None:
        raise UsageError('scheduler: the package distributed is needed: pip install "ganbench[scale]"')
    _connected(address).close()
    return partial(_perform_all, address=address)


def _connected(address: str) -> Client:
    from distributed import Client

    try:
        return Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError):
        raise UsageError(f"scheduler: no Dask scheduler answers at {address}, such as tcp://10.0.0.1:8786") from None


def _perform_all(tasks: Sequence[Task], data: Data, contact: Contact, address: str) -> None:
    import dask

    # Dask warns of tasks of some megabytes, as it does not expect them to be a training's data.
    with _connected(address) as client, dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
        try:
            desk = _Desk(client, {task.configuration.data: data[task.configuration.data] for task in tasks}, contact)
            for bystander in desk.perform(tasks):
                if not contact.interrupted() and desk.perform([bystander]):
                    contact.on_done(bystander, _failed(bystander, "its workers died before it began"))
        except (OSError, CancelledError) as error:
            if isinstance(error, OSError) and client.status == "running":  # such as a full disk
                raise
            raise WorkError("the Dask scheduler dropped the runs; the same command goes on with what is left") from None


class _Desk:
    """The study's side: what is sent to the cluster, and what comes back."""

    def __init__(self, client: Client, data: Data, contact: Contact) -> None:
        from distributed import Event

        self.client, self.contact = client, contact
        self.study = f"ganbench-{uuid4().hex}"
        self.stop, self.stopping = Event(self.study, client), False
        self.trouble: Exception | None = None
        self.begun: set[str] = set()
        self.told: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
        client.subscribe_topic(self.study, lambda event: self.told.put(event[1]))
        # Data that are a task's result, unlike scattered ones, are made anew when the workers that held them have died.
        self.shelves = {source: client.submit(_Shelf, found, pure=False) for source, found in data.items()}

    def perform(self, tasks: Sequence[Task]) -> list[Task]:
        """Does runs until all have ended, or all that are at work were stopped.

        Gives those that Dask gave up though they never began: others killed the workers at which they waited.
        """
        from distributed import as_completed

        running = {self._submit(task): task for task in tasks}
        results = as_completed(running, loop=self.client.loop)
        bystanders = []
        while running and not self._is_deserted():
            ended = results.next_batch(block=False)
            self._listen()  # after the look at the results: what was told before a run's end is heard before it
            for task, future in [(running.pop(future), future) for future in ended]:
                if not self._receive(task, future):
                    bystanders.append(task)
            self._stop_if_asked()
            time.sleep(TICK)
        if self.stopping:
            self.stop.clear()  # else the scheduler would keep it for ever
        if self.trouble:
            raise self.trouble
        return bystanders

    def _submit(self, task: Task) -> Future:
        import cloudpickle

        try:
            # As bytes: what a worker cannot unpickle in its mail from the scheduler ends the worker itself.
            pickled = cloudpickle.dumps(task)
        except Exception as error:  # pickling runs code of the person's objects, which may raise anything
            raise UsageError(f"{task.name} cannot be handed to other machines ({error}); use local workers") from None
        shelf = self.shelves[task.configuration.data]
        return self.client.submit(_perform, pickled, _packed(task.folder), shelf, self.study, pure=False)

    def _listen(self) -> None:
        while not self.told.empty():
            told = self.told.get()
            self.begun.add(told["name"])
            if told["progress"]:
                self.contact.on_news(News(told["name"], fitting.Progress(**told["progress"])))

    def _receive(self, task: Task, future: Future) -> bool:
        """Puts a run's folder where it belongs and tells how it ended; False if it never began.

        What is no run's own fault, such as a worker that cannot do any, is the study's: it would soon fail them all.
        """
        from distributed import KilledWorker

        try:
            status, packed = future.result()
            _unpack(packed, task.folder)
        except KilledWorker as error:
            if task.name not in self.begun:
                return False
            status = _failed(task, f"{error.allowed_failures + 1} workers died of it")
        except CancelledError:
            raise
        except (UsageError, OSError) as error:
            self.trouble = error
            return True
        except Exception as error:
            self.trouble = WorkError(f"the Dask workers cannot do the runs: {type(error).__name__}: {error}")
            return True
        self.contact.on_done(task, status)
        return True

    def _stop_if_asked(self) -> None:
        if not self.stopping and (self.trouble or self.contact.interrupted()):
            self.stop.set()
            self.stopping = True

    def _is_deserted(self) -> bool:
        """Whether the study is to stop and no worker is left that could hand back its run."""
        return self.stopping and not self.client.nthreads()


def _failed(task: Task, reason: str) -> str:
    """Tells why a run could not be done; gives its status."""
    error_file(task.folder).write_text(f"{reason}\n", encoding="utf-8")
    return f"failed: {reason}"


@dataclass(slots=True)
class _Shelf:
    """What a worker keeps between the runs of a study: data, and what measures against them."""

    data: DataSet
    rulers: Rulers = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Shelf, (self.data,)  # each worker makes rulers of its own, as it needs them


class _Line:
    """A run's line from its worker to the study."""

    def __init__(self, name: str, study: str) -> None:
        from distributed import Event, get_worker

        self.name, self.study, self.worker = name, study, get_worker()
        self.key, self.stop = self.worker.get_current_task(), Event(study)
        self.stopped = False
        self.asked = self.told = -math.inf

    def interrupted(self) -> bool:
        """Whether the study says stop, or is no longer there."""
        now = time.monotonic()
        if not self.stopped and now - self.asked >= RHYTHM:
            self.asked = now
            self.stopped = self._is_unwanted() or self.stop.is_set()
        return self.stopped

    def _is_unwanted(self) -> bool:
        """Dask cannot end what a thread does: without this the runs of a killed study would go on for hours."""
        task = self.worker.state.tasks.get(self.key)
        return task is None or task.state == "cancelled"

    def begin(self) -> None:
        """Tells that it is this run that dies if the worker does."""
        self.worker.log_event(self.study, {"name": self.name, "progress": None})

    def tell(self, progress: fitting.Progress) -> None:
        now = time.monotonic()
        if now - self.told >= RHYTHM:
            self.told = now
            self.worker.log_event(self.study, {"name": self.name, "progress": asdict(progress)})


def _perform(pickled: bytes, unfinished: bytes, shelf: _Shelf, study: str) -> tuple[str, bytes]:
    """On a worker: does a run or goes on with it; gives its status and its folder."""
    task: Task = pickle.loads(pickled)
    line = _Line(task.name, study)
    if line.worker.state.nthreads > 1:
        raise UsageError(
            f"the Dask worker {line.worker.address} has {line.worker.state.nthreads} threads, which would disturb "
            "each other's runs; start workers with --nthreads 1, and more of them by --nworkers"
        )
    line.begin()
    with TemporaryDirectory(dir=line.worker.local_directory) as here:
        folder = Path(here) / task.folder.name
        _unpack(unfinished, folder)
        source = task.configuration.data
        moved = replace(task, folder=folder)
        status = perform(moved, {source: shelf.data}, {source: shelf.rulers}, line.interrupted, line.tell)
        return status, _packed(folder)


def _packed(folder: Path) -> bytes:
    """A run's folder and what tells why it failed, so far as they are there, as a tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in (folder, error_file(folder)):
            if path.exists():
                tar.add(path, path.name)
    return buffer.getvalue()


def _unpack(packed: bytes, folder: Path) -> None:
    """Puts what was packed in the place of a run's folder, which is at no time half there."""
    with TemporaryDirectory(dir=folder.parent, prefix=".") as temporary:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(temporary, filter="data")
        for path in (folder, error_file(folder)):
            old, new = Path(temporary) / f"old-{path.name}", Path(temporary) / path.name
            if path.exists():
                path.rename(old)
            if new.exists():
                new.rename(path)
