"""`ganbench evaluate`: a run or samples against data."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    what: Annotated[str, typer.Argument(help="A run's folder, or a file of samples (.npy .npz .csv .mat).")],
    against: Annotated[str, typer.Option(help="The data: a built-in set or a file.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure generated points against data, beside the data's own floor."""
    import json as encoder

    from ganbench.api import evaluate
    from ganbench.metrics import METRICS
    from ganbench.runs import plain

    result = evaluate(what, against)
    if json:
        print(encoder.dumps(plain(result), indent=1))
        return
    print(f"{what} against {result['against']}, distances over {result['count']:,} points")
    print(f"{'':16}{'measured':>12}{'floor':>12}")
    for name, value in result["metrics"].items():
        print(f"{name:<16}{value:>12.4g}{result['floor'][name]:>12.4g}   {METRICS[name].meaning}")
