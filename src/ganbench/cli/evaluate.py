"""`ganbench evaluate`: a run or samples against data."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    what: Annotated[
        str, typer.Argument(help="A run's folder, a folder of images, or a file of samples (.npy .npz .csv .mat).")
    ],
    against: Annotated[str, typer.Option(help="The data: a name, a file or a folder.")],
    features: Annotated[
        str | None,
        typer.Option(help="For images: auto, mnist-cnn, ..., random-conv, a .safetensors file, or inception:PATH."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure what was generated against data, beside the data's own floor."""
    import json as encoder

    from ganbench.api import evaluate
    from ganbench.metrics import METRICS
    from ganbench.runs import plain

    result = evaluate(what, against, features)
    if json:
        print(encoder.dumps(plain(result), indent=1))
        return
    over = f", features of {result['features']}" if "features" in result else ""
    print(f"{what} against {result['against']}, distances over {result['count']:,} of each{over}")
    print(f"{'':16}{'measured':>12}{'floor':>12}")
    for name, value in result["metrics"].items():
        floor = result["floor"].get(name, float("nan"))
        print(f"{name:<16}{value:>12.4g}{floor:>12.4g}   {METRICS[name].meaning}")
