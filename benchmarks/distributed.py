"""Rounds a second of one process with two threads against two processes with one, which share each batch.

    python benchmarks/distributed.py

`text-gan` on the built-in digits in batches of 64, and `gan` on the letter M in batches of 500, as whole commands that
take turns three times; seconds are those of the rounds alone.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPEATS = 3
CASES = {("text-gan", "digits"): 60, ("gan", "letter-m"): 1500}
SMALL = ["--set", "measure.count=64", "--set", "measure.final=64"]


def rate(recipe: str, data: str, rounds: int, processes: int) -> float:
    """Rounds a second of one training."""
    start = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"] if processes > 1 else []
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        words = ["ganbench", "train", recipe, "--data", data, "--rounds", str(rounds), "--out", str(run), *SMALL]
        words += ["--threads", str(2 // processes), "--snapshot-every", str(rounds)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(2 // processes)}
        subprocess.run([sys.executable, "-m", *start, *words], check=True, capture_output=True, env=environment)
        return rounds / json.loads((run / "summary.json").read_text())["seconds"]


def main() -> None:
    print("recipe      data        one process   two processes   ratio")
    for (recipe, data), rounds in CASES.items():
        pairs = [(rate(recipe, data, rounds, 1), rate(recipe, data, rounds, 2)) for _ in range(REPEATS)]
        one, two = (statistics.median(rates) for rates in zip(*pairs, strict=True))
        ratios = sorted(second / first for first, second in pairs)
        middle = statistics.median(ratios)
        print(f"{recipe:<12}{data:<12}{one:>9.1f}/s{two:>14.1f}/s{middle:>9.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
