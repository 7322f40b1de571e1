"""`ganbench data`: what there is to train on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli import prepare
from ganbench.errors import UsageError

if TYPE_CHECKING:
    from ganbench.data import ImageSet, PointSet

app = typer.Typer(help="List, describe and prepare data.", no_args_is_help=True)
app.add_typer(prepare.app, name="prepare")

_COLUMNS = 10  # of the sheet
_MOST_CLASSES = 20  # that are listed with their counts


@app.command(name="list")
def list_() -> None:
    """List the built-in sets."""
    from ganbench.data import BUILT_IN, IMAGE_NAMES

    for name, description in {**{name: text for name, (text, _) in BUILT_IN.items()}, **IMAGE_NAMES}.items():
        print(f"{name:<16}{description}")
    print("stacked:DATA    three grey images of DATA as the channels of one, as in stacked:mnist, 128,000 images")
    print("hub:NAME        a data set of the Hugging Face hub, as in hub:ylecun/mnist")
    print("shards:ADDRESS  parquet files of images on the web, streamed; at the address is a JSON list of theirs")
    print("or a file of points: .mat .csv .npy .npz, a variable chosen by path:NAME")
    print("or images: a folder (subfolders are labels), one with the four IDX files, .zip .npy .npz")
    print("or a folder that `ganbench data prepare` made")


@app.command()
def describe(
    data: Annotated[str, typer.Argument(help="A built-in set, a file of points, or a folder or file of images.")],
    out: Annotated[Path | None, typer.Option(help="A .png to draw the points or images in.")] = None,
) -> None:
    """Show a set's size, its coordinates and noise floor, or its classes and duplicates; draw it with --out."""
    from ganbench.data import ImageSet, load
    from ganbench.data.prepared import is_prepared, verify
    from ganbench.data.sources import path_of

    if out is not None and out.suffix != ".png":
        raise UsageError(f"--out {out}: a picture is written as .png")
    found = load(data)
    path = path_of(data)
    if path is not None and is_prepared(path):
        print(f"{verify(path):,} bytes on the disk are as they were written")
    if isinstance(found, ImageSet):
        _describe_images(found, out)
    else:
        _describe_points(found, out)


def _describe_points(points: PointSet, out: Path | None) -> None:
    from ganbench.figures.animation import save_png
    from ganbench.figures.scatter import scatter
    from ganbench.metrics import PointRuler

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


def _describe_images(images: ImageSet, out: Path | None) -> None:
    import hashlib

    import numpy as np

    channels, height, width = images.shape
    print(f"{images.name}: {len(images):,} images, {width} x {height}, {'grey' if channels == 1 else 'RGB'}")
    for note in images.notes:
        print(f"note: {note}")
    distinct = len({hashlib.sha256(image).digest() for image in images.pixels})
    print(f"duplicates: {len(images) - distinct:,}")
    print(f"fingerprint: {images.fingerprint[:12]}")
    if images.labels is not None:
        counts = np.bincount(images.labels, minlength=len(images.classes))
        print(f"classes: {len(counts):,}, of {counts.min():,} to {counts.max():,} images")
        if len(counts) <= _MOST_CLASSES:
            for name, count in zip(images.classes, counts, strict=True):
                print(f"  {name:<16}{count:>10,}")
    if out:
        _draw_sheet(images, out)
        print(f"picture: {out}")


def _draw_sheet(images: ImageSet, out: Path) -> None:
    """Ten rows, of a column a class where ten columns are enough."""
    import numpy as np

    from ganbench.figures.sheets import labelled_sheet, sheet

    rng = np.random.default_rng(0)
    if images.labels is None or len(images.classes) > _COLUMNS:
        picture = sheet(images.pixels[rng.permutation(len(images))[: _COLUMNS**2]], _COLUMNS, images.title)
    else:
        table = np.zeros((_COLUMNS, len(images.classes), *images.pixels.shape[1:]), np.uint8)
        for column in range(len(images.classes)):
            chosen = rng.permutation(np.flatnonzero(images.labels == column))[:_COLUMNS]
            table[: len(chosen), column] = images.pixels[chosen]
        picture = labelled_sheet(table.reshape(-1, *table.shape[2:]), (), images.classes, images.title)
    out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(out, "PNG")
