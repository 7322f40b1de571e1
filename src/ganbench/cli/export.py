"""`ganbench export`: a run's generator as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.errors import UsageError


def command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")],
    checkpoint: Annotated[str, typer.Option(help="best, last, or a round that has a checkpoint.")] = "best",
) -> None:
    """Write the generator that `sample` draws from as ONNX, and check it against torch.

    The inputs are z (batch, noise) and, where the generator takes them, label (batch,) and code (batch, code).

    The output x is in the data's own units, or images (batch, channels, height, width) from 0 to 1.
    """
    if out.suffix != ".onnx":
        raise UsageError(f"--out {out}: a generator is exported to a file that ends in .onnx")
    from ganbench.api import load
    from ganbench.export import COMPARED, write_onnx

    bench = load(run).workbench(checkpoint)
    difference = write_onnx(bench, out)
    print(f"the generator of {bench.title}: {out}")
    print(f"greatest difference from torch on {COMPARED} latents: {difference:.1e}")
