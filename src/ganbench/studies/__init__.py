"""Many runs and the conclusion from them."""

from __future__ import annotations

from ganbench.studies.pages import write_report
from ganbench.studies.results import Results, read_results, write_results
from ganbench.studies.study import Study, run_all
from ganbench.studies.workers import Workers, local_workers


def carry_out(study: Study, workers: Workers) -> tuple[Results, bool]:
    """Does the runs that are left, writes table, summary and report; also says whether all was done."""
    complete = run_all([study], workers)
    results = read_results(study)
    write_results(results, study)
    write_report(results, study)
    return results, complete


__all__ = ["Results", "Study", "carry_out", "local_workers", "read_results", "run_all", "write_report", "write_results"]
