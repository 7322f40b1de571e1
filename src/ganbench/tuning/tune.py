"""A search from its beginning, or from where it was stopped, to its report."""

from __future__ import annotations

from dataclasses import replace

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from ganbench import fitting
from ganbench.data import DataSet
from ganbench.errors import first_line
from ganbench.interrupts import interruptible
from ganbench.launch import cores
from ganbench.metrics.guides import guide_of
from ganbench.studies import local_workers
from ganbench.tuning.display import watching
from ganbench.tuning.findings import Findings, confirm, write
from ganbench.tuning.importance import importance
from ganbench.tuning.pages import write_report
from ganbench.tuning.search import Search, begun, default_storage
from ganbench.tuning.space import check
from ganbench.tuning.trials import tried
from ganbench.tuning.workers import try_all
from ganbench.types import WorkError
from ganbench.workbench import Workbench


def tune(
    search: Search,
    data: DataSet,
    *,
    trials: int,
    jobs: int | None = None,
    storage: str | None = None,
    confirmation: int = 5,
) -> tuple[Findings, bool]:
    """Tries settings until there are so many trials, confirms the best, writes what was found.

    Also says whether all was done. Trials that there are already count.

    Raises:
        UsageError: a setting that a field does not take, or a folder or a storage that cannot be used; nothing has
            been made then.
        WorkError: the storage failed in between.
    """
    check(search.space, lambda settings: Workbench(search.configuration(settings), data))
    bench = Workbench(search.configuration({}), data)
    fitting.check(bench)
    floor = bench.ruler(bench.configuration.measure.count).floor
    guide = guide_of(floor)
    jobs, place = jobs or cores(), storage or default_storage(search.path)
    with begun(search, data, storage, jobs) as study:
        with interruptible() as interrupted, watching(study, trials, guide) as tell:
            try:
                try_all(
                    search, study, data, storage=place, trials=trials, jobs=jobs, interrupted=interrupted, tell=tell
                )
            except (SQLAlchemyError, StorageInternalError) as error:
                reason = first_line(error)
                raise WorkError(f"the trials' storage failed, and the same command goes on: {reason}") from None
            complete = not interrupted()
        findings = Findings(search, data, guide, floor[guide], tried(study), importance(study))
        if complete and confirmation and findings.changes and findings.best:
            results, complete = confirm(search, data, findings.best, confirmation, local_workers(jobs))
            findings = replace(findings, confirmation=results)
        write(findings)
        write_report(findings)
        return findings, complete
