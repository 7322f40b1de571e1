"""`ganbench data`: what there is to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List and describe data.", no_args_is_help=True)


@app.command(name="list")
def list_() -> None:
    """List the built-in sets."""
    from ganbench.data import BUILT_IN

    for name, (description, _) in BUILT_IN.items():
        print(f"{name:<12}{description}")
    print("or a file of points: .mat .csv .npy .npz, a variable chosen by path:NAME")


@app.command()
def describe(
    data: Annotated[str, typer.Argument(help="A built-in set or a file of points.")],
    out: Annotated[Path | None, typer.Option(help="A .png to draw the points in.")] = None,
) -> None:
    """Show a set's size, its coordinates and its noise floor; draw it with --out."""
    from ganbench.data import load_points
    from ganbench.figures.animation import save_png
    from ganbench.figures.scatter import scatter
    from ganbench.metrics import PointRuler

    points = load_points(data)
    known = f", {len(points.modes.means)} known modes" if points.modes else ""
    print(f"{points.name}: {len(points):,} points of {points.dimension} coordinates{known}")
    x = points.points
    names = points.columns or tuple(f"x{i}" for i in range(points.dimension))
    print(f"{'':12}{'mean':>12}{'s.d.':>12}{'least':>12}{'greatest':>12}")
    for i, name in enumerate(names):
        c = x[:, i]
        print(f"{name:<12}{c.mean():>12.4g}{c.std():>12.4g}{c.min():>12.4g}{c.max():>12.4g}")
    ruler = PointRuler(points)
    print(f"floor: real against real, {ruler.count:,} points")
    for metric, value in ruler.floor.items():
        print(f"  {metric:<16}{value:>10.4g}")
    if out:
        first, second = points.halves()
        save_png(
            scatter(
                first,
                second,
                title=f"two halves of {points.title}: the second is labelled generated",
                columns=points.columns,
            ),
            out,
        )
        print(f"picture: {out}")
