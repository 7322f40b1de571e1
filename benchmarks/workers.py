"""Runs an hour of a study with two workers against one, on a machine with two free cores.

    python benchmarks/workers.py

The same eight short runs, with their measurements and pictures, by one worker process and by two; three times in turn.
Starting the workers is part of a study and is counted.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from ganbench.data import load_points
from ganbench.studies.grid import cells
from ganbench.studies.study import Study

RUNS, ROUNDS, REPEATS = 8, 3000, 3


def seconds(jobs: int) -> float:
    """How long the study takes; one job too is given a process of its own, so that both pay for starting one."""
    with tempfile.TemporaryDirectory() as folder:
        study = Study(
            Path(folder),
            load_points("letter-m"),
            "letter-m",
            cells({"gan": "gan"}, fixed=[("rounds", ROUNDS)]),
            RUNS,
            "",
        )
        start = time.perf_counter()
        study.run(jobs)
        return time.perf_counter() - start


def main() -> None:
    print(f"{os.cpu_count()} cores; {RUNS} runs of {ROUNDS} rounds")
    ratios = []
    for _ in range(REPEATS):
        one, two = seconds(1), seconds(2)
        ratios.append(one / two)
        print(f"one worker {3600 * RUNS / one:.0f} runs an hour, two {3600 * RUNS / two:.0f}: ratio {ratios[-1]:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
