"""Many runs and the conclusion from them."""

from __future__ import annotations

import os

from ganbench.studies.pages import write_report
from ganbench.studies.results import Results, read_results, write_results
from ganbench.studies.study import Study


def carry_out(study: Study, jobs: int | None = None) -> tuple[Results, bool]:
    """Does the runs that are left, writes table, summary and report; also says whether all was done.

    By default there is a worker a core, though not more than there are runs.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    complete = study.run(jobs or min(cores, len(study.cells) * study.seeds))
    results = read_results(study)
    write_results(results, study)
    write_report(results, study)
    return results, complete
