"""`ganbench sample`: generated points from a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.errors import UsageError


def command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")],
    out: Annotated[Path, typer.Option(help="A file: .npy, .npz or .csv for the points, .png for a picture.")],
    labels: Annotated[str | None, typer.Option(help="Labels to ask for, such as 0,1,2 (runs with labels).")] = None,
    seed: Annotated[int, typer.Option(help="The seed of the noise.")] = 0,
    checkpoint: Annotated[str, typer.Option(help="best, last, or a round that has a checkpoint.")] = "best",
) -> None:
    """Write generated points, in the data's own units."""
    from ganbench.api import load
    from ganbench.data.writing import WRITERS, write_points
    from ganbench.figures.animation import save_png

    if labels is not None:
        raise UsageError(f"--labels: {run} was trained on points, which have no labels")
    if out.suffix not in WRITERS and out.suffix != ".png":
        raise UsageError(f"--out {out}: points are written as {', '.join(WRITERS)} or .png, not {out.suffix!r}")
    opened = load(run)
    bench = opened.workbench(int(checkpoint) if checkpoint.isascii() and checkpoint.isdigit() else checkpoint)
    if out.suffix == ".png":
        save_png(bench.scatter(count, seed=seed), out)
        print(f"round {bench.state.round:,}, at most 1,500 points of each: {out}")
        return
    write_points(bench.sample(count, seed), out, opened.data.columns)
    print(f"{count:,} points of round {bench.state.round:,}: {out}")
