"""`ganbench sample`: generated points or images from a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from ganbench.workbench import Workbench


def command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    out: Annotated[
        Path,
        typer.Option(help="Points: .npy .npz .csv .png. Images: .npy .npz .png (a sheet) or a folder."),
    ],
    count: Annotated[int | None, typer.Option(min=1, help="How many; with --labels, by default one of each.")] = None,
    labels: Annotated[str | None, typer.Option(help="Labels to ask for in turn, such as 0,1,2.")] = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="Write this, a generated image a character: a .png of all --count, or a folder, a file each."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of the noise.")] = 0,
    checkpoint: Annotated[str, typer.Option(help="best, last, or a round that has a checkpoint.")] = "best",
) -> None:
    """Write generated things, in the data's own units: points (N, d), images as uint8 (N, H, W) or (N, H, W, 3)."""
    from ganbench.api import load

    if text is not None:
        if labels is not None:
            raise UsageError("give --text or --labels, not both")
        _write_text(load(run).workbench(checkpoint), run, count or 1, out, text, seed, checkpoint)
        return
    if count is None and labels is None:
        raise UsageError("--count is needed: how many to write")
    count = count or len(str(labels).split(","))
    bench = load(run).workbench(checkpoint)
    if bench.data.medium == "points":
        _write_points(bench, run, count, out, labels, seed, checkpoint)
    else:
        _write_images(bench, run, count, out, labels, seed, checkpoint)


def _write_points(
    bench: Workbench, run: Path, count: int, out: Path, labels: str | None, seed: int, checkpoint: str
) -> None:
    from ganbench.data import PointSet
    from ganbench.data.writing import WRITERS, write_points
    from ganbench.figures.animation import save_png

    assert isinstance(bench.data, PointSet)
    if labels is not None:
        _need_labels(bench, run, "--labels")
    if out.suffix not in WRITERS and out.suffix != ".png":
        raise UsageError(f"--out {out}: points are written as {', '.join(WRITERS)} or .png, not {out.suffix!r}")
    if out.suffix == ".png":
        save_png(bench.scatter(count, seed=seed), out)
        print(f"round {bench.state.round:,}, at most 1,500 points of each: {out}")
        return
    write_points(bench.sample(count, seed), out, bench.data.columns)
    print(f"{count:,} points of round {bench.state.round:,} (checkpoint {checkpoint}): {out}")


def _write_images(
    bench: Workbench, run: Path, count: int, out: Path, labels: str | None, seed: int, checkpoint: str
) -> None:
    import numpy as np

    from ganbench.data.writing import IMAGE_WRITERS, write_images
    from ganbench.figures.animation import save_image

    if out.suffix not in (*IMAGE_WRITERS, ".png"):
        kinds = ", ".join(filter(None, IMAGE_WRITERS))
        raise UsageError(f"--out {out}: images are written as {kinds}, .png or a folder of PNGs, not {out.suffix!r}")
    if labels is not None:
        _need_labels(bench, run, "--labels")
    asked = bench.labels(count, seed)
    if asked is not None and out.suffix == ".png":
        asked = np.sort(asked)
    if labels is not None:
        asked = np.resize(_places(labels, bench.told.classes), count)
    pixels = bench.sample(count, seed, asked)
    if out.suffix == ".png":
        save_image(_sheet(pixels, asked, bench.told.classes), out)
    else:
        own = bench.told is bench.data  # clusters are no labels that others could read
        write_images(pixels, out, asked if own else None, bench.data.classes)
    print(f"{count:,} images of round {bench.state.round:,} (checkpoint {checkpoint}): {out}")


