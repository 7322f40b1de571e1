"""Runs an hour of a study with two workers against one, on a machine with two free cores.

    python benchmarks/workers.py

The same twenty runs with their measurements and pictures, as whole commands, so that starting the workers is counted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS, ROUNDS, REPEATS = 20, 3000, 1


def seconds(jobs: int) -> float:
    """How long the study takes as a command."""
    words = ["compare", "gan", "--data", "letter-m", "--seeds", str(RUNS), "--rounds", str(ROUNDS), "--jobs", str(jobs)]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [sys.executable, "-m", "ganbench", *words, "--out", f"{folder}/study"]
        subprocess.run(command, check=True, capture_output=True)
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
