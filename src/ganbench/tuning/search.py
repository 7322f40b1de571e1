"""A search: what it varies on what data, the folder that it lives in, and its trials in Optuna's storage."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.trial import TrialState
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ganbench.checkpoints import write_atomically
from ganbench.configuration import Configuration, configure, read_config, without_none
from ganbench.data import DataSet
from ganbench.errors import first_line
from ganbench.locks import alone
from ganbench.seeds import derive
from ganbench.tuning.space import Choice, Space, start_of
from ganbench.types import Medium, UsageError

NOT_PRUNED = 5
"""Finished trials before one is pruned: a median of fewer says little."""

WARM_UP = 3
"""The first snapshot at which a trial may be pruned: before it, those that start fast would win."""

ASKED = "tune.yaml"
"""What was asked for, in the search's folder."""


@dataclass(frozen=True)
class Search:
    """A recipe with some fields `fixed` and a `space` of others, each trial over so many seeds of one data set."""

    path: Path
    recipe: str
    source: str
    medium: Medium
    fixed: tuple[tuple[str, Any], ...]
    space: Space
    seeds: int

    def configuration(self, settings: Mapping[str, Any], seed: int = 0) -> Configuration:
        """The recipe with settings from the space laid over what is fixed."""
        changes = [*self.fixed, *settings.items(), ("seed", seed)]
        return configure(self.recipe, self.source, changes=changes, medium=self.medium)

    @property
    def start(self) -> dict[str, Any]:
        """The settings of the first trial: the recipe's own, as far as they lie in the space."""
        return start_of(self.space, self.configuration({}))

    def settings(self, trial: optuna.Trial) -> dict[str, Any]:
        """What a trial is to try, asked of Optuna."""
        suggested = {key: _suggest(trial, key, range) for key, range in self.space.items()}
        return self.start if trial.user_attrs.get("own") else suggested

    def suggestions(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings as Optuna's storage holds them: choices, which may be lists, as text."""
        choices = {key: range for key, range in self.space.items() if isinstance(range, Choice)}
        return {key: choices[key].text(value) if key in choices else value for key, value in settings.items()}

    def asked(self, data: DataSet) -> dict[str, Any]:
        """All that decides what a trial is worth, as plain values."""
        space = {key: {type(range).__name__.lower(): _plain(asdict(range))} for key, range in self.space.items()}
        configuration = self.configuration({}).tree()
        return {"seeds": self.seeds, "space": space, "data_sha256": data.fingerprint, "configuration": configuration}


def _plain(value: Any) -> Any:
    """Without tuples, for which YAML has no word."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (tuple, list)) else value


def _suggest(trial: optuna.Trial, key: str, range: Any) -> Any:
    if isinstance(range, Choice):
        return range.value(trial.suggest_categorical(key, range.texts))
    if range.whole:
        return trial.suggest_int(key, range.low, range.high, log=range.log)
    return range.rounded(trial.suggest_float(key, range.low, range.high, log=range.log))


def default_storage(path: Path) -> str:
    """The address of the file of trials in a search's folder."""
    return URL.create("sqlite", database=str(path.resolve() / "trials.db")).render_as_string()


@contextmanager
def begun(search: Search, data: DataSet, storage: str | None, jobs: int) -> Iterator[optuna.Study]:
    """The search's trials in its folder, which is made, or in the storage of that address; those there are go on.

    Within, no other process can be at work on the search.

    Raises:
        UsageError: the folder holds something else, the storage cannot be opened or would be another one in each of
            the processes that do the jobs, or another process is at work.
    """
    if storage and jobs > 1 and _is_in_memory(storage):
        raise UsageError(f"--storage {storage}: each process would have its own; give a file, or --jobs 1")
    path, asked = search.path, search.asked(data)
    shown = [each for each in path.iterdir() if not each.name.startswith(".")] if path.is_dir() else []
    if path.is_file() or (shown and not _is_search(path)):
        raise UsageError(f"{path} holds something else than a search; choose another --out")
    known = read_config(path / ASKED) if (path / ASKED).exists() else None
    if known is not None:
        _check_is_the_same(path, known, asked)
    name = known["study"] if known else f"ganbench-{search.recipe}-{uuid.uuid4().hex[:12]}"
    if storage is None:
        _make(path)
    study = connect(storage or default_storage(path), name, create=known is None)
    _make(path)
    with alone(path):
        if known is None:
            written = yaml.safe_dump({"study": name, **asked}, sort_keys=False, allow_unicode=True)
            write_atomically(path / ASKED, written.encode())
        _take_up(study, search)
        yield study


def _is_in_memory(storage: str) -> bool:
    try:
        url = make_url(storage)
    except ArgumentError:
        return False
    return url.get_backend_name() == "sqlite" and ":memory:" in (url.database or ":memory:")


def _is_search(path: Path) -> bool:
    return any((path / name).exists() for name in (ASKED, "trials.db"))


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: the search's folder cannot be made: {error.strerror}") from None


def _check_is_the_same(path: Path, known: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    names = {"seeds": "another number of seeds", "space": "another space", "data_sha256": "other data"}
    names["configuration"] = "other settings"
    for key, what in names.items():
        there, here = known.get(key), yaml.safe_load(yaml.safe_dump(asked[key]))
        if key == "configuration" and isinstance(there, Mapping):
            there, here = without_none(there), without_none(here)
        if there != here:
            raise UsageError(f"{path} holds a search with {what}; choose another --out")


def connect(storage: str, name: str, *, create: bool = False) -> optuna.Study:
    """The trials of that name, in the storage of that address.

    Raises:
        UsageError: there is no such storage, or it has no such trials.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=NOT_PRUNED, n_warmup_steps=WARM_UP)
    try:
        if create:
            return optuna.create_study(storage=storage, study_name=name, pruner=pruner)
        return optuna.load_study(storage=storage, study_name=name, pruner=pruner)
    except KeyError:
        raise UsageError(
            "--storage: the trials of this search are not there; give the address it was begun with"
        ) from None
    except (SQLAlchemyError, ImportError, ValueError, optuna.exceptions.OptunaError) as error:
        reason = first_line(error).rstrip(".")
        raise UsageError(f"--storage: Optuna cannot open it as a database: {reason}") from None


def _take_up(study: optuna.Study, search: Search) -> None:
    """Has the recipe's own settings tried first, and those trials again that were running when a search ended."""
    if not study.get_trials(deepcopy=False):
        study.enqueue_trial(search.suggestions(search.start), user_attrs={"own": True})
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        own = bool(trial.user_attrs.get("own"))
        params = search.suggestions(search.start) if own else trial.params
        study.enqueue_trial(params, user_attrs={"own": own, "again": trial.number})
        study.tell(trial.number, state=TrialState.FAIL)


def sampler(ticket: int, together: bool) -> optuna.samplers.BaseSampler:
    """What proposes settings. Its random numbers follow from the ticket, so that no two trials draw the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        seed = derive(0, "tune", ticket) % 2**32
        return optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=together)