def _write_text(bench: Workbench, run: Path, count: int, out: Path, text: str, seed: int, checkpoint: str) -> None:
    """The text so many times, one below the other, or in a folder each as a file of its name."""
    import numpy as np
    from PIL import Image

    from ganbench.data.writing import write_named
    from ganbench.figures.animation import save_image

    if out.suffix not in ("", ".png"):
        raise UsageError(f"--out {out}: a text is written as .png or a folder of PNGs, not {out.suffix!r}")
    _need_labels(bench, run, "--text")
    places = _characters(text, bench.told.classes)
    _note_length(bench, text)
    cells = bench.sample(count * len(places), seed, np.tile(places, count))
    height, width, *colours = cells.shape[1:]
    rows = cells.reshape(count, len(places), height, width, *colours).swapaxes(1, 2)
    whole = rows.reshape(count, height, len(places) * width, *colours)
    if out.suffix == ".png":
        save_image(Image.fromarray(np.concatenate(whole)), out)
    else:
        digits = len(str(count - 1))
        write_named(whole, out, [text] if count == 1 else [f"{text}-{i:0{digits}}" for i in range(count)])
    print(f"{count:,} of {text}, of round {bench.state.round:,} (checkpoint {checkpoint}): {out}")


def _note_length(bench: Workbench, text: str) -> None:
    """Says on stderr where captchas of the data have another number of characters."""
    import sys

    from ganbench.data.parts import cells_of

    cells = cells_of(bench.configuration.data)
    if cells and len(text) != cells.characters:
        print(f"note: captchas of the data have {cells.characters} characters, {text!r} {len(text)}", file=sys.stderr)


def _need_labels(bench: Workbench, run: Path, option: str) -> None:
    """Raises UsageError where the run's generator cannot be asked for a label."""
    if bench.data.medium == "points":
        raise UsageError(f"{option}: {run} was trained on points, which have no labels")
    if not bench.conditional:
        why = "its data have none" if bench.told.labels is None else "a recipe such as best or cgan takes them"
        raise UsageError(f"{option}: {run} was trained without labels; {why}")


def _characters(text: str, classes: tuple[str, ...]) -> list[int]:
    """Which class each character of a text is."""
    if longer := next((name for name in classes if len(name) != 1), None):
        raise UsageError(f"--text: the classes are no single characters, as {longer!r} shows; --labels takes them")
    if not text:
        raise UsageError("--text is empty; it takes characters of " + "".join(classes))
    for character in text:
        if character not in classes:
            near = next((name for name in classes if name.casefold() == character.casefold()), None)
            hint = f"; did you mean {near!r}?" if near else ""
            raise UsageError(f"--text: the run has no character {character!r}{hint} (allowed: {''.join(classes)})")
    return [classes.index(character) for character in text]


def _sheet(pixels: np.ndarray, labels: np.ndarray | None, classes: tuple[str, ...]) -> Image:
    """All images; with labels, a column a label, with black at the end of those that have fewer."""
    import numpy as np

    from ganbench.figures.sheets import labelled_sheet, sheet

    if labels is None:
        return sheet(pixels)
    kinds = list(dict.fromkeys(labels.tolist()))  # in the order in which they were asked for
    counts = np.array([np.count_nonzero(labels == kind) for kind in kinds])
    table = np.zeros((counts.max(), len(kinds), *pixels.shape[1:]), np.uint8)
    for column, (kind, count) in enumerate(zip(kinds, counts, strict=True)):
        table[:count, column] = pixels[labels == kind]
    return labelled_sheet(table.reshape(-1, *pixels.shape[1:]), (), [classes[kind] for kind in kinds])


def _places(labels: str, classes: tuple[str, ...]) -> list[int]:
    """Which classes are meant: by their names, or by their places where no name is given."""
    from ganbench.settings import unknown

    names = [name.strip() for name in labels.split(",")]
    numbers = {name: place for place, name in enumerate(classes)}
    if not any(name in numbers for name in names):
        numbers = {str(place): place for place in range(len(classes))}
    for name in names:
        if name not in numbers:
            places = f"give names alone, or places alone, from 0 to {len(classes) - 1}"
            raise UsageError(f"--labels: {unknown('label', name, classes)}; {places}")
    return [numbers[name] for name in names]
